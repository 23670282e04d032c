//! Brings the catalog and the stores into agreement: does the tasks that the catalog has queued.
//!
//! Each task is idempotent and is forgotten only when it is done, so that a crash anywhere between only means
//! doing it again.

use std::collections::HashSet;

use inlet_store::StoreResult;
use inlet_store::catalog::{Task, TaskKind};

use crate::engine::EngineParts;

/// Does every queued task; those that fail stay queued for the next time.
pub(crate) async fn tasks(parts: &EngineParts) -> StoreResult<()> {
    const AT_ONCE: usize = 100;
    loop {
        let tasks = parts.catalog.task_list(AT_ONCE).await?;
        let (all, mut done) = (tasks.len(), 0);
        for task in tasks {
            match carry_out(parts, task).await {
                Ok(()) => done += 1,
                Err(error) => {
                    tracing::error!(task = ?task.kind, error = &error as &dyn std::error::Error, "a task failed and stays queued");
                }
            }
        }
        if all < AT_ONCE || done == 0 {
            return Ok(());
        }
    }
}

async fn carry_out(parts: &EngineParts, task: Task) -> StoreResult<()> {
    match task.kind {
        TaskKind::CloseConnector { store_id, connector_id } => {
            parts.stores.open(store_id).await?.close_connector(connector_id).await?;
        }
        TaskKind::RemoveStore { store_id } => parts.stores.remove(store_id).await?,
    }
    parts.catalog.task_done(task.id).await
}

/// Names the stores that no collection owns. They are left alone: a catalog restored from an older backup does not
/// know newer collections, and must not cost their data.
pub(crate) async fn report_unowned(parts: &EngineParts) -> StoreResult<()> {
    let stores = parts.stores.list().await?;
    let owned: HashSet<_> = parts.catalog.collection_stores().await?.into_iter().collect();
    for store_id in stores.into_iter().filter(|id| !owned.contains(id)) {
        tracing::warn!(%store_id, "no collection owns this store; it is left as it is");
    }
    Ok(())
}
