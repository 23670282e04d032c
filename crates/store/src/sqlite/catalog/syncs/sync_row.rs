//! The row of a sync: how it is read, found and written back.

use inlet_model::sync::SyncStatus;
use inlet_model::{ConnectorId, SyncId};
use rusqlite::{Connection, OptionalExtension, Params, Row, Transaction, params};

use super::super::error::Trouble;
use super::super::page::{Listing, merge};
use super::super::row::{Columns, Json, Name, Text};
use crate::catalog::{Created, Page, PageQuery, Sync, SyncFilter};

/// Where a sync belongs is its connector's business, so it is read from there.
pub(in super::super) const SELECT: &str = "SELECT s.id, c.space_id, c.collection_id, c.store_id, s.connector_id, s.status, s.asked_by, s.mode,
                             s.dry_run, s.only_streams, s.replays, s.reverts, s.attempt, s.created_at, s.started_at, s.last_progress_at, s.resume_at,
                             s.waits_for, s.retries, s.approval, s.finished_at, s.counts, s.streams, s.failure
                             FROM syncs AS s JOIN connectors AS c ON c.id = s.connector_id";

pub(super) fn get(db: &Connection, id: SyncId) -> Result<Option<Sync>, Trouble> {
    one(db, "WHERE s.id = ?1", [Text(id)])
}

/// The newest sync of a connector.
pub(super) fn last(db: &Connection, connector_id: ConnectorId) -> Result<Option<Sync>, Trouble> {
    one(db, "WHERE s.connector_id = ?1 ORDER BY s.created_at DESC, s.id DESC LIMIT 1", [Text(connector_id)])
}

/// The sync that holds the connector.
pub(in super::super) fn active(db: &Connection, connector_id: ConnectorId) -> Result<Option<Sync>, Trouble> {
    one(
        db,
        "WHERE s.connector_id = ?1 AND s.status IN ('running', 'waiting', 'needs_approval', 'cancelling')",
        [Text(connector_id)],
    )
}

/// The sync that waits for the connector.
pub(in super::super) fn queued(db: &Connection, connector_id: ConnectorId) -> Result<Option<Sync>, Trouble> {
    one(db, "WHERE s.connector_id = ?1 AND s.status = 'queued'", [Text(connector_id)])
}

/// The connector's sync that has not ended: the active one, else the queued one.
pub(super) fn unfinished(db: &Connection, connector_id: ConnectorId) -> Result<Option<Sync>, Trouble> {
    match active(db, connector_id)? {
        Some(active) => Ok(Some(active)),
        None => queued(db, connector_id),
    }
}

/// A page of a connector's syncs. Those of each state lie together in an index, so that few of many are found at once.
pub(super) fn list(
    db: &Connection,
    connector_id: ConnectorId,
    filter: &SyncFilter,
    query: PageQuery,
) -> Result<Page<Sync>, Trouble> {
    let place = |sync: &Sync| (sync.created_at, sync.id.to_string());
    let listing = |status| listing(connector_id, status, filter.created, query.clone());
    if filter.statuses.is_empty() {
        return Ok(listing(None).read(db, SELECT, sync_from, place)?);
    }
    let mut pages = Vec::with_capacity(filter.statuses.len());
    let select = select_by_status();
    for status in SyncStatus::ALL.into_iter().filter(|status| filter.statuses.contains(status)) {
        pages.push(listing(Some(status)).read(db, &select, sync_from, place)?);
    }
    Ok(merge(pages, &query, place))
}

/// By the index of states. Without being told, SQLite holds the index of all syncs for as good when there are times too.
pub(in super::super) fn select_by_status() -> String {
    SELECT.replace("FROM syncs AS s", "FROM syncs AS s INDEXED BY syncs_by_status")
}

pub(in super::super) fn listing(
    connector_id: ConnectorId,
    status: Option<SyncStatus>,
    created: Created,
    query: PageQuery,
) -> Listing {
    Listing::of(query)
        .prefixed("s.")
        .only("s.connector_id = ?", connector_id.to_string())
        .only_if("s.status = ?", status.map(|status| status.as_str().to_owned()))
        .created(created)
}

/// The first sync of those that `condition` (with its order) selects.
pub(super) fn one(db: &Connection, condition: &str, params: impl Params) -> Result<Option<Sync>, Trouble> {
    let mut statement = db.prepare_cached(&format!("{SELECT} {condition}"))?;
    Ok(statement.query_row(params, sync_from).optional()?)
}

/// All syncs that `condition` (with its order) selects.
pub(super) fn all(db: &Connection, condition: &str, params: impl Params) -> Result<Vec<Sync>, Trouble> {
    let mut statement = db.prepare_cached(&format!("{SELECT} {condition}"))?;
    let rows = statement.query_map(params, sync_from)?;
    Ok(rows.collect::<rusqlite::Result<Vec<Sync>>>()?)
}

pub(super) fn insert(tx: &Transaction<'_>, sync: &Sync) -> Result<(), Trouble> {
    tx.prepare_cached(
        "INSERT INTO syncs (id, connector_id, status, asked_by, mode, only_streams, attempt, created_at, counts, streams,
                            dry_run, replays, reverts)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
    )?
    .execute(params![
        Text(sync.id),
        Text(sync.connector_id),
        sync.status.as_str(),
        Name(sync.trigger),
        Name(sync.mode),
        Json(&sync.only_streams),
        sync.attempt,
        sync.created_at.as_micros(),
        Json(sync.counts),
        Json(&sync.streams),
        sync.dry_run,
        sync.replays.map(Text),
        sync.reverts.map(Text),
    ])?;
    Ok(())
}

/// Writes back what may change in a sync's life. Settings kept for a sync, and its lease, go when it ends.
pub(super) fn save(tx: &Transaction<'_>, sync: &Sync) -> Result<(), Trouble> {
    tx.prepare_cached(
        "UPDATE syncs SET status = ?2, attempt = ?3, started_at = ?4, last_progress_at = ?5, finished_at = ?6,
                          counts = ?7, streams = ?8, failure = ?9, resume_at = ?10, waits_for = ?11, retries = ?12,
                          claimed = iif(?13, NULL, claimed), node = iif(?14, node, NULL),
                          lease_until = iif(?14, lease_until, NULL), approval = ?15
         WHERE id = ?1",
    )?
    .execute(params![
        Text(sync.id),
        sync.status.as_str(),
        sync.attempt,
        sync.started_at.map(|time| time.as_micros()),
        sync.last_progress_at.map(|time| time.as_micros()),
        sync.finished_at.map(|time| time.as_micros()),
        Json(sync.counts),
        Json(&sync.streams),
        sync.failure.as_ref().map(Json),
        sync.resume_at.map(|time| time.as_micros()),
        sync.waits_for.as_ref().map(Json),
        sync.retries,
        sync.status.is_final(),
        matches!(sync.status, SyncStatus::Running | SyncStatus::Cancelling),
        sync.approval.as_ref().map(Json),
    ])?;
    Ok(())
}

fn sync_from(row: &Row<'_>) -> rusqlite::Result<Sync> {
    let mut columns = Columns::of(row);
    Ok(Sync {
        id: columns.text()?,
        space_id: columns.text()?,
        collection_id: columns.text()?,
        store_id: columns.text()?,
        connector_id: columns.text()?,
        status: columns.name()?,
        trigger: columns.name()?,
        mode: columns.name()?,
        dry_run: columns.plain()?,
        only_streams: columns.json()?,
        replays: columns.optional_text()?,
        reverts: columns.optional_text()?,
        attempt: columns.plain()?,
        created_at: columns.time()?,
        started_at: columns.optional_time()?,
        last_progress_at: columns.optional_time()?,
        resume_at: columns.optional_time()?,
        waits_for: columns.optional_json()?,
        retries: columns.plain()?,
        approval: columns.optional_json()?,
        finished_at: columns.optional_time()?,
        counts: columns.json()?,
        streams: columns.json()?,
        failure: columns.optional_json()?,
    })
}
