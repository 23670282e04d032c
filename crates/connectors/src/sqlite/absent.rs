//! Asking for records by their keys: are they still there?

use std::collections::BTreeSet;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use inlet_model::key::{self, KeyPart};
use inlet_source::{SourceError, StreamRequest};
use rusqlite::params_from_iter;

use super::config::Settings;
use super::convert::{RowWriter, key_fields};
use super::cursor::Stored;
use super::database::{Database, Watch};
use super::tables::{Table, quoted};
use crate::blocking::on_thread;
use crate::trouble::Trouble;

/// No part of a key is larger.
const MAX_BYTES: usize = 1 << 24;
/// Keys that are asked for in one transaction.
const AT_ONCE: usize = 1000;

/// Those of `keys` whose rows are still there.
pub(super) async fn still_there(
    settings: Arc<Settings>,
    stream: StreamRequest,
    keys: Vec<Vec<u8>>,
) -> Result<BTreeSet<Vec<u8>>, SourceError> {
    on_thread("ask for records", move |stop| {
        let database = Database::open(&settings, MAX_BYTES, Watch::new(move || stop.is_set()))?;
        database.enter()?;
        let table = database.ask(|connection| Table::find(connection, stream.name.as_str()))?;
        let found = match table {
            // A table that is gone says nothing about its rows: it may be there again tomorrow.
            None => keys.into_iter().collect(),
            Some(table) => ask(&database, &table, &stream, keys)?,
        };
        database.unless_changed()?;
        Ok(found)
    })
    .await?
}

fn ask(
    database: &Database,
    table: &Table,
    stream: &StreamRequest,
    keys: Vec<Vec<u8>>,
) -> Result<BTreeSet<Vec<u8>>, Trouble> {
    let fields = key_fields(table, stream);
    if fields.is_empty() && table.rowid.is_none() {
        // Known by their content alone, they cannot be asked for.
        return Ok(keys.into_iter().collect());
    }
    let writer = RowWriter::of_keys(table, fields)?;
    let columns = match (fields, &table.rowid) {
        ([], Some(rowid)) => std::slice::from_ref(rowid),
        _ => fields,
    };
    if columns.len() > 1 && !table.is_ordered_by(columns) || !is_found_at_once(table, columns) {
        return scan(database, table, writer, keys);
    }
    look_up(database, table, writer, columns, keys)
}

/// Whether the rows with a key are found without going through the table.
fn is_found_at_once(table: &Table, columns: &[String]) -> bool {
    table.is_ordered_by(columns) || table.rowid.as_deref().is_some_and(|rowid| columns == [rowid])
}

/// Asks for each key. What SQLite finds is compared by its key once more, since it takes some values for equal whose
/// keys are not.
fn look_up(
    database: &Database,
    table: &Table,
    mut writer: RowWriter,
    columns: &[String],
    keys: Vec<Vec<u8>>,
) -> Result<BTreeSet<Vec<u8>>, Trouble> {
    let is_one = columns.iter().enumerate().map(|(place, column)| {
        let first = place * FORMS + 1;
        format!("{} IN (?{first}, ?{}, ?{})", quoted(column), first + 1, first + 2)
    });
    let filter = is_one.collect::<Vec<_>>().join(" AND ");
    let sql = format!("SELECT {} FROM {} WHERE {filter}", writer.selected(), quoted(&table.name));
    let mut found = BTreeSet::new();
    for some in keys.chunks(AT_ONCE) {
        database.enter()?;
        let mut statement = database.prepare(&sql)?;
        for key in some {
            let Some(parameters) = parameters(key, columns.len()) else {
                continue;
            };
            database.moves_on();
            let mut rows =
                statement.query(params_from_iter(parameters)).map_err(|error| database.trouble(error))?;
            while let Some(row) = rows.next().map_err(|error| database.trouble(error))? {
                if writer.key(row).as_ref() == Some(key) {
                    found.insert(key.clone());
                }
            }
        }
        drop(statement);
        database.leave()?;
    }
    Ok(found)
}

/// Goes through the whole table.
fn scan(
    database: &Database,
    table: &Table,
    mut writer: RowWriter,
    keys: Vec<Vec<u8>>,
) -> Result<BTreeSet<Vec<u8>>, Trouble> {
    let wanted: BTreeSet<Vec<u8>> = keys.into_iter().collect();
    let sql = format!("SELECT {} FROM {}", writer.selected(), quoted(&table.name));
    let mut statement = database.prepare(&sql)?;
    let mut rows = statement.query([]).map_err(|error| database.trouble(error))?;
    let mut found = BTreeSet::new();
    while let Some(row) = rows.next().map_err(|error| database.trouble(error))? {
        database.moves_on();
        if let Some(key) = writer.key(row).filter(|key| wanted.contains(key)) {
            found.insert(key);
        }
    }
    Ok(found)
}

/// As what a part of a key may be stored.
const FORMS: usize = 3;

/// The values that each part of the key may be stored as; `None` if the key is none of this table's.
fn parameters(encoded: &[u8], columns: usize) -> Option<Vec<Stored>> {
    let parts = key::decode(encoded).ok().filter(|parts| parts.len() == columns)?;
    let mut parameters = Vec::with_capacity(columns * FORMS);
    for part in &parts {
        let mut forms = forms(part)?;
        let last = forms.last()?.clone();
        forms.resize(FORMS, last);
        parameters.extend(forms);
    }
    Some(parameters)
}

fn forms(part: &KeyPart<'_>) -> Option<Vec<Stored>> {
    Some(match part {
        KeyPart::Bool(value) => vec![Stored::Integer(i64::from(*value))],
        KeyPart::Integer(value) => vec![Stored::Integer(*value)],
        KeyPart::Number(text) => vec![Stored::Real(text.parse().ok()?)],
        KeyPart::String(text) => {
            let mut forms = vec![Stored::Text(text.as_bytes().to_vec())];
            forms.extend(STANDARD.decode(text.as_bytes()).ok().map(Stored::Blob));
            match text.as_ref() {
                "Infinity" => forms.push(Stored::Real(f64::INFINITY)),
                "-Infinity" => forms.push(Stored::Real(f64::NEG_INFINITY)),
                _ => {}
            }
            forms
        }
        KeyPart::Bytes(_) => return None,
    })
}
