//! The cancel of a sync: what its writer looks at, what wakes whoever waits, and how long is waited for its orderly end.

use std::time::Duration;

use inlet_store::collection::CancelFlag;
use tokio::sync::watch;
use tokio::task::AbortHandle;
use tokio::time::Instant;

/// A cancelled sync ends in order within this time, or is given up. A commit is cut at less.
const PATIENCE: Duration = Duration::from_millis(500);
/// Between two looks at a commit that is just becoming durable.
const PAUSE: Duration = Duration::from_millis(5);

/// Whether a sync is cancelled. Cheap to clone; all clones are one.
#[derive(Debug, Clone)]
pub(crate) struct Cancel {
    flag: CancelFlag,
    raised_at: watch::Sender<Option<Instant>>,
}

impl Cancel {
    pub(crate) fn new() -> Self {
        Self { flag: CancelFlag::default(), raised_at: watch::Sender::new(None) }
    }

    /// Cancels the sync, for good.
    pub(crate) fn raise(&self) {
        self.flag.raise();
        self.raised_at.send_if_modified(|at| {
            let is_first = at.is_none();
            at.get_or_insert_with(Instant::now);
            is_first
        });
    }

    pub(crate) fn is_raised(&self) -> bool {
        self.flag.is_raised()
    }

    /// What the writer looks at.
    pub(crate) fn flag(&self) -> CancelFlag {
        self.flag.clone()
    }

    /// Waits until the sync is cancelled, and gives since when.
    pub(crate) async fn raised(&self) -> Instant {
        let mut raised_at = self.raised_at.subscribe();
        let raised = raised_at.wait_for(Option::is_some).await.map(|at| *at);
        raised.ok().flatten().expect("the sender is here, and it is waited for a time")
    }

    /// Waits until a cancelled sync should have ended, and nothing of it can become durable any more, but that it has ended.
    pub(crate) async fn overdue(&self) {
        let raised_at = self.raised().await;
        tokio::time::sleep_until(raised_at + PATIENCE).await;
        while self.flag.is_being_passed() {
            tokio::time::sleep(PAUSE).await;
        }
    }
}

/// Aborts a task when it is dropped: also if whoever waits for the task is.
pub(crate) struct AbortOnDrop(pub(crate) AbortHandle);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_cancelled_sync_is_overdue_when_it_had_its_time_and_nothing_is_being_written() {
        let cancel = Cancel::new();
        let pass = cancel.flag().pass().unwrap();
        let begun = Instant::now();
        let (waiting, other) = (cancel.clone(), cancel.clone());
        let waiting = tokio::spawn(async move {
            waiting.overdue().await;
            begun.elapsed()
        });
        tokio::time::sleep(Duration::from_secs(1)).await;
        other.raise();
        tokio::time::sleep(PATIENCE * 2).await;
        other.raise();
        assert!(!waiting.is_finished(), "a commit is still becoming durable");
        drop(pass);
        let waited = waiting.await.unwrap();
        assert!((Duration::from_secs(2)..Duration::from_millis(2_100)).contains(&waited), "{waited:?}");
        assert_eq!(cancel.raised().await - begun, Duration::from_secs(1));
    }
}
