//! A PostgreSQL connection as a session.
//!
//! Each statement is sent with its types and without a name: one round trip, and nothing stays behind on the server, so that
//! a pooler may give every transaction another server.

use std::cell::RefCell;
use std::error::Error;
use std::ops::ControlFlow;

use bytes::BytesMut;
use postgres::Client;
use postgres::types::{FromSql, IsNull, ToSql, Type, to_sql_checked};

use super::text;
use crate::sql::{Bind, Bound, Cell, Columns, Dialect, Row, Session, SqlError, SqlResult};

/// A connection, whether or not a transaction is open on it.
pub(super) struct PostgresSession<'client>(RefCell<&'client mut Client>);

impl<'client> PostgresSession<'client> {
    pub(super) fn new(client: &'client mut Client) -> Self {
        Self(RefCell::new(client))
    }
}

impl Session for PostgresSession<'_> {
    fn dialect(&self) -> Dialect {
        Dialect::Postgres
    }

    fn execute(&self, sql: &str, params: &[&dyn Bind]) -> SqlResult<usize> {
        let bound = bound(params)?;
        let changed = self.0.borrow_mut().execute_typed(&numbered(sql), &typed(&bound))?;
        usize::try_from(changed).map_err(SqlError::value)
    }

    fn each(
        &self,
        sql: &str,
        params: &[&dyn Bind],
        show: &mut dyn FnMut(&mut Columns<'_>) -> SqlResult<ControlFlow<()>>,
    ) -> SqlResult<()> {
        let bound = bound(params)?;
        // All of them, so that whoever is shown one may ask for more.
        let rows = self.0.borrow_mut().query_typed(&numbered(sql), &typed(&bound))?;
        for row in &rows {
            if show(&mut Columns::of(row))?.is_break() {
                break;
            }
        }
        Ok(())
    }
}

/// The statement with its parameters in PostgreSQL's way.
fn numbered(sql: &str) -> String {
    sql.replace('?', "$")
}

fn bound<'a>(params: &'a [&'a dyn Bind]) -> SqlResult<Vec<Bound<'a>>> {
    params.iter().map(|param| param.bind()).collect()
}

fn typed<'a>(bound: &'a [Bound<'a>]) -> Vec<(&'a (dyn ToSql + Sync), Type)> {
    bound.iter().map(|value| (value as &(dyn ToSql + Sync), type_of(value))).collect()
}

fn type_of(value: &Bound<'_>) -> Type {
    match value {
        // Which it is follows from where it stands.
        Bound::Null => Type::UNKNOWN,
        Bound::Integer(_) => Type::INT8,
        Bound::Text(_) => Type::TEXT,
        Bound::Blob(_) => Type::BYTEA,
    }
}

impl ToSql for Bound<'_> {
    fn to_sql(&self, ty: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        match self {
            Self::Null => Ok(IsNull::Yes),
            Self::Integer(number) => number.to_sql(ty, out),
            Self::Text(text) => text::escaped(text).to_sql(ty, out),
            Self::Blob(bytes) => bytes.to_sql(ty, out),
        }
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

impl Row for postgres::Row {
    fn cell(&self, column: usize) -> SqlResult<Cell<'_>> {
        self.try_get(column).map_err(|error| SqlError::Column { column, reason: error.into() })
    }
}

impl<'a> FromSql<'a> for Cell<'a> {
    fn from_sql(ty: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn Error + Sync + Send>> {
        match *ty {
            Type::INT8 => i64::from_sql(ty, raw).map(Cell::Integer),
            Type::INT4 => i32::from_sql(ty, raw).map(|number| Cell::Integer(number.into())),
            Type::BOOL => bool::from_sql(ty, raw).map(|truth| Cell::Integer(truth.into())),
            Type::TEXT | Type::VARCHAR => {
                <&str>::from_sql(ty, raw).map(|kept| Cell::Text(text::unescaped(kept)))
            }
            Type::BYTEA => Ok(Cell::Blob(raw)),
            ref other => Err(format!("no column of ours is of the type {other}").into()),
        }
    }

    fn from_sql_null(_: &Type) -> Result<Self, Box<dyn Error + Sync + Send>> {
        Ok(Cell::Null)
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}
