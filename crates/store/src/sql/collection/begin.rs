//! A run begins, or goes on with its next attempt.

use std::collections::BTreeMap;

use inlet_model::Scope;
use inlet_model::{OpenListing, ScopeState};

use super::error::{Outcome, Trouble};
use super::runs::Hold;
use super::scopes::{self, Listing, ScopeRow, from_json};
use super::seen::SeenSets;
use super::streams::{self, StreamRow};
use super::writer::Writer;
use super::{finish, meta, run_log, runs, schemas};
use crate::collection::{NewRun, Phase, Run, RunStart, RunStream, StreamProgress, StreamStatus};
use crate::fault;
use crate::sql::Session;

/// Takes the connector for the run.
pub(super) fn begin(writer: &mut Writer, new: &NewRun) -> Outcome<RunStart> {
    let start = writer.transact(|tx, memory| {
        let hold = runs::hold(tx, new.connector_id)?;
        let run = if holds_already(hold, new)? {
            runs::load(tx, new.sync_id)?
                .ok_or(Trouble::Damaged("a connector is held by a run that is not there"))?
        } else {
            memory.seen.clear();
            if let Some(hold) = hold {
                finish::end_replaced(tx, hold, new)?;
            }
            runs::set_hold(tx, new.connector_id, new.fence, new.sync_id)?;
            take(tx, &mut memory.seen, new)?
        };
        let start = describe(tx, run, &new.streams)?;
        fault::point("run.begin.before");
        Ok(start)
    })?;
    fault::point("run.begin.after");
    Ok(start)
}

/// Whether this very claim was made before. [`Trouble::Fenced`] if it may not be made.
fn holds_already(hold: Option<Hold>, new: &NewRun) -> Outcome<bool> {
    let Some(hold) = hold else { return Ok(false) };
    if hold.closed || hold.fence > new.fence {
        return Err(Trouble::Fenced);
    }
    match hold.sync_id {
        Some(sync_id) if hold.fence == new.fence && sync_id != new.sync_id => Err(Trouble::Fenced),
        Some(_) => Ok(hold.fence == new.fence),
        None => Ok(false),
    }
}

/// Opens the run or its next attempt, and brings its streams to where it starts from.
fn take(connection: &dyn Session, seen: &mut SeenSets, new: &NewRun) -> Outcome<Run> {
    let mut run = match runs::load(connection, new.sync_id)? {
        Some(run) if run.connector_id != new.connector_id => {
            return Err(Trouble::Broken("the run is of another connector"));
        }
        Some(ended) if ended.outcome.is_some() => return Ok(ended),
        Some(run) => next_attempt(run, new),
        None => first_attempt(new, meta::next_generation(connection)?),
    };
    for stream in &new.streams {
        prepare(connection, seen, new, run.generation, stream)?;
        if !run.streams.iter().any(|progress| progress.name == stream.name) {
            run.streams.push(StreamProgress {
                name: stream.name.clone(),
                status: StreamStatus::Pending,
                counts: inlet_model::Counts::default(),
                error: None,
            });
        }
    }
    runs::save(connection, &run)?;
    run_log::write(connection, run.sync_id, new.now, &new.lines)?;
    for (place, progress) in run.streams.iter().enumerate() {
        runs::save_stream(connection, run.sync_id, place, progress)?;
    }
    Ok(run)
}

/// The first attempt of a run, with nothing done.
pub(super) fn first_attempt(new: &NewRun, generation: u64) -> Run {
    Run {
        sync_id: new.sync_id,
        connector_id: new.connector_id,
        attempt: new.attempt,
        barren_attempts: 1,
        generation,
        phase: Phase::Reading,
        counts: inlet_model::Counts::default(),
        streams: Vec::new(),
        outcome: None,
        failure: None,
        started_at: new.now,
        last_progress_at: new.now,
        finished_at: None,
        changes: None,
    }
}

/// The streams that have ended are read again; what they counted stays.
fn next_attempt(mut run: Run, new: &NewRun) -> Run {
    run.attempt = new.attempt;
    // The first commit sets it back, so that a crash loop is told from slow progress.
    run.barren_attempts += u32::from(new.after_crash);
    run.phase = Phase::Reading;
    for progress in &mut run.streams {
        let is_read = new.streams.iter().any(|stream| stream.name == progress.name);
        if is_read && progress.status != StreamStatus::Pending {
            progress.status = StreamStatus::Running;
            progress.error = None;
        }
    }
    run
}

/// Drops what was read of a stream that is read differently now, and open listings that are not to be gone on with.
fn prepare(
    connection: &dyn Session,
    seen: &mut SeenSets,
    new: &NewRun,
    generation: u64,
    stream: &RunStream,
) -> Outcome<()> {
    let mut row = match streams::find(connection, new.connector_id, &stream.name)? {
        Some(row) => row,
        None => streams::create(connection, new.connector_id, &stream.name, &stream.shape)?,
    };
    let (before, reshaped) = (row.clone(), row.is_reshaped(stream));
    row.shape.clone_from(&stream.shape);
    row.appends = stream.appends;
    if stream.appends && stream.full_refresh {
        row.begin_copy(generation);
    }
    if reshaped {
        row.swept_through = None;
        row.schema.forget();
    }
    if row != before {
        streams::save(connection, &row)?;
    }
    if !reshaped && !stream.full_refresh {
        return Ok(());
    }
    for mut scope in scopes::all(connection, row.id)? {
        let foreign = scope.open_listing().is_some_and(|listing| listing.generation != generation);
        if reshaped {
            forget_reading(&mut scope);
        } else if foreign {
            scope.listing = Listing::None;
        } else {
            continue;
        }
        scopes::save(connection, row.id, &scope)?;
        seen.remove(connection, (row.id, scope.id))?;
    }
    Ok(())
}

/// Of a scope that is read differently now only its records are left. Not even what was found to be gone is deleted before the
/// new listing is complete.
fn forget_reading(scope: &mut ScopeRow) {
    scope.cursor = None;
    scope.listed_by = 0;
    scope.settled_by = 0;
    scope.listing = Listing::None;
}

/// Where the run stands, and each stream of it.
fn describe(connection: &dyn Session, run: Run, streams: &[RunStream]) -> Outcome<RunStart> {
    let mut start = RunStart {
        run,
        scopes: BTreeMap::new(),
        copies: BTreeMap::new(),
        schemas: BTreeMap::new(),
        unswept: Vec::new(),
    };
    for stream in streams {
        let row = streams::find(connection, start.run.connector_id, &stream.name)?;
        if let Some(row) = row.as_ref().filter(|row| row.appends) {
            start.copies.insert(stream.name.clone(), row.copy());
        }
        if let Some(row) = &row {
            start.schemas.insert(stream.name.clone(), schemas::known(connection, row)?);
        }
        let (scopes, unswept) =
            row.map_or(Ok(Default::default()), |row| describe_stream(connection, &row))?;
        start.scopes.insert(stream.name.clone(), scopes);
        if unswept {
            start.unswept.push(stream.name.clone());
        }
    }
    Ok(start)
}

/// Where each scope of a stream stands, and whether some wait to be swept. One that is gone stands nowhere.
fn describe_stream(
    connection: &dyn Session,
    row: &StreamRow,
) -> Outcome<(BTreeMap<Scope, ScopeState>, bool)> {
    let mut states = BTreeMap::new();
    let mut unswept = false;
    for scope in scopes::all(connection, row.id)? {
        unswept |= scope.is_unswept();
        let listing = match &scope.listing {
            Listing::None | Listing::Complete(_) => None,
            Listing::Open(open) => {
                let position = from_json(open.position.as_deref())?;
                Some(OpenListing { generation: open.generation, position })
            }
            Listing::Gone { .. } => continue,
        };
        let listed_by = (scope.listed_by > 0).then_some(scope.listed_by);
        let state = ScopeState { listing, cursor: from_json(scope.cursor.as_deref())?, listed_by };
        states.insert(scope.name, state);
    }
    Ok((states, unswept))
}
