//! Giving syncs to a worker.

use inlet_model::sync::{MoveCause, SyncStatus};
use inlet_model::{ConnectorId, Timestamp};

use super::super::{connectors, nodes};
use super::kept_settings::{self, KeptSettings};
use super::moves::{Step, advance};
use super::sync_row::Hold;
use super::{room, sync_row};
use crate::catalog::{Claim, ClaimKind, Lease, Sync, SyncLimits};
use crate::collection::Fence;
use crate::sql::catalog::Trouble;
use crate::sql::{Bind, Bound, Dialect, Session, Text, Unsigned, params};

/// Gives a sync to a worker: what was begun goes before what was not.
pub(super) fn claim(
    tx: &dyn Session,
    lease: Lease,
    limits: &SyncLimits,
    now: Timestamp,
) -> Result<Option<Claim>, Trouble> {
    if let Some(sync) = due(tx, limits, now)? {
        return resume(tx, sync, lease, now).map(Some);
    }
    if let Some(sync) = lost(tx, lease, now)? {
        return take_over_one(tx, sync, lease).map(Some);
    }
    match next(tx, limits)? {
        Some(sync) => begin(tx, sync, lease, now).map(Some),
        None => Ok(None),
    }
}

/// The sync that has waited long enough, and that there is room for.
fn due(tx: &dyn Session, limits: &SyncLimits, now: Timestamp) -> Result<Option<Sync>, Trouble> {
    let (room, mut params) = room::condition(limits, 2);
    params.insert(0, Bound::Integer(now.as_micros()));
    let condition =
        format!("WHERE s.status = 'waiting' AND s.resume_at <= ?1 {room} ORDER BY s.resume_at, s.id LIMIT 1");
    claimable(tx, &condition, &as_binds(&params))
}

/// The sync of another node whose lease is over, that was given back, or that was approved. It has its room.
fn lost(tx: &dyn Session, lease: Lease, now: Timestamp) -> Result<Option<Sync>, Trouble> {
    let condition =
        "WHERE s.status IN ('running', 'cancelling') AND s.lease_until <= ?1 AND s.node IS DISTINCT FROM ?2
                     ORDER BY s.lease_until LIMIT 1";
    claimable(tx, condition, params![now.as_micros(), Text(lease.node)])
}

/// The sync whose turn comes first among those whose connector is free and that there is room for.
fn next(tx: &dyn Session, limits: &SyncLimits) -> Result<Option<Sync>, Trouble> {
    let (room, params) = room::condition(limits, 1);
    claimable(tx, &next_where(&room), &as_binds(&params))
}

pub(crate) fn next_where(room: &str) -> String {
    format!(
        "WHERE s.status = 'queued' AND s.blocked = 0
             AND NOT EXISTS (SELECT 1 FROM purges AS p WHERE p.connector_id = s.connector_id)
             AND NOT EXISTS (SELECT 1 FROM discards AS d WHERE d.connector_id = s.connector_id) {room}
         ORDER BY s.turn, s.created_at, s.id LIMIT 1"
    )
}

fn as_binds<'a>(params: &'a [Bound<'_>]) -> Vec<&'a dyn Bind> {
    params.iter().map(|param| param as &dyn Bind).collect()
}

/// The first of them that no other claim has its hand on: those who claim at once do not wait for each other.
fn claimable(tx: &dyn Session, condition: &str, params: &[&dyn Bind]) -> Result<Option<Sync>, Trouble> {
    let locking = match tx.dialect() {
        // Nobody else writes.
        Dialect::Sqlite => "",
        Dialect::Postgres => "FOR UPDATE OF s SKIP LOCKED",
    };
    sync_row::one(tx, &format!("{condition} {locking}"), params)
}

fn begin(tx: &dyn Session, mut sync: Sync, lease: Lease, now: Timestamp) -> Result<Claim, Trouble> {
    sync.attempt = 1;
    sync.started_at = Some(now);
    let (fence, connector) = connectors::fenced(tx, sync.connector_id)?;
    // One that begins keeps the settings of its connector.
    let hold = Hold { lease, begins_with: connector.as_ref().map(KeptSettings::of) };
    advance(tx, &mut sync, Step::new(SyncStatus::Running, MoveCause::Claimed).held(&hold), now)?;
    Ok(Claim { kind: ClaimKind::Begun, sync, connector, fence })
}

fn resume(tx: &dyn Session, mut sync: Sync, lease: Lease, now: Timestamp) -> Result<Claim, Trouble> {
    sync.attempt += 1;
    sync.stop_waiting();
    let hold = Hold { lease, begins_with: None };
    advance(tx, &mut sync, Step::new(SyncStatus::Running, MoveCause::Resumed).held(&hold), now)?;
    held(tx, ClaimKind::Resumed, sync)
}

/// Claims again what a process had claimed that has ended, or knows nobody else.
pub(super) fn take_over(tx: &dyn Session, lease: Lease) -> Result<Vec<Claim>, Trouble> {
    let held = sync_row::all(
        tx,
        "WHERE s.status IN ('running', 'cancelling') ORDER BY s.created_at, s.id",
        params![],
    )?;
    nodes::forget_others(tx, lease.node)?;
    held.into_iter().map(|sync| take_over_one(tx, sync, lease)).collect()
}

/// A restart is no move: the sync is running, and runs on in its next attempt.
fn take_over_one(tx: &dyn Session, mut sync: Sync, lease: Lease) -> Result<Claim, Trouble> {
    let kind = if is_held(tx, &sync)? { ClaimKind::TakenOver } else { ClaimKind::Resumed };
    if sync.status == SyncStatus::Running {
        sync.attempt += 1;
    }
    sync_row::save_held(tx, &sync, Some(&Hold { lease, begins_with: None }))?;
    held(tx, kind, sync)
}

/// The claim of a sync that was begun before, with the settings it began with.
fn held(tx: &dyn Session, kind: ClaimKind, sync: Sync) -> Result<Claim, Trouble> {
    let (fence, connector) = connectors::fenced(tx, sync.connector_id)?;
    let connector = connector.map(|connector| kept_settings::applied(tx, sync.id, connector)).transpose()?;
    Ok(Claim { kind, sync, connector, fence })
}

/// Whether a node has the sync, or had it and was lost.
fn is_held(tx: &dyn Session, sync: &Sync) -> Result<bool, Trouble> {
    Ok(tx.row("SELECT node IS NOT NULL FROM syncs WHERE id = ?1", params![Text(sync.id)], |columns| {
        columns.plain()
    })?)
}

/// Whether nobody has claimed the connector since.
pub(super) fn is_current(tx: &dyn Session, connector_id: ConnectorId, fence: Fence) -> Result<bool, Trouble> {
    Ok(tx.row(
        "SELECT fence = ?2 FROM connectors WHERE id = ?1",
        params![Text(connector_id), Unsigned(fence.0)],
        |columns| columns.plain(),
    )?)
}
