//! Tasks: what must still be done in a collection's store after the catalog has decided it.

use async_trait::async_trait;
use inlet_model::{ConnectorId, StoreId};

use crate::StoreResult;

/// Identifies a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TaskId(pub i64);

/// What is to be done. Each is idempotent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TaskKind {
    /// Close a deleted connector in its store.
    CloseConnector {
        /// The store.
        store_id: StoreId,
        /// The connector.
        connector_id: ConnectorId,
    },
    /// Remove the store of a deleted collection.
    RemoveStore {
        /// The store.
        store_id: StoreId,
    },
}

/// Something to do, queued in the transaction that decided it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Task {
    /// Its id.
    pub id: TaskId,
    /// What is to be done.
    pub kind: TaskKind,
}

/// The tasks of the catalog.
#[async_trait]
pub trait Tasks {
    /// The tasks to do, oldest first, at most `limit`.
    async fn task_list(&self, limit: usize) -> StoreResult<Vec<Task>>;
    /// Forgets a task that is done.
    async fn task_done(&self, id: TaskId) -> StoreResult<()>;
}
