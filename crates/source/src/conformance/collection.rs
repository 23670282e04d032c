//! A collection as small as can be, that takes messages as the engine does and minds their order.

use std::collections::{BTreeMap, BTreeSet};

use inlet_model::key::Key;
use inlet_model::schema::Observer;
use inlet_model::sync::SyncMode;
use inlet_model::{Batch, Op, OpenListing, Rejection, Scope, ScopeState, StreamName};
use serde_json::value::RawValue;

use crate::{Capabilities, ErrorKind, Message, ReadRequest};

/// How a stream's messages ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StreamEnding {
    /// It was read to its end.
    End,
    /// It could not be read on.
    Failed(ErrorKind),
}

/// A record's stream and key.
pub type Identity = (StreamName, Vec<u8>);

/// What was read so far.
#[derive(Debug, Default)]
pub struct Collection {
    records: BTreeMap<Identity, (Scope, Vec<u8>)>,
    rejections: Vec<Rejection>,
    warnings: Vec<String>,
    generation: u64,
    streams: BTreeMap<StreamName, BTreeMap<Scope, ScopeState>>,
    /// What the open listings have seen.
    seen: BTreeMap<(StreamName, Scope), BTreeSet<Vec<u8>>>,
    reading: Option<Reading>,
    endings: BTreeMap<StreamName, StreamEnding>,
}

/// How far the messages of one read have come.
#[derive(Debug)]
struct Reading {
    request: ReadRequest,
    capabilities: Capabilities,
    /// Which stream of the request the messages are about.
    stream: usize,
    /// The scopes of the stream so far, and which is the last.
    scopes: BTreeMap<Scope, Stage>,
    scope: Option<Scope>,
    named_scopes: bool,
    taken: u64,
}

/// How far the messages of one scope have come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Under,
    Complete,
    Unchanged,
}

impl Collection {
    /// The records, by stream and encoded key: their scope and data.
    #[must_use]
    pub fn records(&self) -> &BTreeMap<Identity, (Scope, Vec<u8>)> {
        &self.records
    }

    /// Key and data of each record as text, in the order of the keys.
    #[must_use]
    pub fn shown(&self) -> Vec<(String, String)> {
        let key = |key: &[u8]| Key::from_encoded(key).expect("a key is well encoded").to_json();
        let data = |data: &[u8]| String::from_utf8(data.to_vec()).expect("a record is text");
        self.records.iter().map(|((_, its_key), (_, its_data))| (key(its_key), data(its_data))).collect()
    }

    /// Every record refused, as it came.
    #[must_use]
    pub fn rejections(&self) -> &[Rejection] {
        &self.rejections
    }

    /// Every warning, as it came.
    #[must_use]
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// The number of the last listing.
    #[must_use]
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// How far each scope of a stream has been read.
    #[must_use]
    pub fn scopes(&self, stream: &StreamName) -> BTreeMap<Scope, ScopeState> {
        self.streams.get(stream).cloned().unwrap_or_default()
    }

    /// How the last read of a stream ended.
    #[must_use]
    pub fn ending(&self, stream: &StreamName) -> Option<StreamEnding> {
        self.endings.get(stream).copied()
    }

    /// Says that the messages of another read come next.
    pub fn begin(&mut self, request: ReadRequest, capabilities: Capabilities) {
        self.generation = request.generation;
        self.endings.clear();
        self.reading = Some(Reading {
            request,
            capabilities,
            stream: 0,
            scopes: BTreeMap::new(),
            scope: None,
            named_scopes: false,
            taken: 0,
        });
    }

    /// Says that the source has ended.
    pub fn end(&mut self) {
        let reading = self.reading.take().expect("a read has begun");
        assert_eq!(reading.stream, reading.request.streams.len(), "every stream comes to an end");
    }

    /// Takes a message, and minds that it may come here.
    pub fn apply(&mut self, message: &Message) {
        let mut reading = self.reading.take().expect("a read has begun");
        reading.mind_order(message, self);
        match message {
            Message::Listing { stream, scope } => {
                self.seen.insert((stream.clone(), scope.clone()), BTreeSet::new());
                let listing = OpenListing { generation: self.generation, position: None };
                self.scope(stream, scope).listing = Some(listing);
            }
            Message::Batch { batch, checkpoint } => {
                self.take(batch);
                let state = self.scope(batch.stream(), batch.scope());
                match &mut state.listing {
                    Some(listing) => listing.position.clone_from(checkpoint),
                    None => state.cursor.clone_from(checkpoint),
                }
            }
            Message::Complete { stream, scope, cursor, .. } => {
                let seen = self.seen.remove(&(stream.clone(), scope.clone())).unwrap_or_default();
                self.records.retain(|(its_stream, key), (its_scope, _)| {
                    its_stream != stream || its_scope != scope || seen.contains(key)
                });
                let listed_by = Some(self.generation);
                *self.scope(stream, scope) = ScopeState { listing: None, cursor: cursor.clone(), listed_by };
            }
            Message::Scopes { stream, scopes } => {
                self.records
                    .retain(|(its_stream, _), (scope, _)| its_stream != stream || scopes.contains(scope));
            }
            Message::StreamEnd { stream } => {
                self.endings.insert(stream.clone(), StreamEnding::End);
            }
            Message::StreamFailed { stream, error } => {
                self.endings.insert(stream.clone(), StreamEnding::Failed(error.kind()));
            }
            Message::Warning { text } => self.warnings.push(text.clone()),
            Message::Unchanged { .. } | Message::InboxTaken { .. } => {}
        }
        self.reading = Some(reading);
    }

    fn scope(&mut self, stream: &StreamName, scope: &Scope) -> &mut ScopeState {
        self.streams.entry(stream.clone()).or_default().entry(scope.clone()).or_default()
    }

    fn take(&mut self, batch: &Batch) {
        let place = (batch.stream().clone(), batch.scope().clone());
        self.rejections.extend_from_slice(batch.rejections());
        for entry in batch.entries() {
            if let Some(seen) = self.seen.get_mut(&place) {
                assert!(
                    seen.insert(entry.key.to_vec()),
                    "within a listing each key comes once: {:?}",
                    entry.key
                );
            }
            let identity = (batch.stream().clone(), entry.key.to_vec());
            match entry.op {
                Op::Upsert => {
                    if let Some(cover) = batch.covered_by() {
                        let changed = Observer::new(cover).take(entry.data);
                        assert!(!changed, "a record is not covered by {cover:?}");
                    }
                    let data = serde_json::from_slice::<BTreeMap<String, &RawValue>>(entry.data);
                    assert!(data.is_ok(), "a record is a JSON object, but: {data:?}");
                    self.records.insert(identity, (batch.scope().clone(), entry.data.to_vec()));
                }
                Op::Delete => {
                    self.records.remove(&identity);
                }
                Op::Keep => panic!("what is refused for its content is not the source's to say"),
            }
        }
    }
}

impl Reading {
    fn mind_order(&mut self, message: &Message, collection: &Collection) {
        match message {
            Message::Listing { stream, scope } => self.listing(stream, scope, collection),
            Message::Batch { batch, .. } => {
                self.enter(batch.stream(), batch.scope(), message);
            }
            Message::Complete { stream, scope, certified, .. } => {
                self.enter(stream, scope, message);
                assert!(open_listing(collection, stream, scope).is_some(), "{message:?} without a listing");
                assert!(!certified || self.capabilities.certified_listing, "{message:?} is not promised");
                self.scopes.insert(scope.clone(), Stage::Complete);
            }
            Message::Unchanged { stream, scope } => {
                let first = self.enter(stream, scope, message);
                assert!(first, "{message:?} is the only message of a scope");
                assert!(self.capabilities.tells_unchanged, "{message:?} is not promised");
                let state = collection.scopes(stream).remove(scope).unwrap_or_default();
                let may_skip = self.request.streams[self.stream].mode == SyncMode::Incremental
                    || state.listed_by == Some(self.request.generation);
                assert!(may_skip, "{message:?} in a full refresh");
                assert!(state.cursor.is_some() && state.listing.is_none(), "{message:?} of {state:?}");
                self.scopes.insert(scope.clone(), Stage::Unchanged);
            }
            Message::Scopes { stream, scopes } => {
                self.demand_stream(stream, message);
                assert!(self.capabilities.certified_listing, "{message:?} is not promised");
                assert!(!std::mem::replace(&mut self.named_scopes, true), "the scopes are named once");
                let named: BTreeSet<_> = scopes.iter().collect();
                let read: BTreeSet<_> = self.scopes.keys().collect();
                assert_eq!(named, read, "the scopes that are named are those that were gone through");
                assert!(self.scopes.values().all(|stage| *stage != Stage::Under), "each of them is settled");
            }
            Message::InboxTaken { stream, through } => {
                self.demand_stream(stream, message);
                assert!(self.request.inbox.is_some() && *through > self.taken, "{message:?}");
                self.taken = *through;
            }
            Message::StreamEnd { stream } | Message::StreamFailed { stream, .. } => {
                self.demand_stream(stream, message);
                self.stream += 1;
                self.scopes.clear();
                (self.scope, self.named_scopes, self.taken) = (None, false, 0);
            }
            Message::Warning { text } => assert!(text.ends_with('.'), "a warning is a sentence: {text}"),
        }
    }

    fn listing(&mut self, stream: &StreamName, scope: &Scope, collection: &Collection) {
        let first = self.enter(stream, scope, &"a listing");
        assert!(first, "a listing begins with the first message of its scope");
        let can_go_on = open_listing(collection, stream, scope).is_some_and(|open| open.position.is_some());
        let is_promised = self.capabilities.resumable_listing;
        assert!(!can_go_on || !is_promised, "the open listing of {scope:?} should have been gone on with");
    }

    /// Minds that the messages of a scope come together. Gives whether this is the first.
    fn enter(&mut self, stream: &StreamName, scope: &Scope, message: &dyn std::fmt::Debug) -> bool {
        self.demand_stream(stream, message);
        assert!(!self.named_scopes, "{message:?} after the scopes were named");
        if self.scope.as_ref() == Some(scope) {
            let stage = self.scopes.get(scope);
            assert_eq!(stage, Some(&Stage::Under), "{message:?} after the end of its scope");
            return false;
        }
        let before = self.scopes.insert(scope.clone(), Stage::Under);
        assert_eq!(before, None, "{message:?} comes back to a scope");
        self.scope = Some(scope.clone());
        true
    }

    fn demand_stream(&self, stream: &StreamName, message: &dyn std::fmt::Debug) {
        let current = self.request.streams.get(self.stream).map(|request| &request.name);
        assert_eq!(current, Some(stream), "{message:?} is not about the stream whose turn it is");
    }
}

fn open_listing(collection: &Collection, stream: &StreamName, scope: &Scope) -> Option<OpenListing> {
    collection.scopes(stream).remove(scope).and_then(|state| state.listing)
}
