//! Whether the database can be read, and which tables and views it has.

use std::sync::Arc;
use std::time::Duration;

use inlet_model::StreamName;
use inlet_source::{SourceError, StreamSpec};
use rusqlite::OptionalExtension;

use super::config::Settings;
use super::convert;
use super::database::{Database, Watch};
use super::tables::{Table, quoted};
use crate::blocking::{Stop, on_thread_within};
use crate::trouble::Trouble;
use crate::update_times::is_update_time;

/// How long the database may take.
const PATIENCE: Duration = Duration::from_secs(60);
/// No value of the schema is larger.
const MAX_BYTES: usize = 1 << 24;
/// Rows are counted up to this many.
const COUNTED: u64 = 100_000;

/// Whether the file is a database that can be read now.
pub(super) async fn check(settings: Arc<Settings>) -> Result<(), SourceError> {
    on_thread_within(PATIENCE, "check database", move |stop| {
        let database = open(&settings, stop)?;
        database.begin()?;
        database.ask(Table::names)?;
        database.unless_changed()?;
        Ok(database.end()?)
    })
    .await
}

/// The tables and views that can be read, by name.
pub(super) async fn discover(settings: Arc<Settings>) -> Result<Vec<StreamSpec>, SourceError> {
    on_thread_within(PATIENCE, "discover tables", move |stop| {
        let database = open(&settings, stop)?;
        database.begin()?;
        let mut found = Vec::new();
        for name in database.ask(Table::names)? {
            let Ok(stream) = StreamName::new(&name) else { continue };
            // One that SQLite cannot read does not keep the others from being read: a view of a table that is gone, a
            // column that only the program that made it can compute.
            let select = format!("SELECT * FROM {}", quoted(&name));
            let is_readable = database.ask(|connection| connection.prepare(&select).map(drop)).is_ok();
            if is_readable && let Some(table) = database.ask(|connection| Table::find(connection, &name))? {
                found.push(spec(&database, stream, &table)?);
            }
        }
        database.unless_changed()?;
        database.end()?;
        Ok(found)
    })
    .await
}

fn open(settings: &Settings, stop: Stop) -> Result<Database, SourceError> {
    Ok(Database::open(settings, MAX_BYTES, Watch::new(move || stop.is_set()))?)
}

fn spec(database: &Database, name: StreamName, table: &Table) -> Result<StreamSpec, SourceError> {
    Ok(StreamSpec {
        name,
        schema: convert::schema(table),
        primary_key: table.key.clone(),
        cursor_field: cursor_field(database, table)?,
        // A table that cannot be counted may still be read in part, and says for itself what is wrong with it.
        estimated_records: estimate(database, table).unwrap_or_default(),
    })
}

/// A column that says when its row was last written and is indexed. A key that only grows is none: by it changes of
/// rows would stay unseen.
fn cursor_field(database: &Database, table: &Table) -> Result<Option<String>, Trouble> {
    let candidates = table.columns.iter().filter(|column| is_update_time(&column.name));
    for column in candidates {
        if is_indexed(database, table, &column.name)? {
            return Ok(Some(column.name.clone()));
        }
    }
    Ok(None)
}

/// Whether rows can be read in the order of the column without sorting them.
pub(super) fn is_indexed(database: &Database, table: &Table, column: &str) -> Result<bool, Trouble> {
    if table.rowid.as_deref() == Some(column) {
        return Ok(true);
    }
    database.ask(|connection| {
        let sql = "SELECT 1 FROM pragma_index_list(?1) AS i, pragma_index_info(i.name) AS c
                   WHERE NOT i.partial AND c.seqno = 0 AND c.name = ?2";
        let found =
            connection.prepare_cached(sql)?.query_row([&table.name, column], |_| Ok(())).optional()?;
        Ok(found.is_some())
    })
}

/// About how many rows there are. Those of a view are not counted: who knows how long that takes.
fn estimate(database: &Database, table: &Table) -> Result<Option<u64>, Trouble> {
    if table.is_view {
        return Ok(None);
    }
    // `ANALYZE` leaves the number of rows, then other numbers.
    let analyzed = database.ask(|connection| {
        let has_statistics = connection.table_exists(None, "sqlite_stat1")?;
        let sql = "SELECT stat FROM sqlite_stat1 WHERE tbl = ?1 AND stat IS NOT NULL LIMIT 1";
        if !has_statistics {
            return Ok(None);
        }
        connection.query_row(sql, [&table.name], |row| row.get::<_, String>(0)).optional()
    });
    let analyzed = analyzed?.and_then(|stat| stat.split(' ').next()?.parse().ok());
    if analyzed.is_some() {
        return Ok(analyzed);
    }
    let name = quoted(&table.name);
    let counted: u64 = database.ask(|connection| {
        let sql = format!("SELECT count(*) FROM (SELECT 1 FROM {name} LIMIT {})", COUNTED + 1);
        connection.query_row(&sql, [], |row| row.get::<_, i64>(0)).map(i64::unsigned_abs)
    })?;
    if counted <= COUNTED {
        return Ok(Some(counted));
    }
    let Some(rowid) = table.rowid.as_deref().map(quoted) else { return Ok(None) };
    let span = database.ask(|connection| {
        let sql = format!("SELECT (SELECT max({rowid}) FROM {name}), (SELECT min({rowid}) FROM {name})");
        connection.query_row(&sql, [], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?)))
    })?;
    Ok(Some(span.0.abs_diff(span.1).saturating_add(1)))
}
