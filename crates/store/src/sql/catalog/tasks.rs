//! Tasks: what must still be done in the stores of collections.

use async_trait::async_trait;
use inlet_model::{ConnectorId, StoreId};

use super::SqlCatalog;
use crate::StoreResult;
use crate::catalog::{Task, TaskId, TaskKind, Tasks};
use crate::sql::catalog::Trouble;
use crate::sql::{Columns, Session, SqlError, SqlResult, Text, params};

const CLOSE_CONNECTOR: &str = "close_connector";
const REMOVE_STORE: &str = "remove_store";

#[async_trait]
impl Tasks for SqlCatalog {
    async fn task_list(&self, limit: usize) -> StoreResult<Vec<Task>> {
        self.read_rows("list the tasks", move |db| {
            Ok(db.rows(
                "SELECT id, kind, store_id, connector_id FROM tasks ORDER BY id LIMIT ?1",
                params![i64::try_from(limit).unwrap_or(i64::MAX)],
                task_from,
            )?)
        })
        .await
    }

    async fn task_done(&self, id: TaskId) -> StoreResult<()> {
        self.write("forget a task", move |tx| {
            tx.execute("DELETE FROM tasks WHERE id = ?1", params![id.0])?;
            Ok(())
        })
        .await
    }
}

/// Queues a task.
pub(super) fn queue(tx: &dyn Session, kind: TaskKind) -> Result<Task, Trouble> {
    let (name, store_id, connector_id) = match kind {
        TaskKind::CloseConnector { store_id, connector_id } => {
            (CLOSE_CONNECTOR, store_id, Some(connector_id))
        }
        TaskKind::RemoveStore { store_id } => (REMOVE_STORE, store_id, None),
    };
    let id = tx.row(
        "INSERT INTO tasks (kind, store_id, connector_id) VALUES (?1, ?2, ?3) RETURNING id",
        params![name, Text(store_id), connector_id.map(Text)],
        |columns| columns.plain(),
    )?;
    Ok(Task { id: TaskId(id), kind })
}

/// Forgets the tasks of a store that goes as a whole: done later, they would make it anew.
pub(super) fn drop_all_of(tx: &dyn Session, store_id: StoreId) -> Result<(), Trouble> {
    tx.execute("DELETE FROM tasks WHERE store_id = ?1", params![Text(store_id)])?;
    Ok(())
}

fn task_from(columns: &mut Columns<'_>) -> SqlResult<Task> {
    let id = TaskId(columns.plain()?);
    let name: String = columns.plain()?;
    let store_id = columns.text()?;
    let connector_id: Option<ConnectorId> = columns.optional_text()?;
    let kind = match (name.as_str(), connector_id) {
        (CLOSE_CONNECTOR, Some(connector_id)) => TaskKind::CloseConnector { store_id, connector_id },
        (REMOVE_STORE, None) => TaskKind::RemoveStore { store_id },
        _ => return Err(SqlError::row("the kind of a task, and whose it is, do not go together")),
    };
    Ok(Task { id, kind })
}
