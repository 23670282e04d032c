//! The one way in which a sync's state changes: by a move of the table, which is kept in the sync's history.

use inlet_model::sync::{MoveCause, StateMove, SyncStatus};
use inlet_model::{SyncId, Timestamp};

use super::super::deliveries;
use super::sync_row::Hold;
use super::{blocked, sync_row, turn};
use crate::catalog::{Sync, WebhookEvent};
use crate::sql::catalog::Trouble;
use crate::sql::{Columns, Name, Session, SqlResult, Text, Unsigned, params};

/// Of a sync that moves very often the first moves and the last are kept, so many of each.
const KEPT: i64 = 100;

/// Where a sync goes, and why.
#[derive(Clone, Copy)]
pub(super) struct Step<'a> {
    pub(super) to: SyncStatus,
    pub(super) cause: MoveCause,
    /// The code of the error that is the reason.
    pub(super) code: Option<&'a str>,
    /// Who has it from now on, if it is claimed.
    pub(super) hold: Option<&'a Hold>,
}

impl<'a> Step<'a> {
    pub(super) fn new(to: SyncStatus, cause: MoveCause) -> Self {
        Self { to, cause, code: None, hold: None }
    }

    pub(super) fn with_code(self, code: Option<&'a str>) -> Self {
        Self { code, ..self }
    }

    pub(super) fn held(self, hold: &'a Hold) -> Self {
        Self { hold: Some(hold), ..self }
    }
}

/// Stores a new sync, queued.
pub(in super::super) fn begin(tx: &dyn Session, sync: &Sync) -> Result<(), Trouble> {
    if sync.status != SyncStatus::Queued {
        return Err(Trouble::Broken("a sync begins its life queued"));
    }
    sync_row::insert(tx, sync, turn::next(tx, &sync.space_id)?)?;
    blocked::settle(tx, sync.connector_id)?;
    note(tx, sync, None, Step::new(SyncStatus::Queued, MoveCause::Triggered), sync.created_at)
}

/// Moves a sync, if the table allows it, and stores it with whatever else of it has changed. Whoever wants to be told is.
pub(super) fn advance(
    tx: &dyn Session,
    sync: &mut Sync,
    step: Step<'_>,
    now: Timestamp,
) -> Result<(), Trouble> {
    let from = sync.status;
    sync.status = from.move_to(step.to)?;
    sync_row::save_held(tx, sync, step.hold)?;
    note(tx, sync, Some(from), step, now)?;
    if from.is_active() && sync.status.is_final() {
        blocked::settle(tx, sync.connector_id)?;
    }
    match WebhookEvent::of_move(from, sync.status) {
        Some(event) => deliveries::queue(tx, sync, event, now),
        None => Ok(()),
    }
}

fn note(
    tx: &dyn Session,
    sync: &Sync,
    from: Option<SyncStatus>,
    step: Step<'_>,
    now: Timestamp,
) -> Result<(), Trouble> {
    let id = Text(sync.id);
    let seq: i64 = tx.row(
        "INSERT INTO sync_moves (sync_id, seq, at, from_status, to_status, cause, code, attempt)
         SELECT ?1, coalesce(max(seq), 0) + 1, ?2, ?3, ?4, ?5, ?6, ?7 FROM sync_moves WHERE sync_id = ?1
         RETURNING seq",
        params![
            &id,
            now.as_micros(),
            from.map(SyncStatus::as_str),
            step.to.as_str(),
            Name(step.cause),
            step.code,
            sync.attempt,
        ],
        |columns| columns.plain(),
    )?;
    if seq > 2 * KEPT {
        tx.execute(
            "DELETE FROM sync_moves WHERE sync_id = ?1 AND seq > ?2 AND seq <= ?3",
            params![id, KEPT, seq - KEPT],
        )?;
    }
    Ok(())
}

/// The moves of a sync behind one of them, oldest first.
pub(super) fn list(db: &dyn Session, id: SyncId, after: u64) -> Result<Vec<StateMove>, Trouble> {
    Ok(db.rows(
        "SELECT seq, at, from_status, to_status, cause, code, attempt FROM sync_moves
         WHERE sync_id = ?1 AND seq > ?2 ORDER BY seq",
        params![Text(id), Unsigned(after)],
        move_from,
    )?)
}

fn move_from(columns: &mut Columns<'_>) -> SqlResult<StateMove> {
    Ok(StateMove {
        seq: columns.unsigned()?,
        at: columns.time()?,
        from: columns.optional_name()?,
        to: columns.name()?,
        cause: columns.name()?,
        code: columns.plain()?,
        attempt: columns.plain()?,
    })
}
