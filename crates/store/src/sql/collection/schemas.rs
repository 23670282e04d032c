//! Schemas in the collection's file: a row for each version.

use inlet_model::schema::Schema;
use inlet_model::{SyncId, Timestamp};

use super::block::StreamId;
use super::error::{Outcome, Trouble};
use super::streams::{self, StreamRow, id_bytes, read_name};
use crate::collection::{KnownSchema, SchemaVersion, SchemasQuery};
use crate::sql::{Session, params};

/// So many versions of a stream are kept, the newest.
const KEPT: u64 = 100;

/// What is known of a stream's schema.
pub(super) fn known(connection: &dyn Session, stream: &StreamRow) -> Outcome<KnownSchema> {
    let place = stream.schema;
    let mut known =
        KnownSchema { version: place.version, is_learned: place.is_learned, ..Default::default() };
    if place.version > place.forgotten {
        let stored = connection.row_if_any(
            "SELECT fields FROM store_schemas WHERE store = ?0 AND stream_id = ?1 AND version = ?2",
            params![stream.id.0, place.version as i64],
            |columns| columns.json(),
        )?;
        known.schema = stored.ok_or(Trouble::Damaged("the schema of a stream is not there"))?;
    }
    Ok(known)
}

/// Makes the next version; the stream is to be saved.
pub(super) fn add(
    connection: &dyn Session,
    stream: &mut StreamRow,
    sync_id: SyncId,
    at: Timestamp,
    schema: &Schema,
) -> Outcome<()> {
    stream.schema.version += 1;
    let version = stream.schema.version;
    let fields = serde_json::to_string(schema).map_err(|_| Trouble::Broken("a schema is no JSON"))?;
    connection.execute(
        "INSERT INTO store_schemas (store, stream_id, version, sync_id, at_us, fields) VALUES (?0, ?1, ?2, ?3, ?4, ?5)",
        params![stream.id.0, version as i64, id_bytes(sync_id.as_u128()), at.as_micros(), fields],
    )?;
    connection.execute(
        "DELETE FROM store_schemas WHERE store = ?0 AND stream_id = ?1 AND version <= ?2",
        params![stream.id.0, version.saturating_sub(KEPT) as i64],
    )?;
    Ok(())
}

/// The versions that are asked for.
pub(super) fn list(connection: &dyn Session, query: &SchemasQuery) -> Outcome<Vec<SchemaVersion>> {
    let mut found = Vec::new();
    for stream in streams::matching(connection, Some(query.connector_id), query.stream.as_ref())? {
        let after = query.after.as_ref();
        if after.is_some_and(|(name, _)| stream.name < *name) {
            continue;
        }
        let below = after.filter(|(name, _)| stream.name == *name).map(|(_, version)| *version);
        let first = if query.stream.is_some() { 0 } else { stream.schema.version };
        found.extend(versions(connection, stream.id, first, below, query.limit - found.len())?);
        if found.len() == query.limit {
            break;
        }
    }
    Ok(found)
}

/// Versions of one stream from `first` on, the newest first, below `below`.
fn versions(
    connection: &dyn Session,
    stream: StreamId,
    first: u64,
    below: Option<u64>,
    limit: usize,
) -> Outcome<Vec<SchemaVersion>> {
    let below = below.and_then(|below| i64::try_from(below).ok()).unwrap_or(i64::MAX);
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    Ok(connection.rows(
        "SELECT store_streams.name, version, sync_id, at_us, fields FROM store_schemas JOIN store_streams USING (store, stream_id)
         WHERE store = ?0 AND stream_id = ?1 AND version >= ?2 AND version < ?3 ORDER BY version DESC LIMIT ?4",
        params![stream.0, first as i64, below, limit],
        |columns| {
            Ok(SchemaVersion {
                stream: read_name(columns)?,
                version: columns.unsigned()?,
                sync_id: SyncId::from_u128(columns.id()?),
                at: columns.time()?,
                schema: columns.json()?,
            })
        },
    )?)
}
