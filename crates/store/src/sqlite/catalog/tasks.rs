//! Tasks: what must still be done in the stores of collections.

use async_trait::async_trait;
use inlet_model::{ConnectorId, StoreId};
use rusqlite::{Row, Transaction, params};

use super::SqliteCatalog;
use super::error::Trouble;
use super::row::{Columns, Text};
use crate::StoreResult;
use crate::catalog::{Task, TaskId, TaskKind, Tasks};

const CLOSE_CONNECTOR: &str = "close_connector";
const REMOVE_STORE: &str = "remove_store";

#[async_trait]
impl Tasks for SqliteCatalog {
    async fn task_list(&self, limit: usize) -> StoreResult<Vec<Task>> {
        self.read_rows("list the tasks", move |db| {
            let mut statement =
                db.prepare_cached("SELECT id, kind, store_id, connector_id FROM tasks ORDER BY id LIMIT ?1")?;
            let rows = statement.query_map([i64::try_from(limit).unwrap_or(i64::MAX)], task_from)?;
            Ok(rows.collect::<rusqlite::Result<Vec<Task>>>()?)
        })
        .await
    }

    async fn task_done(&self, id: TaskId) -> StoreResult<()> {
        self.write("forget a task", move |tx| {
            tx.execute("DELETE FROM tasks WHERE id = ?1", [id.0])?;
            Ok(())
        })
        .await
    }
}

/// Queues a task.
pub(super) fn queue(tx: &Transaction<'_>, kind: TaskKind) -> Result<Task, Trouble> {
    let (name, store_id, connector_id) = match kind {
        TaskKind::CloseConnector { store_id, connector_id } => {
            (CLOSE_CONNECTOR, store_id, Some(connector_id))
        }
        TaskKind::RemoveStore { store_id } => (REMOVE_STORE, store_id, None),
    };
    tx.prepare_cached("INSERT INTO tasks (kind, store_id, connector_id) VALUES (?1, ?2, ?3)")?
        .execute(params![name, Text(store_id), connector_id.map(Text)])?;
    Ok(Task { id: TaskId(tx.last_insert_rowid()), kind })
}

/// Forgets the tasks of a store that goes as a whole: done later, they would make it anew.
pub(super) fn drop_all_of(tx: &Transaction<'_>, store_id: StoreId) -> Result<(), Trouble> {
    tx.prepare_cached("DELETE FROM tasks WHERE store_id = ?1")?.execute([Text(store_id)])?;
    Ok(())
}

fn task_from(row: &Row<'_>) -> rusqlite::Result<Task> {
    let mut columns = Columns::of(row);
    let id = TaskId(columns.plain()?);
    let name: String = columns.plain()?;
    let store_id = columns.text()?;
    let connector_id: Option<ConnectorId> = columns.optional_text()?;
    let kind = match (name.as_str(), connector_id) {
        (CLOSE_CONNECTOR, Some(connector_id)) => TaskKind::CloseConnector { store_id, connector_id },
        (REMOVE_STORE, None) => TaskKind::RemoveStore { store_id },
        _ => return Err(rusqlite::Error::InvalidColumnType(1, name, rusqlite::types::Type::Text)),
    };
    Ok(Task { id, kind })
}
