//! Schedules: the syncs that nobody asks for by hand.

use std::time::Duration;

use async_trait::async_trait;
use inlet_model::sync::{Failure, SyncMode, SyncStatus, SyncTrigger};
use inlet_model::{ConnectorId, SyncId, Timestamp};

use super::syncs::{self, moves, sync_row};
use super::{SqlCatalog, connectors};
use crate::StoreResult;
use crate::catalog::{Connector, ConnectorStatus, Notice, Schedules, Sync};
use crate::sql::catalog::Trouble;
use crate::sql::{Json, Name, Session, Text, params};

/// How long a connector keeps away after its first failure; twice as long after each further.
const BACKOFF: Duration = Duration::from_secs(60);
const LONGEST_BACKOFF: Duration = Duration::from_secs(6 * 60 * 60);

/// A chain of connectors, each of which follows another, is not followed further than this.
const LONGEST_CHAIN: usize = 100;

#[async_trait]
impl Schedules for SqlCatalog {
    async fn schedule_fire(&self, now: Timestamp, limit: usize) -> StoreResult<usize> {
        self.write("queue what is due", move |tx| fire(tx, now, limit)).await
    }

    async fn schedule_next(&self) -> StoreResult<Option<Timestamp>> {
        self.read_row("find the next scheduled sync", next).await
    }
}

fn fire(tx: &dyn Session, now: Timestamp, limit: usize) -> Result<usize, Trouble> {
    let due = due(tx, now, limit)?;
    for connector in &due {
        let at = connector.next_sync_at.map_or(0, Timestamp::as_micros);
        queue(tx, connector, SyncTrigger::Schedule, u128::from(at.unsigned_abs()), now)?;
        set_next(tx, connector.id, next_after(connector, connector.failures, now))?;
    }
    Ok(due.len())
}

fn due(tx: &dyn Session, now: Timestamp, limit: usize) -> Result<Vec<Connector>, Trouble> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    Ok(tx.rows(
        &format!("{} WHERE next_sync_at <= ?1 ORDER BY next_sync_at, id LIMIT ?2", connectors::SELECT),
        params![now.as_micros(), limit],
        connectors::connector_from,
    )?)
}

fn next(db: &dyn Session) -> Result<Option<Timestamp>, Trouble> {
    let at = db.row("SELECT min(next_sync_at) FROM connectors", params![], |columns| {
        columns.plain::<Option<i64>>()
    })?;
    Ok(at.map(Timestamp::from_micros))
}

/// Queues a sync, unless one waits already. Its id follows from `reason`, so that nothing but the catalog's own rows is needed.
fn queue(
    tx: &dyn Session,
    connector: &Connector,
    trigger: SyncTrigger,
    reason: u128,
    now: Timestamp,
) -> Result<(), Trouble> {
    if sync_row::queued(tx, connector.id)?.is_some() {
        return Ok(());
    }
    let id = SyncId::derived(now, &[connector.id.as_u128(), reason]);
    moves::begin(tx, &Sync::queued(id, connector, trigger, SyncMode::Incremental, now))
}

/// When a connector syncs next by itself, if it may, and as far from now as so many failures in a row demand.
pub(super) fn next_after(connector: &Connector, failures: u32, now: Timestamp) -> Option<Timestamp> {
    if connector.status != ConnectorStatus::Active {
        return None;
    }
    connector.schedule.next_of(connector.id, now.plus(backoff(failures)), connector.created_at)
}

fn backoff(failures: u32) -> Duration {
    match failures.checked_sub(1) {
        None => Duration::ZERO,
        Some(doublings) => BACKOFF.saturating_mul(2_u32.saturating_pow(doublings)).min(LONGEST_BACKOFF),
    }
}

fn set_next(tx: &dyn Session, id: ConnectorId, next: Option<Timestamp>) -> Result<(), Trouble> {
    tx.execute(
        "UPDATE connectors SET next_sync_at = ?2 WHERE id = ?1",
        params![Text(id), next.map(Timestamp::as_micros)],
    )?;
    Ok(())
}

/// Sets when each connector syncs next, for a catalog in which that did not stand.
pub(crate) fn set_all(tx: &dyn Session, now: Timestamp) -> Result<(), Trouble> {
    let sql = format!("{} WHERE schedule <> 'null' AND deleted_at IS NULL", connectors::SELECT);
    let connectors = tx.rows(&sql, params![], connectors::connector_from)?;
    connectors.iter().try_for_each(|one| set_next(tx, one.id, next_after(one, 0, now)))
}

/// Whether a connector that follows `followed` would come to follow itself.
pub(super) fn is_circular(
    db: &dyn Session,
    id: ConnectorId,
    followed: Option<ConnectorId>,
) -> Result<bool, Trouble> {
    let mut next = followed;
    for _ in 0..LONGEST_CHAIN {
        match next {
            None => return Ok(false),
            Some(found) if found == id => return Ok(true),
            Some(found) => next = connectors::get(db, found)?.and_then(|found| found.schedule.follows()),
        }
    }
    // So long a chain is taken for a circle: nobody needs one.
    Ok(true)
}

/// A sync has ended: those that follow its connector have their turn, or the connector has one failure more.
pub(super) fn note_end(tx: &dyn Session, sync: &Sync, now: Timestamp) -> Result<(), Trouble> {
    let Some(connector) = connectors::get(tx, sync.connector_id)? else { return Ok(()) };
    match sync.status {
        SyncStatus::Succeeded => {
            if connector.failures > 0 || connector.notice.is_some() {
                tx.execute(
                    "UPDATE connectors SET failures = 0, notice = NULL WHERE id = ?1",
                    params![Text(connector.id)],
                )?;
                set_next(tx, connector.id, next_after(&connector, 0, now))?;
            }
            followers(tx, connector.id)?
                .iter()
                .try_for_each(|one| queue(tx, one, SyncTrigger::AfterConnector, sync.id.as_u128(), now))
        }
        SyncStatus::Failed => note_failure(tx, &connector, sync.failure.as_ref(), now),
        _ => Ok(()),
    }
}

fn followers(tx: &dyn Session, id: ConnectorId) -> Result<Vec<Connector>, Trouble> {
    Ok(tx.rows(
        &format!(
            "{} WHERE follows = ?1 AND status = 'active' AND deleted_at IS NULL ORDER BY id",
            connectors::SELECT
        ),
        params![Text(id)],
        connectors::connector_from,
    )?)
}

fn note_failure(
    tx: &dyn Session,
    connector: &Connector,
    failure: Option<&Failure>,
    now: Timestamp,
) -> Result<(), Trouble> {
    let failures = connector.failures.saturating_add(1);
    let limit = connector.policy.pause_after_failures;
    // Who syncs only by hand sees each failure, and need not be stopped.
    let is_to_pause = limit > 0 && failures >= limit && connector.schedule != Default::default();
    if !is_to_pause {
        tx.execute(
            "UPDATE connectors SET failures = ?2 WHERE id = ?1",
            params![Text(connector.id), failures],
        )?;
        return set_next(tx, connector.id, next_after(connector, failures, now));
    }
    let last = failure.map_or("", |failure| failure.message.as_str());
    let notice = Notice {
        code: "connector.paused_after_failures".to_owned(),
        message: format!("{failures} syncs in a row have failed, the last because of: {last}"),
        at: now,
    };
    tx.execute(
        "UPDATE connectors SET failures = ?2, status = ?3, notice = ?4, next_sync_at = NULL,
                               version = version + 1, updated_at = ?5
         WHERE id = ?1 AND status = 'active'",
        params![Text(connector.id), failures, Name(ConnectorStatus::Paused), Json(notice), now.as_micros()],
    )?;
    syncs::settle_queued(tx, connector.id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_failure_doubles_the_time_that_a_connector_keeps_away() {
        let minutes: Vec<u64> = (0..=12).map(|failures| backoff(failures).as_secs() / 60).collect();
        assert_eq!(minutes, [0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 360, 360, 360]);
        assert_eq!(backoff(u32::MAX), LONGEST_BACKOFF);
    }
}
