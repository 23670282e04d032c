//! A collection's store: what a backend must do.
//!
//! All writes of one collection go through one writer, in one order: commits, sweeps, pushes and fences alike. A write
//! that returned `Ok` is durable; one that returned `Err` left nothing. Reads see the last durable write and hold
//! nothing open after they return.

mod changes;
mod checkpoints;
mod commit;
mod deletes;
mod inbox;
mod log;
mod purges;
mod records;
mod rehearsals;
mod replays;
mod runs;
mod schemas;
mod undos;
mod upkeep;

use std::sync::Arc;

use async_trait::async_trait;
use inlet_model::{ConnectorId, HashSeed, StoreId};

pub use changes::{ChangeCursor, ChangePage, Changes};
pub use checkpoints::{Checkpoint, CheckpointEffect, Checkpoints, ScopeListing, StreamCursors};
pub use commit::{
    CancelFlag, Commit, DUPLICATE_KEY, Fence, Item, Pass, Receipt, Sweep, SweepProgress, Unseen,
};
pub use deletes::{
    ApproveDeletes, DeletesQuery, DropDeletes, FoundRecords, PendingDeletes, QuestionPage, QuestionsQuery,
    StreamDeletes,
};
pub use inbox::{Inbox, InboxItem, Push, PushEffect};
pub use log::LogQuery;
pub use purges::{PurgeProgress, PurgeStep, Purges};
pub use records::{RecordCursor, RecordPage, RecordQuery, Records, Stats, StreamStats};
pub use rehearsals::{Rehearsal, Rehearsals, Rehearsed, RehearsedStream, Sample, SampleLimits};
pub use replays::Replay;
pub use runs::{
    FinishRun, NewRun, Phase, RejectedQuery, RejectedRecord, Run, RunStart, RunStream, Runs, StreamProgress,
    StreamStatus,
};
pub use schemas::{KnownSchema, SchemaVersion, Schemas, SchemasQuery};
pub use undos::{NoUndo, UndoEffect, UndoProgress, UndoStep, Undos};
pub use upkeep::{Upkeep, UpkeepProgress, UpkeepStep};

use crate::StoreResult;

/// One collection's data.
#[async_trait]
pub trait CollectionStore:
    Runs
    + Records
    + Changes
    + Inbox
    + Purges
    + Checkpoints
    + PendingDeletes
    + Rehearsals
    + Upkeep
    + Undos
    + Schemas
    + Send
    + Sync
    + std::fmt::Debug
{
    /// The seed under which this collection hashes records: drawn when it was made, never changed.
    fn seed(&self) -> HashSeed;

    /// Closes the connector to everything: from now on no run of it commits and no push to it is taken or read.
    /// However much it holds, that takes no longer than one small write; its pushes lie there until
    /// [`drop_pushes`](Purges::drop_pushes), its records until [`purge_step`](Purges::purge_step). Idempotent.
    async fn close_connector(&self, connector_id: ConnectorId) -> StoreResult<()>;
}

/// All collections of a backend.
#[async_trait]
pub trait CollectionStores: Send + Sync + std::fmt::Debug {
    /// The store of that id, made if it is not there yet.
    async fn open(&self, id: StoreId) -> StoreResult<Arc<dyn CollectionStore>>;

    /// The store of that id, if it is there.
    async fn find(&self, id: StoreId) -> StoreResult<Option<Arc<dyn CollectionStore>>>;

    /// Removes a store and all it holds, at once for everybody: those who still have it open get
    /// [`Closed`](crate::StoreErrorKind::Closed). Idempotent.
    async fn remove(&self, id: StoreId) -> StoreResult<()>;

    /// Every store there is, for finding those that nobody owns.
    async fn list(&self) -> StoreResult<Vec<StoreId>>;
}
