//! What the behaviours look at: everything that a store shows.

use std::collections::BTreeMap;

use inlet_model::{Change, ConnectorId, Counts, Record, Scope, ScopeState, SyncId};
use serde_json::Value;

use super::given::{Claim, Given, name};
use crate::collection::{
    ChangeCursor, ChangePage, InboxItem, RecordCursor, RecordPage, RecordQuery, RejectedQuery,
    RejectedRecord, Run, Stats,
};

/// More than any page of a test holds.
pub(super) const ALL: usize = 1 << 30;

/// Everything that a refused write could have left a trace in.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Sight {
    records: Vec<Record>,
    feed: Vec<Change>,
    last_change: u64,
    run: Option<Run>,
    rejected: Vec<RejectedRecord>,
    inbox: Vec<(String, Vec<InboxItem>)>,
}

impl Given {
    pub(super) async fn page(&self, query: RecordQuery) -> RecordPage {
        self.store.records(query).await.unwrap()
    }

    /// All records, in one page.
    pub(super) async fn all_records(&self) -> Vec<Record> {
        let page = self.page(all_records()).await;
        assert_eq!(page.next, None, "a page that holds everything has no next");
        page.records
    }

    /// The ids and values of a stream's records, those of all connectors together.
    pub(super) async fn values(&self, stream: &str) -> Vec<(i64, String)> {
        let page = self.page(RecordQuery { stream: Some(name(stream)), ..all_records() }).await;
        page.records.iter().map(id_and_value).collect()
    }

    /// The ids of a stream's records.
    pub(super) async fn ids(&self, stream: &str) -> Vec<i64> {
        self.values(stream).await.into_iter().map(|(id, _)| id).collect()
    }

    /// The one record of that stream and id.
    pub(super) async fn record(&self, stream: &str, id: i64) -> Record {
        let mut found = self.store.record(None, &name(stream), &super::items::key_of(id)).await.unwrap();
        assert_eq!(found.len(), 1, "{stream} {id}");
        found.remove(0)
    }

    /// The changes behind `after`, in one page.
    pub(super) async fn changes_after(&self, after: u64) -> Vec<Change> {
        changes(self.store.changes(ChangeCursor::behind(after), ALL, ALL).await.unwrap())
    }

    /// The feed from the beginning. Nothing of it has expired in so short a time.
    pub(super) async fn feed(&self) -> Vec<Change> {
        self.changes_after(0).await
    }

    pub(super) async fn stats(&self) -> Stats {
        self.store.stats().await.unwrap()
    }

    pub(super) async fn try_run(&self, sync_id: SyncId) -> Option<Run> {
        self.store.run(sync_id).await.unwrap()
    }

    pub(super) async fn run(&self, claim: &Claim) -> Run {
        self.try_run(claim.sync_id).await.expect("the run has begun")
    }

    pub(super) async fn counts(&self, claim: &Claim) -> Counts {
        self.run(claim).await.counts
    }

    /// How far the scopes of a stream have been read. To begin a run again under its fence changes nothing.
    pub(super) async fn scopes(&self, claim: &Claim, stream: &str) -> BTreeMap<Scope, ScopeState> {
        self.begin(claim).await.scopes.remove(&name(stream)).unwrap_or_default()
    }

    /// How far one scope has been read; nowhere if nothing is known of it.
    pub(super) async fn scope(&self, claim: &Claim, stream: &str, scope: &str) -> ScopeState {
        self.scopes(claim, stream).await.remove(&Scope::new(scope)).unwrap_or_default()
    }

    pub(super) async fn cursor(&self, claim: &Claim, stream: &str, scope: &str) -> Option<Value> {
        self.scope(claim, stream, scope).await.cursor
    }

    /// The streams that wait to be swept.
    pub(super) async fn unswept(&self, claim: &Claim) -> Vec<String> {
        self.begin(claim).await.unswept.iter().map(ToString::to_string).collect()
    }

    pub(super) async fn rejected(&self, claim: &Claim) -> Vec<RejectedRecord> {
        self.store.rejected(claim.sync_id, RejectedQuery::behind(0, ALL)).await.unwrap()
    }

    /// The pushes that wait for the connector, by stream.
    pub(super) async fn inbox(&self, connector_id: ConnectorId) -> Vec<(String, Vec<InboxItem>)> {
        let mut inbox = Vec::new();
        for stream in self.store.inbox_streams(connector_id).await.unwrap() {
            let items = self.store.inbox_after(connector_id, &stream, 0, ALL).await.unwrap();
            inbox.push((stream.to_string(), items));
        }
        inbox
    }

    /// Everything that can be seen of the collection and the run, but for how far the scopes have been read.
    pub(super) async fn sight(&self, claim: &Claim) -> Sight {
        Sight {
            records: self.all_records().await,
            feed: self.feed().await,
            last_change: self.stats().await.last_change,
            run: self.try_run(claim.sync_id).await,
            rejected: self.rejected(claim).await,
            inbox: self.inbox(claim.connector_id).await,
        }
    }

    /// Reads all that the query selects, page by page; before each page but the first `between` happens.
    pub(super) async fn paged(&self, query: RecordQuery, mut between: impl AsyncFnMut(usize)) -> Vec<Record> {
        let mut seen = Vec::new();
        let mut after: Option<RecordCursor> = query.after.clone();
        for page_number in 0.. {
            if page_number > 0 {
                between(page_number).await;
            }
            let page = self.page(RecordQuery { after, ..query.clone() }).await;
            assert!(page.records.len() <= query.limit, "a page holds more than its limit");
            seen.extend(page.records);
            after = page.next;
            if after.is_none() {
                break;
            }
            assert!(page_number < ALL / 1_000, "the pages do not end");
        }
        seen
    }
}

/// The query for all records in one page.
pub(super) fn all_records() -> RecordQuery {
    RecordQuery { limit: ALL, max_bytes: ALL, ..RecordQuery::default() }
}

pub(super) fn changes(page: ChangePage) -> Vec<Change> {
    match page {
        ChangePage::Changes { changes, .. } => changes,
        ChangePage::Expired { compacted_through } => {
            panic!("the history up to {compacted_through} is gone")
        }
    }
}

/// What a record made by [`put`](super::items::put) is made of.
pub(super) fn id_and_value(record: &Record) -> (i64, String) {
    let data: Value = serde_json::from_slice(&record.data).unwrap();
    (data["id"].as_i64().unwrap(), data["v"].as_str().unwrap().to_owned())
}
