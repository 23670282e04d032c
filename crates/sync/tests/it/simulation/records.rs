//! The records and the change feed of each collection, followed change by change.

use std::collections::BTreeMap;

use inlet_model::{Change, ChangeOp, ConnectorId, Counts, StoreId, StreamName, SyncId};
use inlet_store::collection::{ChangeCursor, ChangePage, RecordQuery};

use super::backends::Backends;
use super::invariants::Invariant;
use super::truth::{Character, decoded, scope_of};
use super::world::World;

/// More than a collection of a simulation ever holds at once.
const PAGE: usize = 500;
const PAGE_BYTES: usize = 1 << 20;

/// Whose record, of which stream, with which key.
pub(crate) type Place = (ConnectorId, StreamName, Vec<u8>);

/// What a collection holds after all changes that were seen.
#[derive(Debug, Default)]
pub(crate) struct Held {
    pub(crate) records: BTreeMap<Place, Vec<u8>>,
    seen: BTreeMap<u64, Change>,
    made_by: BTreeMap<SyncId, Counts>,
}

impl Held {
    fn last(&self) -> u64 {
        self.seen.last_key_value().map_or(0, |(number, _)| *number)
    }

    /// What a sync has created, updated and deleted.
    pub(crate) fn made_by(&self, sync_id: SyncId) -> Counts {
        self.made_by.get(&sync_id).copied().unwrap_or_default()
    }

    /// The records of a connector in a stream: key → data.
    pub(crate) fn of(&self, connector: ConnectorId, stream: &StreamName) -> BTreeMap<i64, Vec<u8>> {
        let own = self.records.iter().filter(|((by, of, _), _)| *by == connector && of == stream);
        own.map(|((_, _, key), data)| (decoded(key), data.clone())).collect()
    }
}

impl World {
    /// Follows the changes since the last look; all of them must be `by` that sync, or by none.
    pub(crate) fn look_at_changes(&self, store_id: StoreId, by: Option<SyncId>) {
        loop {
            let last = self.state().held[&store_id].last();
            let changes = self.changes_behind(store_id, ChangeCursor::behind(last));
            let found = changes.len();
            for change in changes {
                self.check(change.sync_id == by, Invariant::Fence, || {
                    format!("{by:?} wrote, and made {change:?}")
                });
                self.check(change.change > last, Invariant::Feed, || format!("{change:?} after {last}"));
                self.check_delete(store_id, &change);
                self.replay(store_id, change);
            }
            if found < PAGE {
                return;
            }
        }
    }

    fn changes_behind(&self, store_id: StoreId, cursor: ChangeCursor) -> Vec<Change> {
        let page = self.backends.block_on(async {
            let store = self.backends.stores().open(store_id).await.unwrap();
            store.changes(cursor, PAGE, PAGE_BYTES).await.unwrap()
        });
        match page {
            ChangePage::Changes { changes, .. } => changes,
            ChangePage::Expired { compacted_through } => {
                self.check(false, Invariant::Feed, || {
                    format!("all was seen, and {compacted_through} is said to be missed")
                });
                Vec::new()
            }
        }
    }

    fn replay(&self, store_id: StoreId, change: Change) {
        let mut state = self.state();
        let held = state.held.get_mut(&store_id).unwrap();
        let place = (change.connector_id, change.stream.clone(), change.key.clone());
        let before = match &change.data {
            Some(data) => held.records.insert(place, data.clone()),
            None => held.records.remove(&place),
        };
        if let Some(sync_id) = change.sync_id {
            let made = held.made_by.entry(sync_id).or_default();
            let counter = match change.op {
                ChangeOp::Created => &mut made.created,
                ChangeOp::Updated => &mut made.updated,
                ChangeOp::Deleted => &mut made.deleted,
            };
            *counter += 1;
        }
        let fits = match change.op {
            ChangeOp::Created => before.is_none() && change.data.is_some(),
            ChangeOp::Updated => before.is_some() && change.data.is_some() && before != change.data,
            ChangeOp::Deleted => before.is_some() && change.data.is_none(),
        };
        held.seen.insert(change.change, change.clone());
        drop(state);
        self.check(fits, Invariant::Replay, || format!("{change:?} of {before:?}"));
    }

    /// A sync deletes only what its source lacked at some time since the listing began that did not see it.
    fn check_delete(&self, store_id: StoreId, change: &Change) {
        if change.op != ChangeOp::Deleted {
            return;
        }
        let state = self.state();
        let Some(connector) = state.connectors.iter().find(|connected| connected.id == change.connector_id)
        else {
            return;
        };
        if change.sync_id.is_none() {
            let purged = connector.purged;
            drop(state);
            return self.check(purged, Invariant::JustPurges, || format!("in {store_id}: {change:?}"));
        }
        let (truth, id) = (&state.truths[connector.source], decoded(&change.key));
        let scope = scope_of(truth.character, id);
        let listed = state.writes.listing_began(change.connector_id, &change.stream, &scope);
        let stream = truth.stream(&change.stream);
        // What may only have been left out goes if a person says so.
        let is_approved = state.approved.contains(&change.connector_id);
        let is_doubtful = truth.character == Character::Drifting && is_approved;
        let is_just = is_doubtful || listed.is_some_and(|since| stream.lacked_since(id, since));
        let row = stream.rows.get(&id).cloned();
        drop(state);
        self.check(is_just, Invariant::JustDeletes, || {
            format!("{id} was deleted by a listing of {listed:?} and is there: {row:?}")
        });
    }

    /// The records are what the changes made of them, and the feed still says what it said.
    pub(crate) fn compare_records(&self) {
        Backends::store_ids().into_iter().for_each(|store_id| self.compare_records_of(store_id));
    }

    fn compare_records_of(&self, store_id: StoreId) {
        let query = RecordQuery { limit: PAGE, max_bytes: PAGE_BYTES, ..RecordQuery::default() };
        let page = self.backends.block_on(async {
            let store = self.backends.stores().open(store_id).await.unwrap();
            store.records(query).await.unwrap()
        });
        let found: BTreeMap<Place, Vec<u8>> = page
            .records
            .into_iter()
            .map(|record| ((record.connector_id, record.stream, record.key), record.data))
            .collect();
        let replayed = self.state().held[&store_id].records.clone();
        self.check(found == replayed, Invariant::Replay, || format!("{found:?} are not {replayed:?}"));
        self.compare_feed(store_id);
    }

    fn compare_feed(&self, store_id: StoreId) {
        let mut cursor = ChangeCursor::START;
        loop {
            let changes = self.changes_behind(store_id, cursor);
            for change in &changes {
                let seen = self.state().held[&store_id].seen.get(&change.change).cloned();
                self.check(seen.as_ref() == Some(change), Invariant::Feed, || {
                    format!("{change:?} was {seen:?}")
                });
            }
            match changes.last() {
                Some(last) if changes.len() == PAGE => cursor = ChangeCursor::behind(last.change),
                _ => return,
            }
        }
    }
}
