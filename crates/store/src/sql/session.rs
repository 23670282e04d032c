//! A connection to a database, or a transaction of it.

use std::ops::ControlFlow;

use super::{Bind, Columns, SqlError, SqlResult};

/// Which database it is, for the few statements that they do not share.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dialect {
    Sqlite,
    Postgres,
}

/// Runs statements, one after the other. What is read and written by a transaction is one.
pub(crate) trait Session {
    fn dialect(&self) -> Dialect;

    /// Runs a statement that gives no rows; how many it has changed.
    fn execute(&self, sql: &str, params: &[&dyn Bind]) -> SqlResult<usize>;

    /// Runs a statement and shows its rows, in order, until enough were seen.
    fn each(
        &self,
        sql: &str,
        params: &[&dyn Bind],
        show: &mut dyn FnMut(&mut Columns<'_>) -> SqlResult<ControlFlow<()>>,
    ) -> SqlResult<()>;
}

/// What goes about with a session, and is one by it.
pub(crate) trait WithSession {
    fn session(&self) -> &dyn Session;
}

impl<T: WithSession> Session for T {
    fn dialect(&self) -> Dialect {
        self.session().dialect()
    }

    fn execute(&self, sql: &str, params: &[&dyn Bind]) -> SqlResult<usize> {
        self.session().execute(sql, params)
    }

    fn each(
        &self,
        sql: &str,
        params: &[&dyn Bind],
        show: &mut dyn FnMut(&mut Columns<'_>) -> SqlResult<ControlFlow<()>>,
    ) -> SqlResult<()> {
        self.session().each(sql, params, show)
    }
}

impl dyn Session + '_ {
    /// The rows of an answer.
    pub(crate) fn rows<T>(
        &self,
        sql: &str,
        params: &[&dyn Bind],
        mut read: impl FnMut(&mut Columns<'_>) -> SqlResult<T>,
    ) -> SqlResult<Vec<T>> {
        let mut rows = Vec::new();
        self.each(sql, params, &mut |columns| {
            rows.push(read(columns)?);
            Ok(ControlFlow::Continue(()))
        })?;
        Ok(rows)
    }

    /// The first row of an answer, if it has one.
    pub(crate) fn row_if_any<T>(
        &self,
        sql: &str,
        params: &[&dyn Bind],
        read: impl FnOnce(&mut Columns<'_>) -> SqlResult<T>,
    ) -> SqlResult<Option<T>> {
        let (mut read, mut row) = (Some(read), None);
        self.each(sql, params, &mut |columns| {
            if let Some(read) = read.take() {
                row = Some(read(columns)?);
            }
            Ok(ControlFlow::Break(()))
        })?;
        Ok(row)
    }

    /// The first row of an answer that always has one.
    pub(crate) fn row<T>(
        &self,
        sql: &str,
        params: &[&dyn Bind],
        read: impl FnOnce(&mut Columns<'_>) -> SqlResult<T>,
    ) -> SqlResult<T> {
        self.row_if_any(sql, params, read)?.ok_or(SqlError::NoRow)
    }
}
