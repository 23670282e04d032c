//! Reading what a cursor field says is new.
//!
//! Why the next lower bound passes no row that may still appear: SQLite has one writer at a time and shows each
//! transaction whole, so whoever sees a value sees everything that was committed before it. Rows with the very value of the bound
//! may come later, so they are read again. A value that a program made up before it was its turn to write may come later
//! and be lower: that no reader can know, and `docs.md` says so.

use inlet_source::{ErrorKind, SourceError};
use rusqlite::{ErrorCode, Statement, params_from_iter};

use super::cursor::{self, Cursor, Stored};
use super::read::{Reading, Scan, no_place};
use super::streams::is_indexed;
use super::tables::{Order, quoted};
use crate::trouble::Trouble;

/// What a cursor field holds.
pub(super) struct Bound {
    /// Its greatest value that a later one can be greater than.
    pub(super) through: Option<Stored>,
    /// Of which kind all its values are.
    kind: Option<&'static str>,
}

const NUMBERS: &str = "numbers";

/// Looks at the cursor field. It is an error if it holds values of kinds that do not compare: SQLite puts every number before
/// every text, so that a bound of one kind would pass all the others.
pub(super) fn bound(reading: &mut Reading<'_>, field: &str) -> Result<Bound, Trouble> {
    let (column, table) = (quoted(field), quoted(&reading.table.name));
    reading.enter()?;
    let extreme = |which: &str, filter: &str| {
        let sql = format!("SELECT {which}({column}) FROM {table} WHERE {filter}");
        reading
            .database
            .ask(|connection| connection.query_row(&sql, [], |row| Ok(Stored::new(row.get_ref(0)?))))
    };
    let (least, greatest) = (extreme("min", "TRUE")?, extreme("max", "TRUE")?);
    let kinds = (least.as_ref().map(kind), greatest.as_ref().map(kind));
    if let (Some(least), Some(greatest)) = kinds
        && least != greatest
    {
        let message =
            format!("the cursor field `{field}` holds {least} and {greatest}, which do not compare");
        return Err(SourceError::new(ErrorKind::Config, "read database", message)
            .hint("choose another cursor field, or let the column hold values of one kind")
            .into());
    }
    let finite = format!("{column} > -9e999 AND {column} < 9e999");
    let through = if kinds.0 == Some(NUMBERS) { extreme("max", &finite)? } else { greatest };
    reading.database.leave()?;
    Ok(Bound { through, kind: kinds.0 })
}

/// The kind of a value: values of one kind compare, and come together in SQLite's order.
fn kind(value: &Stored) -> &'static str {
    match value {
        Stored::Integer(_) | Stored::Real(_) => NUMBERS,
        Stored::Text(_) => "texts",
        Stored::Blob(_) => "blobs",
    }
}

/// Reads what comes from the cursor on, and what no cursor ever comes to.
pub(super) fn read(reading: &mut Reading<'_>, from: Cursor) -> Result<(), Trouble> {
    let field = reading.stream.cursor_field.clone().unwrap_or_default();
    let bound = bound(reading, &field)?;
    let column = quoted(&field);
    read_unplaced(reading, &field, &column, bound.kind == Some(NUMBERS))?;
    // A bound of another kind would pass everything there is, or nothing.
    let from = from.through.filter(|value| Some(kind(value)) == bound.kind);
    let through = match reading.table.identity() {
        Some(identity) => read_in_order(reading, &field, &identity, from)?,
        None => {
            let filter =
                if from.is_some() { format!("{column} >= ?1") } else { format!("{column} IS NOT NULL") };
            let after = from.clone().map(|from| vec![from]);
            reading.scan(Scan { filter: &filter, order: None, after }, &|_| None)?;
            bound.through.or(from)
        }
    };
    let end = Cursor { through, ..reading.now.clone() };
    reading.send_even_empty(Some(cursor::to_value(&end)))
}

/// Reads the rows whose value no lower bound ever comes to: NULL, and minus infinity.
fn read_unplaced(
    reading: &mut Reading<'_>,
    field: &str,
    column: &str,
    is_number: bool,
) -> Result<(), Trouble> {
    let identity = reading.table.identity();
    if is_number {
        let lowest = format!("{column} = -9e999");
        reading.scan(Scan { filter: &lowest, order: identity.as_ref(), after: None }, &|_| None)?;
    }
    let null = format!("{column} IS NULL");
    let rows = reading.scan(Scan { filter: &null, order: identity.as_ref(), after: None }, &|_| None)?;
    if rows > 0 {
        let name = &reading.stream.name;
        let text = format!("`{name}`: {rows} rows have no `{field}`; they are read again by every sync.");
        reading.warn(text)?;
    }
    Ok(())
}

/// Reads the rows from the lower bound on in the order of the cursor field, and stores on the way how far that has come. Gives
/// the last value.
fn read_in_order(
    reading: &mut Reading<'_>,
    field: &str,
    identity: &Order,
    from: Option<Stored>,
) -> Result<Option<Stored>, Trouble> {
    let order = identity.behind_column(field);
    let columns = order.columns();
    let (table, sequence) = (quoted(&reading.table.name), order.sequence());
    let row = format!("SELECT {} FROM {table} WHERE {}", reading.selected(), identity.at());
    // Where the order must be made by sorting, it is not made anew for each batch.
    let lets_go = is_indexed(reading.database, &reading.table, field)?;
    let mut through = from.clone();
    let mut place: Option<Vec<Stored>> = None;
    loop {
        let (condition, parameters) = match (&place, &from) {
            (Some(place), _) => (order.behind(), place.clone()),
            (None, Some(from)) => (format!("{} >= ?1", quoted(field)), vec![from.clone()]),
            (None, None) => (format!("{} IS NOT NULL", quoted(field)), Vec::new()),
        };
        let sql = format!("SELECT {columns} FROM {table} WHERE {condition} ORDER BY {sequence}");
        reading.enter()?;
        let database = reading.database;
        let mut wanted = database.prepare(&sql)?;
        let mut rows = database.prepare(&row)?;
        let mut places =
            wanted.query(params_from_iter(&parameters)).map_err(|error| database.trouble(error))?;
        let mut is_cut = false;
        while let Some(next) = places.next().map_err(|error| database.trouble(error))? {
            let values = (0..=identity.len()).map(|index| Ok(Stored::new(next.get_ref(index)?)));
            let values = values.collect::<rusqlite::Result<Option<Vec<_>>>>();
            let at = values.map_err(|error| database.trouble(error))?.ok_or_else(no_place)?;
            let is_full = fetch(reading, &mut rows, &at[1..])?;
            if !at[0].is_infinite() {
                through = Some(at[0].clone());
            }
            if is_full && lets_go && !database.may_be_held() {
                (place, is_cut) = (Some(at), true);
                break;
            }
            if is_full {
                reading.send(on_the_way(reading, through.as_ref()))?;
            }
        }
        drop(places);
        drop((wanted, rows));
        database.leave()?;
        if !is_cut {
            return Ok(through);
        }
        reading.send(on_the_way(reading, through.as_ref()))?;
    }
}

/// Reads one row. Whether the batch is to be sent now.
fn fetch(
    reading: &mut Reading<'_>,
    statement: &mut Statement<'_>,
    place: &[Stored],
) -> Result<bool, Trouble> {
    let database = reading.database;
    let mut rows = statement.query(params_from_iter(place)).map_err(|error| database.trouble(error))?;
    match rows.next() {
        Ok(Some(row)) => reading.take(row),
        Ok(None) => Err(no_place().into()),
        Err(error) if error.sqlite_error_code() == Some(ErrorCode::TooBig) => {
            reading.refuse_large(place);
            Ok(false)
        }
        Err(error) => Err(database.trouble(error)),
    }
}

/// The cursor when reading has come to a value, but not to the end.
fn on_the_way(reading: &Reading<'_>, through: Option<&Stored>) -> Option<serde_json::Value> {
    let mut cursor = Cursor { through: through.cloned(), ..reading.now.clone() };
    // Whatever the files look like, there is more to read.
    cursor.files.settled = false;
    through.is_none_or(Stored::is_small).then(|| cursor::to_value(&cursor))
}
