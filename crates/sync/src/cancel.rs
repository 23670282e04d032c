//! The cancel of a sync: what its writer looks at, what wakes whoever waits, and how long is waited for its orderly end.

use std::time::Duration;

use inlet_store::collection::CancelFlag;
use tokio::sync::watch;
use tokio::task::AbortHandle;
use tokio::time::Instant;

use crate::failure::Stop;

/// A cancelled sync ends in order within this time, or is given up. A commit is cut at less.
const PATIENCE: Duration = Duration::from_millis(500);
/// Between two looks at a commit that is just becoming durable.
const PAUSE: Duration = Duration::from_millis(5);

/// Whether a sync is cancelled here. Cheap to clone; all clones are one.
#[derive(Debug, Clone)]
pub(crate) struct Cancel {
    flag: CancelFlag,
    raised: watch::Sender<Option<Raised>>,
}

#[derive(Debug, Clone, Copy)]
struct Raised {
    at: Instant,
    why: Why,
}

/// Why a sync is to stop here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Why {
    /// It is not wanted any more: it ends.
    Unwanted,
    /// Its lease was over before this node renewed it: it is another's to go on with, or to end.
    Lost,
}

impl Cancel {
    pub(crate) fn new() -> Self {
        Self { flag: CancelFlag::default(), raised: watch::Sender::new(None) }
    }

    /// Cancels the sync, for good. One that was lost stays lost, and one that is lost after its cancel is lost too.
    pub(crate) fn raise(&self, why: Why) {
        self.flag.raise();
        self.raised.send_if_modified(|raised| {
            let is_first = raised.is_none();
            let raised = raised.get_or_insert_with(|| Raised { at: Instant::now(), why });
            if why == Why::Lost {
                raised.why = Why::Lost;
            }
            is_first
        });
    }

    /// What it means for a sync that this is raised, or that a store says so.
    pub(crate) fn stop(&self) -> Stop {
        match *self.raised.borrow() {
            Some(Raised { why: Why::Lost, .. }) => Stop::Fenced,
            Some(Raised { why: Why::Unwanted, .. }) | None => Stop::Cancelled,
        }
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
        let mut raised = self.raised.subscribe();
        let raised = raised.wait_for(Option::is_some).await.map(|raised| *raised);
        raised.ok().flatten().expect("the sender is here, and it is waited for a time").at
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
        other.raise(Why::Unwanted);
        tokio::time::sleep(PATIENCE * 2).await;
        other.raise(Why::Unwanted);
        assert!(!waiting.is_finished(), "a commit is still becoming durable");
        drop(pass);
        let waited = waiting.await.unwrap();
        assert!((Duration::from_secs(2)..Duration::from_millis(2_100)).contains(&waited), "{waited:?}");
        assert_eq!(cancel.raised().await - begun, Duration::from_secs(1));
    }

    #[test]
    fn a_sync_that_is_lost_is_not_this_nodes_to_end_whatever_else_is_wanted_of_it() {
        for (reasons, is_lost) in [
            (&[][..], false),
            (&[Why::Unwanted], false),
            (&[Why::Lost], true),
            (&[Why::Lost, Why::Unwanted], true),
            (&[Why::Unwanted, Why::Lost], true),
        ] {
            let cancel = Cancel::new();
            reasons.iter().for_each(|why| cancel.raise(*why));
            assert_eq!(matches!(cancel.stop(), Stop::Fenced), is_lost, "{reasons:?}");
            assert_eq!(cancel.is_raised(), !reasons.is_empty());
        }
    }
}
