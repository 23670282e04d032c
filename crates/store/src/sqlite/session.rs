//! A SQLite connection as a session.

use std::ops::ControlFlow;

use rusqlite::types::{Null, ValueRef};
use rusqlite::{CachedStatement, Connection, Statement, Transaction};

use crate::sql::{Bind, Bound, Cell, Columns, Dialect, Row, Session, SqlError, SqlResult, WithSession};

impl Session for Connection {
    fn dialect(&self) -> Dialect {
        Dialect::Sqlite
    }

    fn execute(&self, sql: &str, params: &[&dyn Bind]) -> SqlResult<usize> {
        Ok(prepared(self, sql, params)?.raw_execute()?)
    }

    fn each(
        &self,
        sql: &str,
        params: &[&dyn Bind],
        show: &mut dyn FnMut(&mut Columns<'_>) -> SqlResult<ControlFlow<()>>,
    ) -> SqlResult<()> {
        let mut statement = prepared(self, sql, params)?;
        let mut rows = statement.raw_query();
        while let Some(row) = rows.next()? {
            if show(&mut Columns::of(row))?.is_break() {
                break;
            }
        }
        Ok(())
    }
}

impl WithSession for Transaction<'_> {
    fn session(&self) -> &dyn Session {
        &**self
    }
}

/// The statement with its parameters.
fn prepared<'db>(db: &'db Connection, sql: &str, params: &[&dyn Bind]) -> SqlResult<CachedStatement<'db>> {
    let mut statement = db.prepare_cached(sql)?;
    let wanted = statement.parameter_count();
    if params.len() != wanted {
        return Err(rusqlite::Error::InvalidParameterCount(params.len(), wanted).into());
    }
    for (index, param) in (1..).zip(params) {
        bind(&mut statement, index, &param.bind()?)?;
    }
    Ok(statement)
}

/// Gives a statement the parameter of that number, from 1.
pub(super) fn bind(statement: &mut Statement<'_>, index: usize, value: &Bound<'_>) -> rusqlite::Result<()> {
    match value {
        Bound::Null => statement.raw_bind_parameter(index, Null),
        Bound::Integer(number) => statement.raw_bind_parameter(index, number),
        Bound::Text(text) => statement.raw_bind_parameter(index, &**text),
        Bound::Blob(bytes) => statement.raw_bind_parameter(index, bytes),
    }
}

impl Row for rusqlite::Row<'_> {
    fn cell(&self, column: usize) -> SqlResult<Cell<'_>> {
        let text = |bytes| {
            std::str::from_utf8(bytes).map_err(|error| SqlError::Column { column, reason: error.into() })
        };
        Ok(match self.get_ref(column)? {
            ValueRef::Null => Cell::Null,
            ValueRef::Integer(number) => Cell::Integer(number),
            ValueRef::Text(bytes) => Cell::Text(text(bytes)?.into()),
            ValueRef::Blob(bytes) => Cell::Blob(bytes),
            ValueRef::Real(_) => {
                return Err(SqlError::Column { column, reason: "no number of ours has a fraction".into() });
            }
        })
    }
}
