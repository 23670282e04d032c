//! What was sent by the sources, and what of it was written by whom: the facts behind most invariants.

use std::collections::{BTreeMap, BTreeSet};

use inlet_model::{Clock, ConnectorId, Scope, StoreId, StreamName, SyncId, Timestamp};
use inlet_store::collection::{Commit, Fence, Item};
use serde_json::Value;

use super::invariants::Invariant;
use super::truth::{all_scopes, decoded};
use super::world::World;

/// Records as they are sent: key and data.
pub(crate) type Sent = Vec<(Vec<u8>, Vec<u8>)>;

/// Each data that was sent for each key.
type ByKey<'a> = BTreeMap<&'a [u8], BTreeSet<&'a [u8]>>;

/// The facts.
#[derive(Debug, Default)]
pub(crate) struct Writes {
    /// The last claim of each connector.
    pub(crate) claims: BTreeMap<ConnectorId, Fence>,
    /// The greatest fence under which a run of each connector has begun.
    begun: BTreeMap<ConnectorId, Fence>,
    ended: BTreeSet<SyncId>,
    /// When each attempt began.
    attempts: BTreeMap<(SyncId, Fence), Timestamp>,
    /// When the attempt began that opened the last listing of each scope, or that found it gone.
    listings: BTreeMap<(ConnectorId, StreamName, Scope), Timestamp>,
    /// Records that are committed, by the number each was sent with.
    committed: BTreeSet<u64>,
    /// Records that each sync has committed.
    read: BTreeMap<SyncId, u64>,
    /// Records and checkpoints, as they were sent.
    numbers: u64,
    /// The read that each checkpoint belongs to.
    readings: BTreeMap<u64, Reading>,
    /// What each checkpoint of each read covers beyond the one before it.
    covered: BTreeMap<(u64, u64), Sent>,
}

/// One read of one scope.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reading {
    pub(crate) number: u64,
    pub(crate) stream: StreamName,
    pub(crate) scope: Scope,
}

/// Who writes, by the claim that it was given.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Author {
    pub(crate) sync_id: SyncId,
    pub(crate) connector_id: ConnectorId,
    pub(crate) fence: Fence,
}

/// What a commit holds, noted before it goes to the store.
#[derive(Debug, Default)]
pub(crate) struct Contents {
    records: Vec<u64>,
    checkpoints: Vec<u64>,
    /// Scopes of which a listing begins, or which are gone.
    listings: Vec<(StreamName, Scope)>,
}

impl Contents {
    pub(crate) fn of(commit: &Commit) -> Self {
        let mut contents = Self::default();
        for item in &commit.items {
            match item {
                Item::Listing { stream, scope } => contents.listings.push((stream.clone(), scope.clone())),
                Item::Scopes { stream, scopes } => {
                    let gone = all_scopes().filter(|scope| !scopes.contains(scope));
                    contents.listings.extend(gone.map(|scope| (stream.clone(), scope)));
                }
                Item::Batch { batch, checkpoint } => {
                    contents.records.extend(batch.entries().map(|entry| entry.position));
                    contents.checkpoints.extend(checkpoint.as_ref().and_then(number_of));
                }
                Item::Complete { cursor, .. } => {
                    contents.checkpoints.extend(cursor.as_ref().and_then(number_of));
                }
                Item::Unchanged { .. }
                | Item::InboxTaken { .. }
                | Item::Schema { .. }
                | Item::StreamEnd { .. }
                | Item::Log(_) => {}
            }
        }
        contents
    }
}

fn number_of(checkpoint: &Value) -> Option<u64> {
    checkpoint["n"].as_u64()
}

impl Writes {
    /// A number for the next record, checkpoint or read.
    pub(crate) fn next_number(&mut self) -> u64 {
        self.numbers += 1;
        self.numbers
    }

    /// A checkpoint is about to be sent behind these records.
    pub(crate) fn cover(&mut self, reading: Reading, records: Sent) -> u64 {
        let number = self.next_number();
        self.covered.insert((reading.number, number), records);
        self.readings.insert(number, reading);
        number
    }

    /// The greatest fence under which a run of the connector has begun.
    pub(crate) fn greatest_fence(&self, connector_id: ConnectorId) -> Option<Fence> {
        self.begun.get(&connector_id).copied()
    }

    /// Since when a scope has been listed, or been known to be gone.
    pub(crate) fn listing_began(
        &self,
        connector_id: ConnectorId,
        stream: &StreamName,
        scope: &Scope,
    ) -> Option<Timestamp> {
        self.listings.get(&(connector_id, stream.clone(), scope.clone())).copied()
    }

    /// The last of these checkpoints in each read.
    fn last_of_each_read(&self, checkpoints: &[u64]) -> Vec<u64> {
        let read_of = |number: &u64| self.readings.get(number).map(|reading| (reading.number, *number));
        checkpoints.iter().filter_map(read_of).collect::<BTreeMap<_, _>>().into_values().collect()
    }

    /// Everything that was sent up to a checkpoint, in its read: key → each data sent.
    fn sent_before(&self, checkpoint: u64) -> Option<(&Reading, ByKey<'_>)> {
        let reading = self.readings.get(&checkpoint)?;
        let mut sent = ByKey::new();
        let of_read = self.covered.range((reading.number, 0)..=(reading.number, checkpoint));
        for (key, data) in of_read.flat_map(|(_, records)| records) {
            sent.entry(key).or_default().insert(data);
        }
        Some((reading, sent))
    }
}

impl World {
    /// A run was begun, or goes on.
    pub(crate) fn note_begun(&self, author: Author) {
        let now = self.clock.now();
        let mut state = self.state();
        let greatest = state.writes.begun.entry(author.connector_id).or_insert(author.fence);
        *greatest = (*greatest).max(author.fence);
        state.writes.attempts.entry((author.sync_id, author.fence)).or_insert(now);
        drop(state);
        self.check_right(author);
    }

    /// A connector was closed: no fence is great enough any more.
    pub(crate) fn note_closed(&self, connector_id: ConnectorId) {
        self.state().writes.begun.insert(connector_id, Fence(u64::MAX));
    }

    /// A run has ended.
    pub(crate) fn note_ended(&self, author: Author) {
        self.state().writes.ended.insert(author.sync_id);
    }

    /// A commit is durable.
    pub(crate) fn note_commit(&self, store_id: StoreId, author: Author, contents: &Contents) {
        self.check_right_to_change(author);
        let mut state = self.state();
        let writes = &mut state.writes;
        let began = writes.attempts.get(&(author.sync_id, author.fence)).copied();
        let began = began.unwrap_or(Timestamp::from_micros(0));
        for (stream, scope) in &contents.listings {
            writes.listings.insert((author.connector_id, stream.clone(), scope.clone()), began);
        }
        *writes.read.entry(author.sync_id).or_default() += contents.records.len() as u64;
        let twice = contents.records.iter().find(|number| !writes.committed.insert(**number)).copied();
        let checkpoints = writes.last_of_each_read(&contents.checkpoints);
        drop(state);
        self.check(twice.is_none(), Invariant::CommittedOnce, || {
            format!("{} committed the record sent as number {twice:?} twice", author.sync_id)
        });
        self.look_at_changes(store_id, Some(author.sync_id));
        checkpoints.into_iter().for_each(|number| self.check_checkpoint(store_id, author, number));
        self.check_counters(store_id, author);
    }

    /// A step of a sweep is durable.
    pub(crate) fn note_sweep(&self, store_id: StoreId, author: Author, stream: &StreamName, deleted: u64) {
        self.look_at_changes(store_id, Some(author.sync_id));
        if deleted > 0 {
            self.check_right_to_change(author);
            let state = self.state();
            let is_empty = state.held[&store_id].of(author.connector_id, stream).is_empty();
            let is_approved = state.approved.contains(&author.connector_id);
            drop(state);
            self.check(!is_empty || is_approved, Invariant::Approval, || {
                format!("{} has emptied {stream}, and nobody approved it", author.sync_id)
            });
        }
        self.check_counters(store_id, author);
    }

    fn check_right_to_change(&self, author: Author) {
        self.check_right(author);
        let cancelled = self.state().cancelled.contains(&author.sync_id);
        self.check(!cancelled, Invariant::Cancel, || {
            format!("{} wrote after its cancel was acknowledged", author.sync_id)
        });
    }

    fn check_right(&self, author: Author) {
        let state = self.state();
        let greatest = state.writes.greatest_fence(author.connector_id);
        let has_ended = state.writes.ended.contains(&author.sync_id);
        drop(state);
        self.check(greatest <= Some(author.fence) && !has_ended, Invariant::Fence, || {
            format!("{author:?} wrote; the greatest is {greatest:?}, and that it has ended is {has_ended}")
        });
    }

    /// Everything that was sent before a committed checkpoint is there.
    fn check_checkpoint(&self, store_id: StoreId, author: Author, checkpoint: u64) {
        let state = self.state();
        let Some((reading, sent)) = state.writes.sent_before(checkpoint) else { return };
        let held = &state.held[&store_id].records;
        let missing = sent.into_iter().find(|(key, data)| {
            let found = held.get(&(author.connector_id, reading.stream.clone(), key.to_vec()));
            !found.is_some_and(|found| data.contains(found.as_slice()))
        });
        let missing = missing.map(|(key, data)| {
            let place = (author.connector_id, reading.stream.clone(), key.to_vec());
            let text = |data: &[u8]| String::from_utf8_lossy(data).into_owned();
            let found = held.get(&place).map(|data| text(data));
            (decoded(key), data.into_iter().map(text).collect::<Vec<_>>(), found)
        });
        drop(state);
        self.check(missing.is_none(), Invariant::CheckpointBehind, || {
            format!(
                "the checkpoint {checkpoint} of {} covers {missing:?}, which is not there",
                author.sync_id
            )
        });
    }

    /// The run counts what it committed.
    fn check_counters(&self, store_id: StoreId, author: Author) {
        let run = self.backends.block_on(async {
            let store = self.backends.stores().open(store_id).await.unwrap();
            store.run(author.sync_id).await.unwrap()
        });
        let Some(run) = run else {
            return self.check(false, Invariant::Counters, || format!("{} has no run", author.sync_id));
        };
        let state = self.state();
        let made = state.held[&store_id].made_by(author.sync_id);
        let read = state.writes.read.get(&author.sync_id).copied().unwrap_or(0);
        drop(state);
        let mut sum = inlet_model::Counts::default();
        run.streams.iter().for_each(|stream| sum += stream.counts);
        let counts = run.counts;
        let agrees =
            (counts.created, counts.updated, counts.deleted) == (made.created, made.updated, made.deleted);
        self.check(
            counts.add_up() && counts == sum && agrees && counts.read == read,
            Invariant::Counters,
            || {
                format!(
                    "{} counts {counts:?}; its streams {sum:?}; it made {made:?} of {read}",
                    author.sync_id
                )
            },
        );
    }
}
