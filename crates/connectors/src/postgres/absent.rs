//! Asking for records by their keys: are they still there?

use std::collections::BTreeSet;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use inlet_model::key::{self, KeyPart};
use inlet_source::{SourceError, StreamRequest};

use super::client::refusal::Refusal;
use super::client::{Client, Next};
use super::config::Settings;
use super::convert::{RowWriter, key_fields};
use super::kinds::Kind;
use super::tables::{self, Column, Table, Wanted, quoted};

/// Keys that are asked for in one query.
const AT_ONCE: usize = 10_000;
/// No row of keys is larger, as it is sent.
const LARGEST: usize = 16 << 20;

/// Those of `keys` whose rows are still there.
pub(super) async fn still_there(
    settings: &Settings,
    stream: &StreamRequest,
    keys: Vec<Vec<u8>>,
) -> Result<BTreeSet<Vec<u8>>, SourceError> {
    let mut client = Client::connect(settings).await?;
    let found = tables::find(&mut client, &Wanted::Stream(stream.name.as_str())).await?.pop();
    // A table that is gone says nothing about its rows: it may be there again tomorrow.
    let Some(table) = found else { return Ok(keys.into_iter().collect()) };
    let fields = key_fields(&table, stream);
    let columns: Option<Vec<&Column>> = fields.iter().map(|field| table.column(field)).collect();
    let is_askable =
        |columns: &Vec<&Column>| !columns.is_empty() && columns.iter().all(|column| column.kind.is_askable());
    // Rows known by their content alone cannot be asked for.
    let Some(columns) = columns.filter(is_askable) else { return Ok(keys.into_iter().collect()) };
    let mut writer = RowWriter::of_keys(&table, fields)?;
    let mut there = BTreeSet::new();
    let mut parts: Vec<&[Vec<u8>]> = keys.chunks(AT_ONCE).collect();
    while let Some(part) = parts.pop() {
        match ask(&mut client, &table, &columns, &mut writer, part).await {
            Ok(found) => there.extend(found),
            Err(error) if is_of_values(&error) => {
                // One of the keys is no value of the column's type any more, and cannot be asked for. Which one?
                client.commit().await?;
                match part {
                    [key] => drop(there.insert(key.clone())),
                    part => parts.extend(<[_; 2]>::from(part.split_at(part.len() / 2))),
                }
            }
            Err(error) => return Err(error),
        }
    }
    Ok(there)
}

/// Whether the server refused a value.
fn is_of_values(error: &SourceError) -> bool {
    let cause = std::error::Error::source(error).and_then(|cause| cause.downcast_ref::<Refusal>());
    cause.is_some_and(|refusal| refusal.code.starts_with("22"))
}

async fn ask(
    client: &mut Client,
    table: &Table,
    columns: &[&Column],
    writer: &mut RowWriter,
    keys: &[Vec<u8>],
) -> Result<BTreeSet<Vec<u8>>, SourceError> {
    let (mut there, mut places) = (BTreeSet::new(), Vec::new());
    for key in keys {
        match place(key, columns) {
            Some(place) => places.push(place),
            // What cannot be asked for may be there.
            None => drop(there.insert(key.clone())),
        }
    }
    if places.is_empty() {
        return Ok(there);
    }
    let names = columns.iter().map(|column| quoted(&column.name)).collect::<Vec<_>>().join(", ");
    let (selected, from) = (writer.selected(), table.from());
    client.begin().await?;
    client
        .copy(&format!("SELECT {selected} FROM {from} WHERE ({names}) IN (VALUES {})", places.join(", ")))
        .await?;
    loop {
        match client.next(LARGEST).await? {
            Next::Row => there.extend(client.row().and_then(|row| writer.key(row))),
            Next::Large(_) => {}
            Next::End => break,
        }
    }
    client.commit().await?;
    Ok(there)
}

/// The values of a key as SQL writes them; `None` if the key is none of this table's.
fn place(encoded: &[u8], columns: &[&Column]) -> Option<String> {
    let parts = key::decode(encoded).ok().filter(|parts| parts.len() == columns.len())?;
    let values =
        parts.iter().zip(columns).map(|(part, column)| value(part, column)).collect::<Option<Vec<_>>>()?;
    Some(format!("({})", values.join(", ")))
}

fn value(part: &KeyPart<'_>, column: &Column) -> Option<String> {
    let text = match (part, &column.kind) {
        (KeyPart::Bool(value), Kind::Boolean) => value.to_string(),
        (KeyPart::Integer(value), Kind::Integer | Kind::Number) => value.to_string(),
        (KeyPart::Number(text), Kind::Integer | Kind::Number) => text.to_string(),
        (KeyPart::String(text), Kind::Bytes) => {
            let bytes = STANDARD.decode(text.as_bytes()).ok()?;
            bytes.iter().fold("\\x".to_owned(), |hex, byte| format!("{hex}{byte:02x}"))
        }
        // What has no end is spelled in lower case there; a year beyond 9999 without its sign.
        (KeyPart::String(text), Kind::Date | Kind::Moment { .. }) => match text.as_ref() {
            "Infinity" | "-Infinity" => text.to_ascii_lowercase(),
            text if text.starts_with('-') || text.starts_with("0000") => return None,
            text => text.trim_start_matches("+0").trim_start_matches('+').to_owned(),
        },
        (KeyPart::String(text), Kind::Number | Kind::Text | Kind::Uuid | Kind::TimeOfDay) => text.to_string(),
        _ => return None,
    };
    Some(column.literal(&text))
}
