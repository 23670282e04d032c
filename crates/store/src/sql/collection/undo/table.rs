//! The undos and what they have collected, in the file.

use inlet_model::{ConnectorId, SyncId};

use super::super::error::{Outcome, Trouble};
use super::super::runs;
use super::super::streams::id_bytes;
use crate::collection::Run;
use crate::sql::{Bound, Columns, Session, SqlError, SqlResult, params, rows};

/// An undo as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct UndoRow {
    /// Its number.
    pub(super) id: i64,
    /// The sync that is undone.
    pub(super) undone: SyncId,
    /// The last change that was looked at to collect what is to be taken back.
    pub(super) collected: u64,
    /// The last that is to be looked at.
    pub(super) through: u64,
    pub(super) taken_back: u64,
    pub(super) kept: u64,
    pub(super) done: bool,
}

/// A record that the sync changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Collected {
    /// Its key in the key table.
    pub(super) filed: Vec<u8>,
    /// The change that stood before the sync's first; 0 if the record was not there.
    pub(super) before: u64,
    /// How the sync left it.
    pub(super) left: Left,
}

/// How the sync left a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Left {
    /// As this change made it.
    There(u64),
    /// Deleted.
    Gone,
    /// Another has changed it since.
    Changed,
}

impl Left {
    const THERE: i64 = 0;
    const GONE: i64 = 1;
    const CHANGED: i64 = 2;

    fn columns(self) -> (u64, i64) {
        match self {
            Self::There(change) => (change, Self::THERE),
            Self::Gone => (0, Self::GONE),
            Self::Changed => (0, Self::CHANGED),
        }
    }

    fn read(columns: &mut Columns<'_>) -> SqlResult<Self> {
        let change = columns.unsigned()?;
        match columns.plain()? {
            Self::THERE => Ok(Self::There(change)),
            Self::GONE => Ok(Self::Gone),
            Self::CHANGED => Ok(Self::Changed),
            unknown => Err(SqlError::row(format!("a record cannot be left in the state {unknown}"))),
        }
    }
}

/// The undo that a sync carries out.
pub(super) fn find(connection: &dyn Session, sync_id: SyncId) -> Outcome<Option<UndoRow>> {
    Ok(connection.row_if_any(
        "SELECT undo, undone, collected, through, taken_back, kept, done FROM store_undos WHERE store = ?0 AND sync_id = ?1",
        params![id_bytes(sync_id.as_u128())],
        |columns| {
            Ok(UndoRow {
                id: columns.plain()?,
                undone: SyncId::from_u128(columns.id()?),
                collected: columns.unsigned()?,
                through: columns.unsigned()?,
                taken_back: columns.unsigned()?,
                kept: columns.unsigned()?,
                done: columns.plain()?,
            })
        },
    )?)
}

/// Begins to undo the run, when the last change is `through`.
pub(super) fn begin(
    connection: &dyn Session,
    sync_id: SyncId,
    undone: &Run,
    through: u64,
) -> Outcome<UndoRow> {
    // Of a run that changed nothing there is nothing to collect.
    let collected = undone.changes.as_ref().map_or(through, |changes| changes.start() - 1);
    connection.execute(
        "INSERT INTO store_undos (store, undo, sync_id, undone, collected, through, taken_back, kept, done)
         SELECT ?0, coalesce(max(undo), 0) + 1, ?1, ?2, ?3, ?4, 0, 0, 0 FROM store_undos WHERE store = ?0",
        params![
            id_bytes(sync_id.as_u128()),
            id_bytes(undone.sync_id.as_u128()),
            collected as i64,
            through as i64
        ],
    )?;
    find(connection, sync_id)?.ok_or(Trouble::Broken("an undo that began is not there"))
}

/// Writes how far an undo has come.
pub(super) fn save(connection: &dyn Session, undo: &UndoRow) -> Outcome<()> {
    connection.execute(
        "UPDATE store_undos SET collected = ?2, taken_back = ?3, kept = ?4, done = ?5 WHERE store = ?0 AND undo = ?1",
        params![undo.id, undo.collected as i64, undo.taken_back as i64, undo.kept as i64, undo.done],
    )?;
    Ok(())
}

/// Notes how the sync left records, which are all different; what stood before counts only the first time.
pub(super) fn collect(connection: &dyn Session, undo: i64, records: &[Collected]) -> Outcome<()> {
    let rows: Vec<_> = records
        .iter()
        .map(|record| {
            let (last, state) = record.left.columns();
            vec![
                Bound::Integer(undo),
                Bound::Blob(&record.filed),
                Bound::Integer(record.before as i64),
                Bound::Integer(last as i64),
                Bound::Integer(state),
            ]
        })
        .collect();
    let otherwise = "ON CONFLICT (store, undo, k) DO UPDATE SET last = excluded.last, state = excluded.state";
    Ok(rows::insert(connection, "store_undo_keys (store, undo, k, before, last, state)", &rows, otherwise)?)
}

/// Notes that records were changed since, of these those that were collected.
pub(super) fn note_changed(connection: &dyn Session, undo: i64, filed: &[Vec<u8>]) -> Outcome<()> {
    let (last, state) = Left::Changed.columns();
    let keys: Vec<_> = filed.iter().map(|filed| vec![Bound::Blob(filed)]).collect();
    for keys in keys.chunks(rows::ROWS) {
        let sql = format!(
            "UPDATE store_undo_keys SET last = {last}, state = {state} FROM (VALUES {}) AS changed
             WHERE store = ?0 AND undo = {undo} AND k = changed.column1",
            rows::values(keys, "")
        );
        connection.execute(&sql, &rows::parameters(keys))?;
    }
    Ok(())
}

/// The first of what was collected, in the order of keys.
pub(super) fn first(connection: &dyn Session, undo: i64, limit: usize) -> Outcome<Vec<Collected>> {
    Ok(connection.rows(
        "SELECT k, before, last, state FROM store_undo_keys WHERE store = ?0 AND undo = ?1 ORDER BY k LIMIT ?2",
        params![undo, limit as i64],
        |columns| {
            Ok(Collected { filed: columns.plain()?, before: columns.unsigned()?, left: Left::read(columns)? })
        },
    )?)
}

/// Removes what was collected, up to this key.
pub(super) fn remove_through(connection: &dyn Session, undo: i64, filed: &[u8]) -> Outcome<()> {
    connection.execute(
        "DELETE FROM store_undo_keys WHERE store = ?0 AND undo = ?1 AND k <= ?2",
        params![undo, filed],
    )?;
    Ok(())
}

/// The next later run of the connector that changed something, behind `after`: its first and last change.
pub(super) fn next_run(
    connection: &dyn Session,
    connector_id: ConnectorId,
    after: u64,
) -> Outcome<Option<std::ops::RangeInclusive<u64>>> {
    let id = id_bytes(connector_id.as_u128());
    let found = connection.row_if_any(
        "SELECT first_change, last_change FROM store_runs WHERE store = ?0 AND connector_id = ?1 AND last_change > ?2
         ORDER BY last_change LIMIT 1",
        params![id, after as i64],
        runs::read_changes,
    )?;
    Ok(found.flatten())
}

/// Undos that a run is carrying out.
const UNDER_WAY: &str = "SELECT undo, undone FROM store_undos
    JOIN store_runs USING (store, sync_id)
    JOIN store_connectors USING (store, connector_id, sync_id)
    WHERE store = ?0 AND outcome IS NULL AND closed = 0 AND done = 0";

/// The first change that an undo under way needs to know of.
pub(in super::super) fn first_needed(connection: &dyn Session) -> Outcome<Option<u64>> {
    let sql = format!(
        "SELECT min(first_change) FROM store_runs
         WHERE store = ?0 AND sync_id IN (SELECT undone FROM ({UNDER_WAY}) AS under_way)"
    );
    let first: Option<i64> = connection.row(&sql, params![], |columns| columns.plain())?;
    Ok(first.and_then(|first| u64::try_from(first).ok()))
}

/// Removes what undos have collected that nobody carries out any more, at most `limit` rows of it; how many.
pub(in super::super) fn forget_abandoned(connection: &dyn Session, limit: usize) -> Outcome<usize> {
    let sql = format!(
        "DELETE FROM store_undo_keys WHERE store = ?0 AND (undo, k) IN (
             SELECT undo, k FROM store_undo_keys WHERE store = ?0 AND undo NOT IN (SELECT undo FROM ({UNDER_WAY}) AS under_way) LIMIT ?1)"
    );
    Ok(connection.execute(&sql, params![limit as i64])?)
}
