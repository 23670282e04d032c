//! Undoing a sync, in steps of one transaction each.
//!
//! First the changes of the sync are [`collect`]ed: of each record that it changed, what was there before its first change and
//! what it left; and whether a later sync of the connector changed the record again. Then each is [taken back](take_back) that
//! is still as it was left. What has been collected lies in the file ([`table`]), so that an undo goes on after a crash.

mod collect;
mod table;
mod take_back;

use inlet_model::{ConnectorId, HashSeed, StreamName, SyncId};

use self::table::UndoRow;
use super::error::{Outcome, Trouble};
use super::tables::WriteTables;
use super::writer::{Memory, Writer};
use super::{meta, runs, scopes, streams};
use crate::collection::{
    NoUndo, Phase, Run, StreamProgress, StreamStatus, UndoEffect, UndoProgress, UndoStep,
};
use crate::fault;
use crate::sql::Session;

pub(super) use table::{first_needed, forget_abandoned};

/// Does one step.
pub(super) fn step(writer: &mut Writer, step: &UndoStep, seed: HashSeed) -> Outcome<UndoEffect> {
    if step.cancel.is_raised() {
        return Err(Trouble::Cancelled);
    }
    let (effect, pass) = writer.transact(|tx, memory| {
        let run = runs::held(tx, step.connector_id, step.fence, step.sync_id)?;
        let effect = match begun(tx, step)? {
            Err(no) => UndoEffect::Impossible(no),
            Ok((undo, undone)) => {
                UndoEffect::Progress(Undoing { connection: tx, step, run, undo, undone }.step(memory, seed)?)
            }
        };
        fault::point("undo.before");
        Ok((effect, runs::pass(&step.cancel)?))
    })?;
    drop(pass);
    fault::point("undo.after");
    Ok(effect)
}

/// Why a sync of the connector cannot be undone, if it cannot.
pub(super) fn hindrance(
    connection: &dyn Session,
    connector_id: ConnectorId,
    undone: SyncId,
) -> Outcome<Option<NoUndo>> {
    match run_of(connection, connector_id, undone)? {
        Some(run) => hindrance_of(connection, &run),
        None => Ok(Some(NoUndo::Unknown)),
    }
}

fn hindrance_of(connection: &dyn Session, undone: &Run) -> Outcome<Option<NoUndo>> {
    if undone.outcome.is_none() {
        return Ok(Some(NoUndo::NotEnded));
    }
    let compacted_through = meta::compacted_through(connection)?;
    let is_gone = undone.changes.as_ref().is_some_and(|changes| *changes.start() <= compacted_through);
    Ok(is_gone.then_some(NoUndo::Expired { compacted_through }))
}

fn run_of(connection: &dyn Session, connector_id: ConnectorId, undone: SyncId) -> Outcome<Option<Run>> {
    Ok(runs::load(connection, undone)?.filter(|run| run.connector_id == connector_id))
}

/// The undo that is under way, or a new one, and the run that is undone.
fn begun(connection: &dyn Session, step: &UndoStep) -> Outcome<Result<(UndoRow, Run), NoUndo>> {
    let Some(undone) = run_of(connection, step.connector_id, step.undone)? else {
        return Ok(Err(NoUndo::Unknown));
    };
    if let Some(undo) = table::find(connection, step.sync_id)? {
        let same = undo.undone == step.undone;
        return if same {
            Ok(Ok((undo, undone)))
        } else {
            Err(Trouble::Broken("a sync undoes one other only"))
        };
    }
    if let Some(hindrance) = hindrance_of(connection, &undone)? {
        return Ok(Err(hindrance));
    }
    let through = meta::next_change(connection)? - 1;
    Ok(Ok((table::begin(connection, step.sync_id, &undone, through)?, undone)))
}

/// A step under way.
struct Undoing<'a> {
    connection: &'a dyn WriteTables,
    step: &'a UndoStep,
    run: Run,
    undo: UndoRow,
    undone: Run,
}

impl Undoing<'_> {
    fn step(mut self, memory: &mut Memory, seed: HashSeed) -> Outcome<UndoProgress> {
        if !self.undo.done {
            self.work(memory, seed)?;
            self.run.phase = Phase::Undoing;
            self.run.barren_attempts = 0;
            self.save_run()?;
            table::save(self.connection, &self.undo)?;
        }
        let UndoRow { taken_back, kept, done, .. } = self.undo;
        Ok(UndoProgress { taken_back, kept, done })
    }

    fn work(&mut self, memory: &mut Memory, seed: HashSeed) -> Outcome<()> {
        let limit = self.step.max_changes.max(1);
        let names = self.changed_streams();
        self.join_streams(&names);
        if self.undo.collected < self.undo.through {
            return collect::some(self.connection, &mut self.undo, &self.undone, limit);
        }
        if self.forget_reading(memory, &names, limit)? {
            return Ok(());
        }
        let taken = take_back::some(self.connection, memory, seed, self.step, &self.undo)?;
        self.undo.taken_back += taken.taken_back;
        self.undo.kept += taken.kept;
        self.undo.done = taken.is_all;
        for (name, counts) in taken.counts {
            self.progress(&name)?.counts += counts;
            self.run.counts += counts;
        }
        if let Some(changes) = taken.changes {
            self.run.note_changes(changes);
            self.run.last_progress_at = self.step.now;
        }
        if self.undo.done {
            self.run.streams.iter_mut().for_each(|progress| progress.status = StreamStatus::Succeeded);
        }
        Ok(())
    }

    /// The streams in which the sync changed something.
    fn changed_streams(&self) -> Vec<StreamName> {
        let changed = self.undone.streams.iter().filter(|stream| {
            let counts = &stream.counts;
            counts.created + counts.updated + counts.deleted > 0
        });
        changed.map(|stream| stream.name.clone()).collect()
    }

    /// Makes the streams the run's own, which may have begun without them.
    fn join_streams(&mut self, names: &[StreamName]) {
        for name in names {
            match self.run.streams.iter_mut().find(|progress| progress.name == *name) {
                Some(progress) if progress.status == StreamStatus::Pending => {
                    progress.status = StreamStatus::Running;
                }
                Some(_) => {}
                None => self.run.streams.push(StreamProgress {
                    name: name.clone(),
                    status: StreamStatus::Running,
                    counts: inlet_model::Counts::default(),
                    error: None,
                }),
            }
        }
    }

    /// Forgets how far the streams were read, `limit` rows of it at most, and that a full refresh began a copy: were that gone on
    /// with, the next sync would append the whole of it again. Whether there may be more.
    fn forget_reading(&self, memory: &mut Memory, names: &[StreamName], limit: usize) -> Outcome<bool> {
        let mut left = limit;
        for name in names {
            let Some(mut stream) = streams::find(self.connection, self.step.connector_id, name)? else {
                continue;
            };
            memory.seen.forget_stream(stream.id);
            left -= scopes::forget_seen(self.connection, stream.id, left)?;
            left -= scopes::forget_reading(self.connection, stream.id, left)?;
            if left == 0 {
                return Ok(true);
            }
            let was_swept = stream.swept_through.take().is_some();
            if stream.take_copy_back(self.undone.generation) || was_swept {
                streams::save(self.connection, &stream)?;
            }
        }
        Ok(false)
    }

    fn progress(&mut self, name: &StreamName) -> Outcome<&mut StreamProgress> {
        let progress = self.run.streams.iter_mut().find(|progress| progress.name == *name);
        progress.ok_or(Trouble::Damaged("a sync changed a stream that was none of its run's"))
    }

    fn save_run(&self) -> Outcome<()> {
        for (place, progress) in self.run.streams.iter().enumerate() {
            runs::save_stream(self.connection, self.run.sync_id, place, progress)?;
        }
        runs::save(self.connection, &self.run)
    }
}
