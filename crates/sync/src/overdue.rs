//! A cancelled sync that does not end in time, because its collection does not answer, ends in the catalog alone.
//!
//! By then its flag is up and no write of it has passed the flag, so nothing of it can become durable any more: what its run has
//! done is known. The run itself is ended once the collection answers; if this process does not live to see that, the
//! connector's next run ends it.

use std::sync::Arc;

use inlet_model::sync::{Outcome, SyncStatus};
use inlet_store::collection::{Phase, Run, StreamStatus};

use crate::failure::Stop;
use crate::run::{RunContext, abandon, retried, type_of};
use crate::spans;

impl RunContext {
    /// Does the `work` of this sync, unless it is cancelled and does not come to an end.
    pub(crate) async fn unless_overdue(self: &Arc<Self>, work: impl Future<Output = ()>) {
        tokio::select! {
            biased;
            () = work => {}
            () = self.cancel.overdue() => self.give_up().await,
        }
    }

    async fn give_up(self: &Arc<Self>) {
        let stop = self.cancel.stop();
        if matches!(stop, Stop::Fenced) {
            return abandon(&self.shared, &self.claim, stop).await;
        }
        let sync = &self.claim.sync;
        let run = match retried(&self.shared, "read the run", || self.store.run(sync.id)).await {
            Ok(Some(run)) if run.outcome.is_some() => return self.tell(&run).await,
            Ok(Some(run)) => self.as_it_would_end(run).await,
            Ok(None) => return abandon(&self.shared, &self.claim, Stop::Cancelled).await,
            Err(stop) => return abandon(&self.shared, &self.claim, stop).await,
        };
        let given_up = retried(&self.shared, "record the sync's end", || {
            self.shared.parts.catalog.sync_give_up(&run, self.claim.fence)
        });
        if given_up.await.is_err() {
            return;
        }
        tracing::warn!(
            "the sync was cancelled, and its collection does not answer: it ends in the catalog alone"
        );
        let status = SyncStatus::Cancelled;
        self.shared.parts.metrics.of_type(type_of(&self.claim)).ended(status);
        spans::sync_ended(status, run.counts, None);
        let context = Arc::clone(self);
        // Nobody waits for it, and another that takes the connector meanwhile does it just as well.
        tokio::spawn(async move { context.end_as(Outcome::Cancelled, None).await });
    }

    /// The run as the store ends it, if it is cancelled now.
    pub(crate) async fn as_it_would_end(&self, mut run: Run) -> Run {
        run.phase = Phase::Ended;
        run.outcome = Some(Outcome::Cancelled);
        run.finished_at = Some(self.now());
        let unswept = self.store.pending_deletes(run.connector_id).await.unwrap_or_default();
        for progress in &mut run.streams {
            let is_whole = match progress.status {
                StreamStatus::Failed | StreamStatus::Cancelled => true,
                StreamStatus::Pending | StreamStatus::Running => false,
                StreamStatus::Succeeded => unswept.iter().all(|pending| pending.stream != progress.name),
            };
            if !is_whole {
                progress.give_up(None);
            }
        }
        run
    }
}
