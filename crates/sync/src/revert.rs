//! A revert: a sync that undoes another, and reads no source.
//!
//! It is made of the steps of the store, each one commit; how far it came lies in the store, so that the next attempt goes on there.

use inlet_model::SyncId;
use inlet_store::catalog::Connector;
use inlet_store::collection::{Run, UndoEffect, UndoProgress, UndoStep};

use crate::failure::{self, Stop};
use crate::lines;
use crate::run::RunContext;

/// Changes that one step looks at, or writes: so few that a cancel is heard soon.
const UNDO_CHANGES: usize = 4_000;

impl RunContext {
    /// Undoes a sync, step by step. None starts after a cancel was acknowledged.
    pub(crate) async fn undo(&self, connector: &Connector, undone: SyncId) -> Result<Run, Stop> {
        let mut run = self.begin(connector, &[]).await?.run;
        loop {
            if self.cancel.is_raised() {
                return Err(Stop::Cancelled);
            }
            if self.shared.is_stopping() {
                return Err(Stop::Interrupted);
            }
            let progress = self.undo_step(undone).await?;
            run = self.show_undo(run).await?;
            if progress.done {
                self.note(lines::reverted(undone, progress.taken_back, progress.kept));
                return self.end(&[]).await;
            }
        }
    }

    async fn undo_step(&self, undone: SyncId) -> Result<UndoProgress, Stop> {
        let step = UndoStep {
            sync_id: self.claim.sync.id,
            connector_id: self.claim.sync.connector_id,
            fence: self.claim.fence,
            cancel: self.cancel.flag(),
            now: self.now(),
            undone,
            max_changes: UNDO_CHANGES,
        };
        match self.store.undo_step(step).await? {
            UndoEffect::Progress(progress) => Ok(progress),
            UndoEffect::Impossible(why) => Err(failure::no_undo(undone, why).into()),
        }
    }

    /// Shows those who watch how the run stands after a step, and counts what the step did; gives the run.
    async fn show_undo(&self, before: Run) -> Result<Run, Stop> {
        let Some(run) = self.store.run(self.claim.sync.id).await? else { return Ok(before) };
        self.metrics().went_on(before.counts, run.counts);
        self.progress.stands(&run);
        Ok(run)
    }
}
