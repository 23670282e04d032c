//! What the sweeps that wait would delete: counted, listed, approved and taken back.

use std::collections::HashMap;

use inlet_model::ConnectorId;
use inlet_model::log::{LogLevel, NewLogLine};
use inlet_model::sync::Outcome as RunOutcome;

use super::block::{ScopeId, StreamId};
use super::error::{Outcome, Trouble};
use super::key_row::KeyRow;
use super::keys;
use super::records::{self, Slot};
use super::scopes::{self, Fate, Listing, ScopeRow};
use super::seen::SeenSet;
use super::streams::{self, StreamRow};
use super::tables::{Tables, Walked};
use super::writer::Writer;
use super::{finish, runs};
use crate::collection::{
    ApproveDeletes, CancelFlag, DeletesQuery, DropDeletes, FinishRun, RecordCursor, RecordPage, StreamDeletes,
};
use crate::fault;
use crate::sql::Session;

/// What the sweeps of the connector's streams would delete.
pub(super) fn pending(connection: &dyn Session, connector_id: ConnectorId) -> Outcome<Vec<StreamDeletes>> {
    let mut found = Vec::new();
    for stream in streams::matching(connection, Some(connector_id), None)? {
        let unswept = scopes::unswept(connection, stream.id)?;
        if !unswept.is_empty() {
            found.push(count(stream, &unswept));
        }
    }
    Ok(found)
}

fn count(stream: StreamRow, unswept: &[ScopeRow]) -> StreamDeletes {
    let mut sum = StreamDeletes::none(stream.name, stream.records);
    for scope in unswept {
        let (records, approved) = match &scope.listing {
            Listing::Complete(listing) => {
                match listing.fate {
                    Fate::Goes => {}
                    _ if listing.approved => {}
                    Fate::IfAbsent => sum.if_absent += listing.unseen,
                    Fate::IfApproved => sum.if_approved += listing.unseen,
                }
                (listing.unseen, listing.approved)
            }
            Listing::Gone { approved } => (scope.records, *approved),
            Listing::None | Listing::Open(_) => continue,
        };
        *(if approved { &mut sum.approved } else { &mut sum.records }) += records;
    }
    sum
}

/// A page of the records that the sweeps would delete.
pub(super) fn page(connection: &dyn Tables, query: &DeletesQuery) -> Outcome<RecordPage> {
    let streams = streams::matching(connection, Some(query.connector_id), query.stream.as_ref())?;
    let behind = query.after.as_ref().map(|cursor| keys::split(&cursor.0).ok_or(NOT_OURS)).transpose()?;
    let first = match behind {
        Some((stream, _)) => streams.iter().position(|row| row.id == stream).ok_or(NOT_OURS)?,
        None => 0,
    };
    let mut search = Search { connection, query, slots: Vec::new(), looked_at: 0, last: None };
    let mut from = query.after.as_ref().map(|RecordCursor(filed)| [filed.as_slice(), &[0]].concat());
    for stream in &streams[first..] {
        let from = from.take().unwrap_or_else(|| keys::range_of(stream.id).start);
        if !search.stream(stream, from)? {
            break;
        }
    }
    let Search { slots, last, .. } = search;
    let page = records::fill(connection, slots, query.max_bytes, false)?;
    Ok(RecordPage { next: page.next.or(last.map(RecordCursor)), records: page.records })
}

const NOT_OURS: Trouble = Trouble::Broken("the place is none of this connector");

/// The search for records that would go.
struct Search<'a> {
    connection: &'a dyn Tables,
    query: &'a DeletesQuery,
    slots: Vec<Slot<'a>>,
    looked_at: usize,
    /// Where the search ended, unless it is through.
    last: Option<Vec<u8>>,
}

impl<'a> Search<'a> {
    /// Goes through a stream; whether to go on with the next.
    fn stream(&mut self, stream: &'a StreamRow, from: Vec<u8>) -> Outcome<bool> {
        let unswept = scopes::unswept(self.connection, stream.id)?;
        if unswept.is_empty() {
            return Ok(true);
        }
        let mut waiting = Waiting::new(stream.id, unswept);
        let walked = [Walked { stream: stream.id, from }];
        self.connection.walk(&walked, &mut |step| {
            self.looked_at += 1;
            let goes = waiting.holds(self.connection, &step.row)?;
            if goes {
                self.slots.push(Slot::of(stream, step.filed.clone(), step.row.change));
            }
            let is_enough = self.slots.len() >= self.query.limit || self.looked_at >= self.query.max_keys;
            self.last = is_enough.then_some(step.filed);
            Ok(!is_enough)
        })?;
        Ok(self.last.is_none())
    }
}

/// The records of a stream that wait for its sweep.
#[derive(Debug)]
pub(super) struct Waiting {
    stream: StreamId,
    scopes: HashMap<ScopeId, ScopeRow>,
    /// What their listings saw, each read when it is first asked for.
    seen: HashMap<ScopeId, SeenSet>,
}

impl Waiting {
    /// Those in these scopes, which are to be swept.
    pub(super) fn new(stream: StreamId, unswept: Vec<ScopeRow>) -> Self {
        let scopes = unswept.into_iter().map(|scope| (scope.id, scope)).collect();
        Self { stream, scopes, seen: HashMap::new() }
    }

    /// Whether the record is among them.
    pub(super) fn holds(&mut self, connection: &dyn Session, record: &KeyRow) -> Outcome<bool> {
        let Some(scope) = self.scopes.get(&record.scope) else { return Ok(false) };
        let Listing::Complete(listing) = &scope.listing else {
            return Ok(matches!(scope.listing, Listing::Gone { .. }));
        };
        if record.change >= listing.first_change {
            return Ok(false);
        }
        if !self.seen.contains_key(&record.scope) {
            let set = SeenSet::load(connection, (self.stream, record.scope))?;
            self.seen.insert(record.scope, set);
        }
        Ok(!self.seen[&record.scope].contains(record.change))
    }
}

/// Approves what waits in the streams.
pub(super) fn approve(writer: &mut Writer, approve: &ApproveDeletes) -> Outcome<()> {
    writer.transact(|tx, _| {
        runs::held(tx, approve.connector_id, approve.fence, approve.sync_id)?;
        for name in &approve.streams {
            if let Some(stream) = streams::find(tx, approve.connector_id, name)? {
                scopes::approve(tx, stream.id)?;
            }
        }
        fault::point("deletes.approve.before");
        Ok(())
    })?;
    fault::point("deletes.approve.after");
    Ok(())
}

/// Takes back some of what waits in the streams of a run, which ends; whether nothing is left.
pub(super) fn drop_some(writer: &mut Writer, step: &DropDeletes) -> Outcome<bool> {
    let done = writer.transact(|tx, memory| {
        let hold = runs::hold(tx, step.connector_id)?.filter(|hold| !hold.closed);
        let Some(hold) = hold.filter(|hold| hold.sync_id == Some(step.sync_id)) else { return Ok(true) };
        // Before anything is taken back: a stream of which something waits is not complete.
        let run = finish::end(
            tx,
            FinishRun {
                sync_id: step.sync_id,
                connector_id: step.connector_id,
                fence: hold.fence,
                outcome: RunOutcome::Cancelled,
                failure: None,
                lines: vec![NewLogLine::new(
                    LogLevel::Info,
                    "sync.discarded",
                    "What the sync would have deleted stays.",
                )],
                cancel: CancelFlag::default(),
                now: step.now,
            },
        )?;
        let mut left = step.max_rows.max(1);
        for progress in &run.streams {
            let Some(mut stream) = streams::find(tx, step.connector_id, &progress.name)? else { continue };
            memory.seen.forget_stream(stream.id);
            left -= scopes::drop_unswept(tx, stream.id, left)?;
            if left > 0 {
                left -= scopes::forget_seen_of_none(tx, stream.id, left)?;
            }
            if stream.swept_through.take().is_some() {
                streams::save(tx, &stream)?;
            }
            if left == 0 {
                break;
            }
        }
        fault::point("deletes.drop.before");
        Ok(left > 0)
    })?;
    fault::point("deletes.drop.after");
    Ok(done)
}
