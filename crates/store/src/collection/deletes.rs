//! Pending deletes: what the sweeps that wait would delete. They are looked at, and decided on, before any of it goes.

use async_trait::async_trait;
use inlet_model::{ConnectorId, StreamName, SyncId, Timestamp};

use super::{CancelFlag, Fence, RecordCursor, RecordPage};
use crate::StoreResult;

/// What the sweep of a stream would delete.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamDeletes {
    /// The stream.
    pub stream: StreamName,
    /// Records that it would delete, or of which it would ask; nobody has approved that.
    pub records: u64,
    /// Those among them that stay if the source [has them](super::Unseen::GoesIfAbsent).
    pub if_absent: u64,
    /// Those among them that stay [unless it is approved](super::Unseen::GoesIfApproved).
    pub if_approved: u64,
    /// Records that it would delete beside them, which was approved.
    pub approved: u64,
    /// Records that the stream has.
    pub of: u64,
}

impl StreamDeletes {
    /// Nothing of a stream that has so many records.
    #[must_use]
    pub fn none(stream: StreamName, of: u64) -> Self {
        Self { stream, records: 0, if_absent: 0, if_approved: 0, approved: 0, of }
    }
}

/// Which of the records that wait for sweeps to list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeletesQuery {
    /// Of this connector.
    pub connector_id: ConnectorId,
    /// Only of this stream.
    pub stream: Option<StreamName>,
    /// Only behind this place.
    pub after: Option<RecordCursor>,
    /// At most this many.
    pub limit: usize,
    /// Stop once the page holds this many bytes of data; a page holds at least one record if it finds one.
    pub max_bytes: usize,
    /// Look at no more keys than this. So a page may be empty and have a next one.
    pub max_keys: usize,
}

/// Which of the records that wait for a sweep the source is to be asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QuestionsQuery {
    /// Of this connector.
    pub connector_id: ConnectorId,
    /// Of this stream.
    pub stream: StreamName,
    /// Only behind this place.
    pub after: Option<RecordCursor>,
    /// Look at no more keys than this.
    pub max_keys: usize,
}

/// Keys to ask a source for, and where the next begin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QuestionPage {
    /// The keys, encoded, in order.
    pub keys: Vec<Vec<u8>>,
    /// Where to go on; `None` at the end.
    pub next: Option<RecordCursor>,
}

/// Records that a listing did not see, and that the source has nevertheless.
#[derive(Debug)]
pub struct FoundRecords {
    /// The sync that asked.
    pub sync_id: SyncId,
    /// Its connector.
    pub connector_id: ConnectorId,
    /// Its claim.
    pub fence: Fence,
    /// Checked just before `COMMIT`.
    pub cancel: CancelFlag,
    /// The stream.
    pub stream: StreamName,
    /// Their keys, encoded.
    pub keys: Vec<Vec<u8>>,
}

/// A person has approved what the sweeps of a run would delete.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApproveDeletes {
    /// The sync that sweeps.
    pub sync_id: SyncId,
    /// Its connector.
    pub connector_id: ConnectorId,
    /// Its claim.
    pub fence: Fence,
    /// The streams of which it was approved.
    pub streams: Vec<StreamName>,
}

/// One bounded step of taking back what a run would have deleted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DropDeletes {
    /// The sync that would have swept. Its run ends, as cancelled, if it has not ended.
    pub sync_id: SyncId,
    /// Its connector.
    pub connector_id: ConnectorId,
    /// The time.
    pub now: Timestamp,
    /// Write no more rows than this in one step.
    pub max_rows: usize,
}

/// The deletes that wait for a sweep, of which a person may decide.
///
/// They are what listings have left that are complete, and scopes that are gone. Nothing but a sweep, a new listing, a purge and
/// the decisions here changes them, so while a sync waits for its decision they stay what they are.
#[async_trait]
pub trait PendingDeletes {
    /// What the sweeps of the connector's streams would delete, by stream; streams of which nothing waits are left out.
    /// It costs what the scopes of these streams cost, however many records they have.
    async fn pending_deletes(&self, connector_id: ConnectorId) -> StoreResult<Vec<StreamDeletes>>;

    /// A page of the records that the sweeps would delete, or of which they would ask: by stream and then by key.
    async fn pending_records(&self, query: DeletesQuery) -> StoreResult<RecordPage>;

    /// The keys that the sweep of the stream deletes only [if they are absent](super::Unseen::GoesIfAbsent), page by page.
    async fn pending_questions(&self, query: QuestionsQuery) -> StoreResult<QuestionPage>;

    /// Notes that the source has these records: they count as seen, and do not wait for the sweep any more. Others among
    /// the keys are passed over. One commit, fenced and cancelled as others are.
    async fn keep_found(&self, found: FoundRecords) -> StoreResult<()>;

    /// Approves what the sweeps of these streams would delete as things stand; what later listings leave is not approved.
    /// Idempotent. [`Fenced`](crate::StoreErrorKind::Fenced) as a commit would be.
    async fn approve_deletes(&self, approve: ApproveDeletes) -> StoreResult<()>;

    /// Does one bounded step of taking back what waits in the streams of the sync's run, and says whether nothing is left to
    /// do. The records stay, and so does each scope's cursor, as it was before the listing: it is as if that had
    /// never been complete. Idempotent; nothing is done if the connector is closed, or another run has it.
    async fn drop_deletes(&self, drop: DropDeletes) -> StoreResult<bool>;
}
