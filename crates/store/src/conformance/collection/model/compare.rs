//! The comparison: everything that the store shows, with what the model knows.

use inlet_model::{Change, Counts, Record, Scope, ScopeState};

use super::super::given::{Given, name};
use super::super::items::{data_of, key_of};
use super::super::seen::all_records;
use super::history::History;
use super::step::{PLACES, STREAMS};
use super::world::{RunModel, ScopeModel};
use crate::collection::{RecordQuery, StreamProgress, StreamStatus};

/// So few that a page of records or changes is never all of them.
const PAGE: usize = 4;

impl RunModel {
    /// The counters of all streams together.
    pub(super) fn sum(&self) -> Counts {
        let mut sum = Counts::default();
        self.counts.iter().for_each(|counts| sum += *counts);
        sum
    }
}

impl History {
    /// Records, feed, counters, numbers, and how far the scopes have been read.
    pub(super) async fn compare(&self) {
        self.compare_records().await;
        self.compare_feed().await;
        let stats = self.given.stats().await;
        assert_eq!(stats.records, self.world.records.len() as u64, "{}", self.label);
        assert_eq!(stats.last_change, self.world.changes.len() as u64, "{}", self.label);
        for connector in 0..self.world.connectors.len() {
            if let Some(run) = self.world.connectors[connector].runs.last() {
                self.compare_run(run).await;
            }
            if self.world.connectors[connector].running().is_some() {
                self.compare_scopes(connector).await;
            }
            self.compare_deletes(connector).await;
        }
    }

    /// The last comparison, of every run there was.
    pub(super) async fn end(self) -> Given {
        for run in self.world.connectors.iter().flat_map(|connector| &connector.runs) {
            self.compare_run(run).await;
        }
        self.given
    }

    async fn compare_records(&self) {
        let query = RecordQuery { limit: PAGE, ..all_records() };
        let mut found = self.given.paged(query, async |_| {}).await;
        assert!(
            found.is_sorted_by_key(|record| (record.stream.clone(), record.key.clone())),
            "{}",
            self.label
        );
        found.sort_by_key(|record| (record.stream.clone(), record.key.clone(), record.connector_id));
        let mut expected: Vec<Record> = self
            .world
            .records
            .iter()
            .map(|((stream, key, connector), held)| Record {
                connector_id: self.world.connectors[*connector].id,
                stream: name(STREAMS[*stream]),
                key: key_of(*key),
                data: data_of(*key, &held.value),
                change: held.change,
                sync_id: held.sync_id,
                created_at: held.created_at,
                updated_at: held.updated_at,
            })
            .collect();
        expected.sort_by_key(|record| (record.stream.clone(), record.key.clone(), record.connector_id));
        assert_eq!(found, expected, "{}", self.label);
    }

    /// The whole feed, so that what is changed in hindsight is found too: exactly what has not gone.
    async fn compare_feed(&self) {
        let found = self.given.feed().await;
        let there =
            self.world.changes.iter().filter(|expected| !expected.is_gone(self.world.compacted_through));
        let expected: Vec<Change> = there
            .clone()
            .zip(&found)
            .map(|(expected, found)| {
                let previous = if expected.any_previous { found.previous } else { expected.change.previous };
                Change { previous, ..expected.change.clone() }
            })
            .collect();
        assert_eq!(found, expected, "{}", self.label);
        assert_eq!(found.len(), there.count(), "{}", self.label);
    }

    async fn compare_run(&self, expected: &RunModel) {
        let run = self.given.run(&expected.claim).await;
        let of_streams: Vec<Counts> = run.streams.iter().map(|stream| stream.counts).collect();
        assert_eq!(of_streams, expected.counts, "{}", self.label);
        assert_eq!(run.counts, expected.sum(), "{}", self.label);
        assert!(run.counts.add_up(), "{}", self.label);
        assert_eq!(
            (run.generation, run.outcome.is_some()),
            (expected.generation, expected.ended),
            "{}",
            self.label
        );
        let under_way =
            |stream: &StreamProgress| matches!(stream.status, StreamStatus::Pending | StreamStatus::Running);
        assert!(!expected.ended || !run.streams.iter().any(under_way), "{}", self.label);
        let rejected = self.given.rejected(&expected.claim).await;
        assert_eq!(rejected.len() as u64, run.counts.rejected, "{}", self.label);
        let feed =
            self.world.changes.iter().filter(|it| it.change.sync_id == Some(run.sync_id)).count() as u64;
        let counted = run.counts.created + run.counts.updated + run.counts.deleted;
        assert_eq!(feed, counted, "{}", self.label);
    }

    /// What the sweeps would delete: as many as the model has waiting, and exactly those.
    async fn compare_deletes(&self, connector: usize) {
        let id = self.world.connectors[connector].id;
        let pending = self.given.store.pending_deletes(id).await.unwrap();
        let listed = self.given.pending_records(id, PAGE, PAGE).await;
        for (stream, stream_name) in STREAMS.iter().enumerate() {
            let waiting = self.waiting(connector, stream);
            let found = pending.iter().find(|pending| pending.stream.as_str() == *stream_name);
            let counted = found.map_or(0, |pending| pending.records);
            assert_eq!(counted, waiting.len() as u64, "{}: {stream_name}", self.label);
            let of_stream = listed.iter().filter(|record| record.stream.as_str() == *stream_name);
            let keys: Vec<Vec<u8>> = of_stream.map(|record| record.key.clone()).collect();
            let expected: Vec<Vec<u8>> = waiting.into_iter().map(key_of).collect();
            assert_eq!(keys, expected, "{}: {stream_name}", self.label);
        }
    }

    async fn compare_scopes(&self, connector: usize) {
        let model = &self.world.connectors[connector];
        let Some(run) = model.running() else { return };
        let start = self.given.begin(&run.claim).await;
        for ((stream, scope), expected) in PLACES.iter().zip(&model.scopes) {
            let scopes = start.scopes.get(&name(stream));
            let found = scopes.and_then(|scopes| scopes.get(&Scope::new(scope))).cloned().unwrap_or_default();
            compare_scope(&found, expected, &format!("{}: scope {scope} of {stream}", self.label));
        }
        for (stream, stream_name) in STREAMS.iter().enumerate() {
            if model.waits(stream) {
                assert!(start.unswept.contains(&name(stream_name)), "{}: {stream_name}", self.label);
            }
        }
    }
}

fn compare_scope(found: &ScopeState, expected: &ScopeModel, label: &str) {
    let listing = expected.listing.as_ref();
    assert_eq!(found.listing.is_some(), listing.is_some(), "{label}");
    if let (Some(found), Some(expected)) = (&found.listing, listing) {
        assert_eq!((found.generation, &found.position), (expected.generation, &expected.position), "{label}");
    }
    // What waits for its sweep has no cursor yet, or still the old one.
    if expected.sweep.is_none() {
        assert_eq!(found.cursor, expected.cursor, "{label}");
        if let Some(listed_by) = expected.listed_by {
            assert_eq!(found.listed_by, listed_by, "{label}");
        }
    }
}
