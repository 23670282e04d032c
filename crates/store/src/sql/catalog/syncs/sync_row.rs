//! The row of a sync: how it is read, found and written back.

use inlet_model::sync::SyncStatus;
use inlet_model::{ConnectorId, SyncId};

use super::super::page::{Listing, merge};
use super::kept_settings::KeptSettings;
use crate::catalog::{Created, Lease, Page, PageQuery, Sync, SyncFilter};
use crate::sql::catalog::Trouble;
use crate::sql::{Bind, Bound, Columns, Dialect, Json, Name, Session, SqlResult, Text, params, rows};

/// Where a sync belongs is its connector's business, so it is read from there.
pub(crate) const SELECT: &str = "SELECT s.id, c.space_id, c.collection_id, c.store_id, s.connector_id, s.status, s.asked_by, s.mode,
                             s.dry_run, s.only_streams, s.replays, s.reverts, s.attempt, s.created_at, s.started_at, s.last_progress_at, s.resume_at,
                             s.waits_for, s.retries, s.approval, s.finished_at, s.counts, s.streams, s.failure
                             FROM syncs AS s JOIN connectors AS c ON c.id = s.connector_id";

pub(super) fn get(db: &dyn Session, id: SyncId) -> Result<Option<Sync>, Trouble> {
    one(db, "WHERE s.id = ?1", params![Text(id)])
}

/// The newest sync of each connector that has one.
pub(super) fn last_of_each(db: &dyn Session, connector_ids: &[ConnectorId]) -> Result<Vec<Sync>, Trouble> {
    let ids: Vec<_> = connector_ids.iter().map(|id| vec![Bound::Text(id.to_string().into())]).collect();
    let mut last = Vec::with_capacity(ids.len());
    for ids in ids.chunks(rows::ROWS) {
        let condition = format!(
            "WHERE s.id IN (SELECT (SELECT l.id FROM syncs AS l WHERE l.connector_id = wanted.column1
                 ORDER BY l.created_at DESC, l.id DESC LIMIT 1) FROM (VALUES {}) AS wanted)",
            rows::values(ids, "")
        );
        last.extend(all(db, &condition, &rows::parameters(ids))?);
    }
    Ok(last)
}

/// The sync that holds the connector.
pub(in super::super) fn active(db: &dyn Session, connector_id: ConnectorId) -> Result<Option<Sync>, Trouble> {
    one(
        db,
        "WHERE s.connector_id = ?1 AND s.status IN ('running', 'waiting', 'needs_approval', 'cancelling')",
        params![Text(connector_id)],
    )
}

/// The sync that waits for the connector.
pub(in super::super) fn queued(db: &dyn Session, connector_id: ConnectorId) -> Result<Option<Sync>, Trouble> {
    one(db, "WHERE s.connector_id = ?1 AND s.status = 'queued'", params![Text(connector_id)])
}

/// The connector's sync that has not ended: the active one, else the queued one.
pub(super) fn unfinished(db: &dyn Session, connector_id: ConnectorId) -> Result<Option<Sync>, Trouble> {
    match active(db, connector_id)? {
        Some(active) => Ok(Some(active)),
        None => queued(db, connector_id),
    }
}

/// A page of a connector's syncs. Those of each state lie together in an index, so that few of many are found at once.
pub(super) fn list(
    db: &dyn Session,
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
    let select = select_by_status(db.dialect());
    for status in SyncStatus::ALL.into_iter().filter(|status| filter.statuses.contains(status)) {
        pages.push(listing(Some(status)).read(db, &select, sync_from, place)?);
    }
    Ok(merge(pages, &query, place))
}

/// By the index of states. Without being told, SQLite holds the index of all syncs for as good when there are times too.
pub(crate) fn select_by_status(dialect: Dialect) -> String {
    match dialect {
        Dialect::Sqlite => SELECT.replace("FROM syncs AS s", "FROM syncs AS s INDEXED BY syncs_by_status"),
        Dialect::Postgres => SELECT.to_owned(),
    }
}

pub(crate) fn listing(
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
pub(super) fn one(db: &dyn Session, condition: &str, params: &[&dyn Bind]) -> Result<Option<Sync>, Trouble> {
    Ok(db.row_if_any(&format!("{SELECT} {condition}"), params, sync_from)?)
}

/// All syncs that `condition` (with its order) selects.
pub(super) fn all(db: &dyn Session, condition: &str, params: &[&dyn Bind]) -> Result<Vec<Sync>, Trouble> {
    Ok(db.rows(&format!("{SELECT} {condition}"), params, sync_from)?)
}

/// Stores a sync that is to come at its turn.
pub(super) fn insert(tx: &dyn Session, sync: &Sync, turn: i64) -> Result<(), Trouble> {
    tx.execute(
        "INSERT INTO syncs (id, connector_id, status, asked_by, mode, only_streams, attempt, created_at,
         counts, streams, dry_run, replays, reverts, space_id, turn, kind) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7,
         ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, (SELECT kind FROM connectors WHERE id = ?2))",
        params![
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
            Text(&sync.space_id),
            turn,
        ],
    )?;
    Ok(())
}

/// Who has a sync from when it is claimed on, and what it keeps of its connector if it begins.
pub(super) struct Hold {
    pub(super) lease: Lease,
    pub(super) begins_with: Option<KeptSettings>,
}

/// Writes back what may change in a sync's life. Settings kept for a sync, and its lease, go when it ends.
pub(super) fn save(tx: &dyn Session, sync: &Sync) -> Result<(), Trouble> {
    save_held(tx, sync, None)
}

/// The same for a sync that is claimed at this moment.
pub(super) fn save_held(tx: &dyn Session, sync: &Sync, hold: Option<&Hold>) -> Result<(), Trouble> {
    tx.execute(
        "UPDATE syncs SET status = ?2, attempt = ?3, started_at = ?4, last_progress_at = ?5,
         finished_at = ?6, counts = ?7, streams = ?8, failure = ?9, resume_at = ?10, waits_for = ?11, retries = ?12,
         claimed = coalesce(?16, CASE WHEN ?13 = 1 THEN NULL ELSE claimed END),
         node = coalesce(?17, CASE WHEN ?14 = 1 THEN node END),
         lease_until = coalesce(?18, CASE WHEN ?14 = 1 THEN lease_until END), approval = ?15 WHERE id = ?1",
        params![
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
            hold.and_then(|hold| hold.begins_with.as_ref()).map(Json),
            hold.map(|hold| Text(hold.lease.node)),
            hold.map(|hold| hold.lease.until.as_micros()),
        ],
    )?;
    Ok(())
}

fn sync_from(columns: &mut Columns<'_>) -> SqlResult<Sync> {
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
