//! Looking at checkpoints, and changing them while no run is under way.

use std::collections::BTreeMap;

use inlet_model::{ConnectorId, Scope, StreamName, SyncId};
use serde_json::Value;

use super::block::{ScopeId, StreamId};
use super::error::{Outcome, Trouble};
use super::scopes::{self, Listing, ScopeRow, from_json, to_json};
use super::seen::SeenSets;
use super::streams::{self, StreamRow};
use super::writer::Writer;
use super::{runs, streams::id_bytes};
use crate::collection::{Checkpoint, CheckpointEffect, ScopeListing, StreamCursors};
use crate::sql::{Session, params};

/// A page of checkpoints.
pub(super) fn page(
    connection: &dyn Session,
    connector_id: ConnectorId,
    stream: Option<&StreamName>,
    after: Option<&(StreamName, Scope)>,
    limit: usize,
) -> Outcome<Vec<Checkpoint>> {
    // No stream has an empty name: this stands before every scope of every stream.
    let (after_stream, after_scope) =
        after.map_or(("", ""), |(stream, scope)| (stream.as_str(), scope.as_str()));
    let found = connection.rows(
        "SELECT stream_id, store_streams.name, store_scopes.scope_id FROM store_streams
         JOIN store_scopes USING (store, stream_id)
         WHERE store = ?0 AND store_streams.connector_id = ?1 AND store_streams.name = coalesce(?2, store_streams.name)
             AND (store_streams.name, store_scopes.name) > (?3, ?4)
         ORDER BY store_streams.name, store_scopes.name LIMIT ?5",
        params![
            id_bytes(connector_id.as_u128()),
            stream.map(StreamName::as_str),
            after_stream,
            after_scope,
            i64::try_from(limit).unwrap_or(i64::MAX)
        ],
        |columns| Ok((StreamId(columns.plain()?), streams::read_name(columns)?, ScopeId(columns.plain()?))),
    )?;
    let shown = |(stream, name, scope)| {
        let scope = scopes::get(connection, stream, scope)?
            .ok_or(Trouble::Damaged("a scope that was found is not there"))?;
        checkpoint(name, scope)
    };
    found.into_iter().map(shown).collect()
}

fn checkpoint(stream: StreamName, row: ScopeRow) -> Outcome<Checkpoint> {
    let listing = match &row.listing {
        Listing::None => None,
        Listing::Open(open) => Some(ScopeListing::Open {
            generation: open.generation,
            position: from_json(open.position.as_deref())?,
            seen: open.seen,
        }),
        Listing::Complete(_) => Some(ScopeListing::Complete),
        Listing::Gone { .. } => Some(ScopeListing::Gone),
    };
    Ok(Checkpoint {
        stream,
        records: row.records,
        cursor: from_json(row.cursor.as_deref())?,
        listed_by: (row.listed_by > 0).then_some(row.listed_by),
        listing,
        scope: row.name,
    })
}

/// Sets the cursors of streams.
pub(super) fn set(
    writer: &mut Writer,
    connector_id: ConnectorId,
    wanted: &[StreamCursors],
) -> Outcome<CheckpointEffect> {
    writer.transact(|tx, memory| {
        if let Some(sync_id) = holder(tx, connector_id)? {
            return Ok(CheckpointEffect::Held(sync_id));
        }
        for StreamCursors { stream, cursors } in wanted {
            let row = match streams::find(tx, connector_id, stream)? {
                Some(row) => row,
                None => streams::create(tx, connector_id, stream, streams::NO_SHAPE)?,
            };
            set_stream(tx, &mut memory.seen, row, cursors)?;
        }
        Ok(CheckpointEffect::Changed)
    })
}

fn set_stream(
    connection: &dyn Session,
    seen: &mut SeenSets,
    mut stream: StreamRow,
    wanted: &BTreeMap<Scope, Option<Value>>,
) -> Outcome<()> {
    let mut new = wanted.clone();
    for mut scope in scopes::all(connection, stream.id)? {
        let named = new.remove(&scope.name);
        let cursor = to_json(named.as_ref().and_then(Option::as_ref));
        match &mut scope.listing {
            Listing::None => {}
            Listing::Open(_) => {
                scope.listing = Listing::None;
                seen.remove(connection, (stream.id, scope.id))?;
            }
            Listing::Complete(listing) => listing.cursor.clone_from(&cursor),
            Listing::Gone { .. } if named.is_some() => scope.listing = Listing::None,
            Listing::Gone { .. } => {}
        }
        scope.cursor = cursor;
        scopes::save(connection, stream.id, &scope)?;
    }
    for (name, cursor) in new {
        let cursor = to_json(cursor.as_ref());
        let scope = ScopeRow { cursor, ..stream.new_scope(&name) };
        scopes::save(connection, stream.id, &scope)?;
    }
    streams::save(connection, &stream)
}

/// Forgets how far streams were read.
pub(super) fn reset(
    writer: &mut Writer,
    connector_id: ConnectorId,
    stream: Option<&StreamName>,
) -> Outcome<CheckpointEffect> {
    const ALL: usize = i64::MAX as usize;
    writer.transact(|tx, memory| {
        if let Some(sync_id) = holder(tx, connector_id)? {
            return Ok(CheckpointEffect::Held(sync_id));
        }
        for mut stream in streams::matching(tx, Some(connector_id), stream)? {
            memory.seen.forget_stream(stream.id);
            scopes::forget_seen(tx, stream.id, ALL)?;
            scopes::forget_reading(tx, stream.id, ALL)?;
            stream.swept_through = None;
            stream.schema.forget();
            streams::save(tx, &stream)?;
        }
        Ok(CheckpointEffect::Changed)
    })
}

/// The sync whose run holds the connector and has not ended.
fn holder(connection: &dyn Session, connector_id: ConnectorId) -> Outcome<Option<SyncId>> {
    let hold = runs::hold(connection, connector_id)?;
    let Some(sync_id) = hold.filter(|hold| !hold.closed).and_then(|hold| hold.sync_id) else {
        return Ok(None);
    };
    let run = runs::load(connection, sync_id)?;
    Ok(run.filter(|run| run.outcome.is_none()).map(|run| run.sync_id))
}
