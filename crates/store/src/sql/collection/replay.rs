//! Records that a sync refused are to be read again.

use std::collections::BTreeMap;

use inlet_model::{StreamName, SyncId};

use super::error::{Outcome, Trouble};
use super::inbox::Stated;
use super::scopes::{self, Listing, ScopeRow};
use super::seen::SeenSets;
use super::streams::{self, StreamRow, id_bytes, read_name};
use super::writer::Writer;
use super::{inbox, runs};
use crate::collection::{Replay, StreamProgress};
use crate::sql::{Session, params};

/// One push of what is pushed again has about so many bytes.
const PUSH_BYTES: usize = 4 << 20;

/// Prepares for it; gives the streams.
pub(super) fn replay(writer: &mut Writer, replay: &Replay) -> Outcome<Vec<StreamName>> {
    let streams = writer.transact(|tx, memory| {
        let hold = runs::hold(tx, replay.connector_id)?;
        if hold.is_some_and(|hold| hold.closed || hold.fence >= replay.fence) {
            return Err(Trouble::Fenced);
        }
        let run = runs::load(tx, replay.refused_by)?.filter(|run| run.connector_id == replay.connector_id);
        let mut streams = match run {
            None => Vec::new(),
            Some(_) if replay.pushed => push_again(tx, replay)?,
            Some(run) => list_again(tx, &mut memory.seen, replay, &run.streams)?,
        };
        streams.sort();
        Ok(streams)
    })?;
    Ok(streams)
}

/// Lets the scopes be listed in which records were refused.
fn list_again(
    connection: &dyn Session,
    seen: &mut SeenSets,
    replay: &Replay,
    of_run: &[StreamProgress],
) -> Outcome<Vec<StreamName>> {
    let refusing = of_run.iter().filter(|progress| progress.counts.rejected > 0);
    let mut streams = Vec::new();
    for StreamProgress { name, counts, .. } in refusing {
        streams.push(name.clone());
        let Some(stream) = streams::find(connection, replay.connector_id, name)? else { continue };
        for scope in concerned(connection, replay.refused_by, &stream, counts.rejected)? {
            list_anew(connection, seen, &stream, scope)?;
        }
    }
    Ok(streams)
}

/// The scopes in which the sync refused records: all of them, where not every refusal is kept.
fn concerned(
    connection: &dyn Session,
    sync_id: SyncId,
    stream: &StreamRow,
    refused: u64,
) -> Outcome<Vec<ScopeRow>> {
    let rows = connection.rows(
        "SELECT scope, count(*) FROM store_rejected WHERE store = ?0 AND sync_id = ?1 AND stream = ?2 GROUP BY scope",
        params![id_bytes(sync_id.as_u128()), stream.name.as_str()],
        |columns| Ok((columns.plain::<String>()?, columns.unsigned()?)),
    )?;
    let kept: BTreeMap<String, u64> = rows.into_iter().collect();
    let all_are_kept = kept.values().sum::<u64>() >= refused;
    let mut scopes = scopes::all(connection, stream.id)?;
    scopes.retain(|scope| !all_are_kept || kept.contains_key(scope.name.as_str()));
    Ok(scopes)
}

/// What waits for a sweep goes on waiting.
fn list_anew(
    connection: &dyn Session,
    seen: &mut SeenSets,
    stream: &StreamRow,
    mut scope: ScopeRow,
) -> Outcome<()> {
    scope.cursor = None;
    scope.listed_by = 0;
    scope.settled_by = 0;
    match &mut scope.listing {
        Listing::Open(_) => {
            scope.listing = Listing::None;
            seen.remove(connection, (stream.id, scope.id))?;
        }
        Listing::Complete(listing) => listing.cursor = None,
        Listing::None | Listing::Gone { .. } => {}
    }
    scopes::save(connection, stream.id, &scope)
}

/// Puts back into the inbox what was kept whole.
fn push_again(connection: &dyn Session, replay: &Replay) -> Outcome<Vec<StreamName>> {
    let id = id_bytes(replay.refused_by.as_u128());
    let mut pushes: BTreeMap<(StreamName, Stated), Vec<u8>> = BTreeMap::new();
    let mut streams: Vec<StreamName> = Vec::new();
    let mut after = 0_i64;
    // One at a time: together they may be as many bytes as are kept whole of a sync.
    while let Some((seq, stream, stated, line)) = connection.row_if_any(
        "SELECT seq, stream, key_fields, masking, line FROM store_rejected_pushes
         WHERE store = ?0 AND sync_id = ?1 AND seq > ?2 ORDER BY seq LIMIT 1",
        params![id, after],
        |columns| {
            let (seq, stream) = (columns.plain()?, read_name(columns)?);
            let stated = Stated { key_fields: columns.plain()?, masking: columns.plain()? };
            Ok((seq, stream, stated, columns.plain::<Vec<u8>>()?))
        },
    )? {
        after = seq;
        if !streams.contains(&stream) {
            streams.push(stream.clone());
        }
        let lines = pushes.entry((stream.clone(), stated.clone())).or_default();
        lines.extend_from_slice(&line);
        lines.push(b'\n');
        if lines.len() >= PUSH_BYTES {
            let lines = std::mem::take(lines);
            inbox::put(connection, replay.connector_id, &stream, &stated, &lines)?;
        }
    }
    for ((stream, stated), lines) in pushes.iter().filter(|(_, lines)| !lines.is_empty()) {
        inbox::put(connection, replay.connector_id, stream, stated, lines)?;
    }
    connection.execute("DELETE FROM store_rejected_pushes WHERE store = ?0 AND sync_id = ?1", params![id])?;
    Ok(streams)
}
