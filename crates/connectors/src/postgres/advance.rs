//! Reading what a cursor field says is new.
//!
//! Why the next lower bound passes no row that may still appear. A transaction gets its times and numbers while it runs, and its
//! rows appear when it commits; so a row below the greatest value that was seen may still come. First the greatest value is
//! looked up, then which transactions run, then the rows are read. A row below that value that was not read belongs to a
//! transaction that had begun before the value was looked up (or the value would be smaller than its own) and had not
//! committed when reading began; so it is among those that ran in between. When all of these are gone, however they ended, the
//! next read from the old lower bound finds what they left, and then the value becomes the lower bound. Rows with the very value
//! may come later and are read again.
//!
//! A transaction is known by its virtual id, which it has from its beginning, not only from its first write; a prepared one by
//! its own. One that is prepared meanwhile changes its name, and is waited for under the new one. Every role may see both. What
//! programs make up by themselves (times of another clock, numbers drawn in advance) can come later than that: `cursor_lag` says
//! by how much. A standby does not know what runs on its primary, so there `cursor_lag` is all that is gone by.

use inlet_model::Scope;
use inlet_source::{ErrorKind, Message, SourceError};
use serde_json::Value;

use super::client::Client;
use super::cursor::{self, Bound, Cursor, Position, Running};
use super::kinds::Kind;
use super::read::{Reading, Scan};
use super::tables::{Column, Table, quoted};
use crate::trouble::Trouble;

/// Transactions that may write to this database, each as a word. Those of other databases and of the server itself cannot
/// have rows of ours; whether a process belongs to them may be seen by every role.
const RUNNING: &str = "\
    SELECT l.virtualtransaction FROM pg_catalog.pg_locks l LEFT JOIN pg_catalog.pg_stat_activity a ON a.pid = l.pid \
    WHERE l.locktype = 'virtualxid' AND l.mode = 'ExclusiveLock' AND l.granted AND l.pid <> pg_catalog.pg_backend_pid() \
    AND (a.pid IS NULL OR a.datid IS NULL OR a.datname = pg_catalog.current_database()) \
    AND (a.pid IS NULL OR a.usesysid IS NOT NULL) \
    UNION ALL SELECT 'prepared/' || x.transaction FROM pg_catalog.pg_prepared_xacts x \
    WHERE x.database = pg_catalog.current_database()";

/// Looks at the cursor field, in transactions of its own. `None` if nothing can be said of the rows that may still appear.
pub(super) async fn bound(client: &mut Client, table: &Table, column: &Column) -> Result<Bound, SourceError> {
    let (name, from) = (quoted(&column.name), table.from());
    let finite = endless(column)
        .map_or_else(|| format!("{name} IS NOT NULL"), |(_, above)| format!("{name} < {above}"));
    client.begin().await?;
    let greatest = client
        .rows(&format!("SELECT {name} FROM {from} WHERE {finite} ORDER BY {name} DESC LIMIT 1"))
        .await?;
    client.commit().await?;
    let running = client.rows(RUNNING).await?;
    let running: Running = running.into_iter().flatten().flatten().collect();
    Ok(Bound { greatest: greatest.into_iter().next().and_then(|row| row.into_iter().next()?), running })
}

/// Below which, and from which on, values of a column have no end, or are no numbers.
fn endless(column: &Column) -> Option<(String, String)> {
    let (below, above) = match column.kind {
        Kind::Date | Kind::Moment { .. } => ("-infinity", "infinity"),
        // Floats have both; a numeric has them from version 14 on, and NaN, which is above all, in any.
        Kind::Number if column.declared.starts_with("numeric") => ("NaN", "NaN"),
        Kind::Number => ("-Infinity", "Infinity"),
        _ => return None,
    };
    Some((column.literal(below), column.literal(above)))
}

/// Whether the server is a standby, which knows nothing of what runs on its primary.
pub(super) async fn is_standby(client: &mut Client) -> Result<bool, SourceError> {
    let rows = client.rows("SELECT pg_catalog.pg_is_in_recovery()").await?;
    Ok(rows.first().and_then(|row| row.first()).is_some_and(|field| field.as_deref() == Some("t")))
}

impl Reading<'_> {
    /// Reads what comes from the cursor on. If keys are to be compared, that is a listing that has seen only this, and everything
    /// else is asked for by its key before it is deleted.
    pub(super) async fn advance(
        &mut self,
        from: Cursor,
        bound: Bound,
        compares_keys: bool,
    ) -> Result<(), Trouble> {
        let field = self.stream.cursor_field.as_deref().unwrap_or_default();
        let column = self.table.column(field).cloned().ok_or_else(|| self.table.no_column(field))?;
        if from.is_held_by(&bound) {
            self.warn_of_old_transactions(&bound).await?;
        }
        let checkpoint = if compares_keys {
            self.out
                .send(Message::Listing { stream: self.stream.name.clone(), scope: Scope::whole() })
                .await?;
            cursor::to_value(&Position { cursor: from.clone(), after: None })
        } else {
            cursor::to_value(&from)
        };
        let filter = self.lower_bound(&column, &from)?;
        for tries in 1.. {
            match self.read_behind(&column, &filter, &checkpoint).await {
                Ok(()) => break,
                // What has been sent comes again, and is found as it is; but a listing has each key once.
                Err(Trouble::Failed(error)) if !compares_keys && self.can_go_on(&error) => {
                    self.reconnect(Some(error), tries).await?;
                }
                Err(trouble) => return Err(trouble),
            }
        }
        let reached = Some(cursor::to_value(&from.advanced(bound)));
        if !compares_keys {
            return self.send_even_empty(reached).await;
        }
        self.send(Some(checkpoint)).await?;
        self.complete(reached, false).await
    }

    /// Reads the rows for which `filter` holds, and those that no value of the cursor field comes behind.
    async fn read_behind(
        &mut self,
        column: &Column,
        filter: &str,
        checkpoint: &Value,
    ) -> Result<(), Trouble> {
        let again = |_: Option<&[String]>| Some(checkpoint.clone());
        self.begin().await?;
        self.read_unplaced(column, &again).await?;
        self.scan(&Scan { filter, in_order: false, checkpoint: &again }, &mut None).await?;
        Ok(self.commit().await?)
    }

    /// What holds for the rows that may be new.
    fn lower_bound(&self, column: &Column, from: &Cursor) -> Result<String, SourceError> {
        let name = quoted(&column.name);
        let Some(through) = &from.through else { return Ok(format!("{name} IS NOT NULL")) };
        let value = column.literal(through);
        let Some(lag) = self.settings.cursor_lag else { return Ok(format!("{name} >= {value}")) };
        let behind = lag.behind(&value, &column.kind).ok_or_else(|| {
            let message = format!("`cursor_lag` does not fit the cursor field `{}`", column.name);
            SourceError::new(ErrorKind::Config, "read table", message).hint(
                "say a duration for dates and times, a number for whole numbers, and nothing for others",
            )
        })?;
        Ok(format!("{name} >= {behind}"))
    }

    /// Reads the rows whose cursor field never comes after any value: they are read each time.
    async fn read_unplaced(
        &mut self,
        column: &Column,
        checkpoint: &(dyn Fn(Option<&[String]>) -> Option<Value> + Send + Sync),
    ) -> Result<(), Trouble> {
        let name = quoted(&column.name);
        let below = endless(column).filter(|(below, above)| below != above);
        let mut filters = Vec::new();
        if !column.is_not_null {
            filters.push(format!("{name} IS NULL"));
        }
        if let Some((below, _)) = below {
            filters.push(format!("{name} = {below}"));
        }
        if filters.is_empty() {
            return Ok(());
        }
        let filter = filters.join(" OR ");
        let (read, _) = self.scan(&Scan { filter: &filter, in_order: false, checkpoint }, &mut None).await?;
        if read > 0 {
            let text = format!(
                "{read} rows of {} have no value in the cursor field `{}`, or one without a beginning, so that each sync reads them again.",
                self.table.stream(),
                column.name
            );
            self.out.send(Message::Warning { text }).await?;
        }
        Ok(())
    }

    async fn warn_of_old_transactions(&self, bound: &Bound) -> Result<(), Trouble> {
        let text = format!(
            "The cursor of {} stays where it is: of the {} transactions that run now, some were running at the last sync already \
             and may still write rows below it.",
            self.table.stream(),
            bound.running.len()
        );
        Ok(self.out.send(Message::Warning { text }).await?)
    }
}

/// What is said of a table with a cursor field on a standby.
pub(super) fn on_a_standby(table: &Table) -> String {
    format!(
        "The server is a standby, which does not know what runs on its primary: {} is read whole each time. Set `cursor_lag` to \
         how long a transaction can last.",
        table.stream()
    )
}
