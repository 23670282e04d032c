//! A PostgreSQL connection as a session.
//!
//! Each statement is sent with its types and without a name: one round trip, and nothing stays behind on the server, so that
//! a pooler may give every transaction another server.

use std::cell::RefCell;
use std::error::Error;
use std::ops::ControlFlow;

use bytes::BytesMut;
use tokio_postgres::types::{FromSql, IsNull, ToSql, Type, to_sql_checked};

use super::client::Client;
use super::text;
use crate::sql::{Bind, Bound, Cell, Columns, Dialect, Row, Session, SqlError, SqlResult};

/// A parameter with its type.
pub(super) type Typed<'a> = (&'a (dyn ToSql + Sync), Type);

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
        execute(&mut self.0.borrow_mut(), &numbered(sql), &typed(&bound(params)?))
    }

    fn each(
        &self,
        sql: &str,
        params: &[&dyn Bind],
        show: &mut dyn FnMut(&mut Columns<'_>) -> SqlResult<ControlFlow<()>>,
    ) -> SqlResult<()> {
        // All of them, so that whoever is shown one may ask for more.
        let rows = self.0.borrow_mut().query_typed(&numbered(sql), &typed(&bound(params)?))?;
        show_each(&rows, show)
    }
}

/// Runs a statement that gives no rows.
pub(super) fn execute(client: &mut Client, sql: &str, params: &[Typed<'_>]) -> SqlResult<usize> {
    let changed = client.execute_typed(sql, params)?;
    usize::try_from(changed).map_err(SqlError::value)
}

/// Shows rows in order, until enough were seen.
pub(super) fn show_each(
    rows: &[tokio_postgres::Row],
    show: &mut dyn FnMut(&mut Columns<'_>) -> SqlResult<ControlFlow<()>>,
) -> SqlResult<()> {
    for row in rows {
        if show(&mut Columns::of(row))?.is_break() {
            break;
        }
    }
    Ok(())
}

/// The statement with its parameters in PostgreSQL's way.
pub(super) fn numbered(sql: &str) -> String {
    sql.replace('?', "$")
}

/// Parameters as the database keeps them.
pub(super) fn bound<'a>(params: &'a [&'a dyn Bind]) -> SqlResult<Vec<Bound<'a>>> {
    params.iter().map(|param| param.bind()).collect()
}

/// Parameters with their types.
pub(super) fn typed<'a>(bound: &'a [Bound<'a>]) -> Vec<Typed<'a>> {
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

impl Row for tokio_postgres::Row {
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
