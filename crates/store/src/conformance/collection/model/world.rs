//! What the model knows: records, changes, and of each connector its scopes and its run.

use std::collections::{BTreeMap, BTreeSet};

use inlet_model::{Change, ChangeOp, ConnectorId, Counts, SyncId, Timestamp};
use serde_json::Value;

use super::super::given::{Claim, name};
use super::super::items::{data_of, key_of};
use super::step::{PLACES, STREAMS};

/// Where a record stands: stream, key, connector.
pub(super) type Place = (usize, i64, usize);

#[derive(Debug, Clone)]
pub(super) struct World {
    pub(super) records: BTreeMap<Place, Held>,
    pub(super) changes: Vec<Expected>,
    pub(super) connectors: Vec<Connector>,
    /// Records that are there or once were.
    known: BTreeSet<Place>,
}

/// A record.
#[derive(Debug, Clone)]
pub(super) struct Held {
    pub(super) value: String,
    /// Its scope, one of [`PLACES`].
    pub(super) scope: usize,
    pub(super) change: u64,
    pub(super) sync_id: SyncId,
    pub(super) created_at: Timestamp,
    pub(super) updated_at: Timestamp,
}

/// A change that the feed has to show.
#[derive(Debug, Clone)]
pub(super) struct Expected {
    pub(super) change: Change,
    /// A record that was deleted and comes again may name its tombstone or nothing.
    pub(super) any_previous: bool,
}

#[derive(Debug, Clone)]
pub(super) struct Connector {
    pub(super) id: ConnectorId,
    pub(super) scopes: Vec<ScopeModel>,
    /// How often the shape of the first stream has changed.
    pub(super) shape: u32,
    /// The generation of the last sync.
    pub(super) generation: u64,
    /// Syncs that have begun, the last of them perhaps running.
    pub(super) runs: Vec<RunModel>,
}

#[derive(Debug, Clone)]
pub(super) struct RunModel {
    pub(super) claim: Claim,
    pub(super) generation: u64,
    pub(super) counts: [Counts; STREAMS.len()],
    pub(super) ended: bool,
    /// A purge took the connector from it.
    pub(super) lost: bool,
    /// Streams whose scopes were all named in this attempt: nothing of them is read any more.
    pub(super) all_named: [bool; STREAMS.len()],
}

/// What is known of a scope.
#[derive(Debug, Clone, Default)]
pub(super) struct ScopeModel {
    pub(super) listing: Option<ListingModel>,
    pub(super) cursor: Option<Value>,
    /// `None`: the docs leave it open just now.
    pub(super) listed_by: Option<Option<u64>>,
    /// The sync that last listed it to the end or found it unchanged.
    pub(super) settled_by: Option<SyncId>,
    pub(super) sweep: Option<SweepModel>,
}

#[derive(Debug, Clone, Default)]
pub(super) struct ListingModel {
    pub(super) generation: u64,
    pub(super) position: Option<Value>,
    pub(super) seen: BTreeSet<i64>,
    /// Records were refused in it as duplicates, or taken from it.
    pub(super) no_cursor: bool,
}

/// What waits for the sweep.
#[derive(Debug, Clone)]
pub(super) struct SweepModel {
    pub(super) unseen: BTreeSet<i64>,
    /// What becomes of the scope then: it gets this cursor, or goes.
    pub(super) end: SweepEnd,
}

#[derive(Debug, Clone)]
pub(super) enum SweepEnd {
    Cursor(Option<Value>),
    Gone,
}

impl ScopeModel {
    /// A scope of which nothing is known.
    pub(super) fn unknown() -> Self {
        Self { listed_by: Some(None), ..Self::default() }
    }
}

impl Connector {
    pub(super) fn new(id: ConnectorId) -> Self {
        let scopes = PLACES.map(|_| ScopeModel::unknown()).to_vec();
        Self { id, scopes, shape: 0, generation: 0, runs: Vec::new() }
    }

    pub(super) fn running(&self) -> Option<&RunModel> {
        self.runs.last().filter(|run| !run.ended && !run.lost)
    }

    pub(super) fn running_mut(&mut self) -> Option<&mut RunModel> {
        self.runs.last_mut().filter(|run| !run.ended && !run.lost)
    }

    /// The scopes of a stream, by their places.
    pub(super) fn scopes_of(&mut self, stream: usize) -> impl Iterator<Item = (usize, &mut ScopeModel)> {
        self.scopes.iter_mut().enumerate().filter(move |(place, _)| stream_of(*place) == stream)
    }

    /// Whether something of the stream waits for the sweep for certain.
    pub(super) fn waits(&self, stream: usize) -> bool {
        let scopes = self.scopes.iter().enumerate().filter(|(place, _)| stream_of(*place) == stream);
        scopes
            .into_iter()
            .any(|(_, scope)| scope.sweep.as_ref().is_some_and(|sweep| !sweep.unseen.is_empty()))
    }
}

impl World {
    /// An empty collection of these connectors.
    pub(super) fn new(connectors: Vec<Connector>) -> Self {
        Self { records: BTreeMap::new(), changes: Vec::new(), connectors, known: BTreeSet::new() }
    }

    /// The keys that belong to a scope.
    pub(super) fn keys_of(&self, connector: usize, place: usize) -> BTreeSet<i64> {
        let stream = stream_of(place);
        let own = self
            .records
            .iter()
            .filter(|((of, _, by), held)| (*of, *by, held.scope) == (stream, connector, place));
        own.map(|((_, key, _), _)| *key).collect()
    }

    /// Puts a record in, new or in place of the one that is there.
    pub(super) fn put(
        &mut self,
        (stream, key, connector): Place,
        value: &str,
        scope: usize,
        by: SyncId,
        at: Timestamp,
    ) {
        let place = (stream, key, connector);
        let before = self.records.get(&place);
        let change = Change {
            change: self.next_change(),
            op: if before.is_some() { ChangeOp::Updated } else { ChangeOp::Created },
            connector_id: self.connectors[connector].id,
            stream: name(STREAMS[stream]),
            key: key_of(key),
            data: Some(data_of(key, value)),
            sync_id: Some(by),
            at,
            previous: before.map_or(0, |held| held.change),
        };
        let held = Held {
            value: value.to_owned(),
            scope,
            change: change.change,
            sync_id: by,
            created_at: before.map_or(at, |held| held.created_at),
            updated_at: at,
        };
        let any_previous = before.is_none() && self.known.contains(&place);
        self.changes.push(Expected { change, any_previous });
        self.known.insert(place);
        self.records.insert(place, held);
    }

    /// Takes a record out, which must be there; on behalf of no sync if it is purged.
    pub(super) fn delete(&mut self, (stream, key, connector): Place, by: Option<SyncId>, at: Timestamp) {
        let held = self.records.remove(&(stream, key, connector)).expect("only what is there is deleted");
        let change = Change {
            change: self.next_change(),
            op: ChangeOp::Deleted,
            connector_id: self.connectors[connector].id,
            stream: name(STREAMS[stream]),
            key: key_of(key),
            data: None,
            sync_id: by,
            at,
            previous: held.change,
        };
        self.changes.push(Expected { change, any_previous: false });
    }

    fn next_change(&self) -> u64 {
        self.changes.len() as u64 + 1
    }
}

/// The stream of a place.
pub(super) fn stream_of(place: usize) -> usize {
    STREAMS.iter().position(|stream| *stream == PLACES[place].0).expect("every place has a stream")
}
