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
    /// The last change of which history is gone.
    pub(super) compacted_through: u64,
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
    /// The change that superseded it.
    pub(super) superseded_by: Option<u64>,
    /// The record as the change made it; `None` if it was deleted.
    pub(super) made: Option<Made>,
    pub(super) place: Place,
}

/// A record as a change made it.
#[derive(Debug, Clone)]
pub(super) struct Made {
    pub(super) value: String,
    pub(super) scope: usize,
    /// Which of the scopes of that name it was: see [`ScopeModel::went`].
    pub(super) went: u32,
    pub(super) created_at: Timestamp,
}

impl Expected {
    /// Whether it left the feed with the history up to `compacted_through`.
    pub(super) fn is_gone(&self, compacted_through: u64) -> bool {
        let gone_at = if self.made.is_some() { self.superseded_by } else { Some(self.change.change) };
        gone_at.is_some_and(|change| change <= compacted_through)
    }
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
    /// How often the scope went; it is another one each time it comes again.
    pub(super) went: u32,
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

    /// Forgets what is known of how far it was read.
    pub(super) fn forget(&mut self) {
        *self = Self { went: self.went, ..Self::unknown() };
    }

    /// It goes with all that is known of it.
    pub(super) fn go(&mut self) {
        *self = Self { went: self.went + 1, ..Self::unknown() };
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
        Self {
            records: BTreeMap::new(),
            changes: Vec::new(),
            connectors,
            compacted_through: 0,
            known: BTreeSet::new(),
        }
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
        let before = self.records.get(&(stream, key, connector));
        let created_at = before.map_or(at, |held| held.created_at);
        let went = self.connectors[connector].scopes[scope].went;
        let made = Made { value: value.to_owned(), scope, went, created_at };
        self.make((stream, key, connector), made, by, at);
    }

    /// Puts a record in as `made` says.
    pub(super) fn make(&mut self, place: Place, made: Made, by: SyncId, at: Timestamp) {
        let (stream, key, connector) = place;
        let before = self.records.get(&place);
        let change = Change {
            change: self.next_change(),
            op: if before.is_some() { ChangeOp::Updated } else { ChangeOp::Created },
            connector_id: self.connectors[connector].id,
            stream: name(STREAMS[stream]),
            key: key_of(key),
            data: Some(data_of(key, &made.value)),
            sync_id: Some(by),
            at,
            previous: before.map_or(0, |held| held.change),
        };
        let held = Held {
            value: made.value.clone(),
            scope: made.scope,
            change: change.change,
            sync_id: by,
            created_at: made.created_at,
            updated_at: at,
        };
        let any_previous = before.is_none() && self.known.contains(&place);
        self.append(Expected { change, any_previous, superseded_by: None, made: Some(made), place });
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
        let place = (stream, key, connector);
        self.append(Expected { change, any_previous: false, superseded_by: None, made: None, place });
    }

    fn append(&mut self, expected: Expected) {
        let previous = usize::try_from(expected.change.previous).expect("there are few changes");
        if let Some(superseded) = previous.checked_sub(1) {
            self.changes[superseded].superseded_by = Some(expected.change.change);
        }
        self.changes.push(expected);
    }

    fn next_change(&self) -> u64 {
        self.changes.len() as u64 + 1
    }
}

/// The stream of a place.
pub(super) fn stream_of(place: usize) -> usize {
    STREAMS.iter().position(|stream| *stream == PLACES[place].0).expect("every place has a stream")
}
