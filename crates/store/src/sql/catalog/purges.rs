//! Purges: records that are still to be removed.

use async_trait::async_trait;
use inlet_model::{ConnectorId, StoreId, StreamName};

use super::audit::Write;
use super::syncs::sync_row;
use super::{SqlCatalog, collections};
use crate::StoreResult;
use crate::catalog::{Action, Purge, PurgeEffect, PurgeId, Purges, Target};
use crate::sql::catalog::Trouble;
use crate::sql::{Columns, Session, SqlError, SqlResult, Text, params};

const SELECT: &str = "SELECT id, store_id, connector_id, stream FROM purges";

#[async_trait]
impl Purges for SqlCatalog {
    async fn purge_queue(
        &self,
        store_id: StoreId,
        connector_ids: Vec<ConnectorId>,
        stream: Option<StreamName>,
    ) -> StoreResult<PurgeEffect> {
        self.write("queue a purge", move |tx| queue(tx, store_id, &connector_ids, stream.as_ref())).await
    }

    async fn purge_list(&self, after: PurgeId, limit: usize) -> StoreResult<Vec<Purge>> {
        self.read_rows("list the purges", move |db| {
            let limit = i64::try_from(limit).unwrap_or(i64::MAX);
            Ok(db.rows(
                &format!("{SELECT} WHERE id > ?1 ORDER BY id LIMIT ?2"),
                params![after.0, limit],
                purge_from,
            )?)
        })
        .await
    }

    async fn purge_list_of(&self, store_id: StoreId) -> StoreResult<Vec<Purge>> {
        self.read_row("list the purges of a store", move |db| {
            Ok(db.rows(
                &format!("{SELECT} WHERE store_id = ?1 ORDER BY id"),
                params![Text(store_id)],
                purge_from,
            )?)
        })
        .await
    }

    async fn purge_done(&self, id: PurgeId) -> StoreResult<()> {
        self.write("forget a purge", move |tx| {
            tx.execute("DELETE FROM purges WHERE id = ?1", params![id.0])?;
            Ok(())
        })
        .await
    }
}

fn queue(
    tx: &Write<'_>,
    store_id: StoreId,
    connector_ids: &[ConnectorId],
    stream: Option<&StreamName>,
) -> Result<PurgeEffect, Trouble> {
    let Some(collection) = collections::of_store(tx, store_id)? else { return Ok(PurgeEffect::Absent) };
    for connector_id in connector_ids {
        if let Some(active) = sync_row::active(tx, *connector_id)? {
            return Ok(PurgeEffect::Held(Box::new(active)));
        }
    }
    connector_ids.iter().try_for_each(|connector_id| queue_one(tx, store_id, *connector_id, stream))?;
    let target = match connector_ids {
        [only] => Target::connector(&collection.space_id, &collection.id, *only),
        _ => Target::collection(&collection.space_id, &collection.id),
    };
    tx.audit(Action::RecordsRemove, target)?;
    Ok(PurgeEffect::Queued)
}

/// Queues a purge, unless it is queued already.
pub(super) fn queue_one(
    tx: &dyn Session,
    store_id: StoreId,
    connector_id: ConnectorId,
    stream: Option<&StreamName>,
) -> Result<(), Trouble> {
    tx.execute(
        "INSERT INTO purges (store_id, connector_id, stream) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING",
        params![Text(store_id), Text(connector_id), stream.map(StreamName::as_str)],
    )?;
    Ok(())
}

/// Forgets the purges of a store that goes as a whole.
pub(super) fn drop_all_of(tx: &dyn Session, store_id: StoreId) -> Result<(), Trouble> {
    tx.execute("DELETE FROM purges WHERE store_id = ?1", params![Text(store_id)])?;
    Ok(())
}

fn purge_from(columns: &mut Columns<'_>) -> SqlResult<Purge> {
    let (id, store_id, connector_id) = (PurgeId(columns.plain()?), columns.text()?, columns.text()?);
    let stream: Option<String> = columns.plain()?;
    let stream = stream.map(|name| StreamName::new(&name)).transpose().map_err(SqlError::row)?;
    Ok(Purge { id, store_id, connector_id, stream })
}
