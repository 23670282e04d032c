//! A sync whose source is out of reach waits, instead of failing.

use inlet_model::sync::SyncStatus;
use inlet_store::catalog::Wait;

use crate::failure::Failed;
use crate::lines;
use crate::retry::{self, Tried};
use crate::run::{RunContext, retried};

impl RunContext {
    /// Lets the sync wait for its source, if that may help. Gives where it stands then; `None` if it is not to wait.
    pub(crate) async fn wait(&self, failed: &Failed) -> Option<SyncStatus> {
        let run = retried(&self.shared, "read the run", || self.store.run(self.claim.sync.id)).await.ok()?;
        let progressed = run.as_ref().is_some_and(|run| run.last_progress_at > self.claimed_at);
        let sync = &self.claim.sync;
        let retries = if progressed { 0 } else { sync.retries };
        let tried = Tried { attempt: sync.attempt, retries };
        let (options, jitter) = (&self.shared.options.retry, self.shared.parts.entropy.fraction());
        let delay = retry::delay(options, failed.policy, tried, failed.retry_after, jitter)?;
        let now = self.now();
        let run = match run {
            Some(run) => Some(self.as_it_would_end(run).await),
            None => None,
        };
        let wait = Wait { resume_at: now.plus(delay), failure: failed.failure.clone(), progressed, run };
        let (id, fence) = (sync.id, self.claim.fence);
        let waiting = retried(&self.shared, "let the sync wait", || {
            self.shared.parts.catalog.sync_wait(id, fence, wait.clone(), now)
        });
        let status = waiting.await.ok()??.status;
        if status == SyncStatus::Waiting {
            self.note(lines::held_up(&failed.failure, now.plus(delay)));
            // Only words: a run that has not begun, or that was taken over since, goes without.
            let _told = self.store.commit(self.commit(Vec::new())).await;
            self.tell_watchers();
            tracing::info!(code = failed.failure.code, seconds = delay.as_secs_f64(), "the sync waits");
        }
        Some(status)
    }
}
