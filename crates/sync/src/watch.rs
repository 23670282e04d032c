//! Telling those who wait for a sync that it may stand otherwise now.
//!
//! Nothing is told but that it is time to look again: what a sync's state is, only the catalog says.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use inlet_model::SyncId;
use inlet_store::Signals;
use tokio::sync::watch;

/// Where other processes tell of nothing, a sync is looked at so soon after it has changed …
const SOONEST: Duration = Duration::from_millis(40);
/// … and then ever less often, up to this: how many look at the same time is up to the callers.
const SELDOM: Duration = Duration::from_secs(1);

/// Who waits for which sync.
#[derive(Debug, Default)]
pub(crate) struct Watchers(Mutex<BTreeMap<SyncId, watch::Sender<()>>>);

impl Watchers {
    /// Begins to watch a sync, whether or not there is one of that id.
    pub(crate) fn watch(
        self: &Arc<Self>,
        sync_id: SyncId,
        signals: &Arc<dyn Signals>,
        period: Duration,
    ) -> Watch {
        let changed = self.lock().entry(sync_id).or_insert_with(|| watch::Sender::new(())).subscribe();
        let (watchers, signals) = (Arc::clone(self), Arc::clone(signals));
        Watch { sync_id, changed: Some(changed), watchers, signals, period, pause: SOONEST }
    }

    /// Something about the sync may have changed.
    pub(crate) fn tell(&self, sync_id: SyncId) {
        if let Some(watched) = self.lock().get(&sync_id) {
            watched.send_replace(());
        }
    }

    /// Something about any sync may have changed.
    pub(crate) fn tell_all(&self) {
        for watched in self.lock().values() {
            watched.send_replace(());
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<SyncId, watch::Sender<()>>> {
        self.0.lock().expect("no holder panics")
    }
}

/// Watches one sync. Made before the sync is read, it misses no change that comes after.
pub struct Watch {
    sync_id: SyncId,
    changed: Option<watch::Receiver<()>>,
    watchers: Arc<Watchers>,
    signals: Arc<dyn Signals>,
    period: Duration,
    /// Until the next look, where nobody tells.
    pause: Duration,
}

impl Watch {
    /// Waits until something about the sync may have changed since this was last asked, or the watch was made. It also returns
    /// once in the engine's period, since another process may have changed it; more often where processes cannot tell each other.
    pub async fn changed(&mut self) {
        let Some(changed) = &mut self.changed else { return };
        let longest = if self.signals.is_prompt() { self.period } else { self.pause.min(self.period) };
        // Neither end says more than that it is time to look again.
        self.pause = match tokio::time::timeout(longest, changed.changed()).await {
            Ok(_) => SOONEST,
            Err(_) => (self.pause * 3 / 2).min(SELDOM),
        };
    }
}

impl fmt::Debug for Watch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watch").field("sync_id", &self.sync_id).finish_non_exhaustive()
    }
}

/// The last one to watch a sync takes its entry away.
impl Drop for Watch {
    fn drop(&mut self) {
        let mut watched = self.watchers.lock();
        drop(self.changed.take());
        if watched.get(&self.sync_id).is_some_and(|sender| sender.receiver_count() == 0) {
            watched.remove(&self.sync_id);
        }
    }
}

#[cfg(test)]
mod tests {
    use async_trait::async_trait;
    use futures_util::FutureExt;
    use inlet_store::Signal;
    use tokio::time::Instant;

    use super::*;

    const LONG: Duration = Duration::from_secs(3600);

    /// Whether others tell at once.
    #[derive(Debug)]
    struct Prompt(bool);

    #[async_trait]
    impl Signals for Prompt {
        fn tell(&self, _: Signal) {}

        async fn told(&self) {}

        async fn next(&self) -> Signal {
            std::future::pending().await
        }

        fn is_prompt(&self) -> bool {
            self.0
        }
    }

    fn id(number: u128) -> SyncId {
        SyncId::from_u128(number)
    }

    fn watching(watchers: &Arc<Watchers>, is_prompt: bool, period: Duration) -> Watch {
        let signals: Arc<dyn Signals> = Arc::new(Prompt(is_prompt));
        watchers.watch(id(1), &signals, period)
    }

    #[tokio::test]
    async fn a_change_between_watching_and_waiting_is_not_missed() {
        let watchers = Arc::new(Watchers::default());
        let mut watch = watching(&watchers, true, LONG);
        watchers.tell(id(1));
        watch.changed().await;
        assert!(watch.changed().now_or_never().is_none(), "each change is told once");
        watchers.tell(id(2));
        assert!(watch.changed().now_or_never().is_none(), "of another sync");
        watchers.tell_all();
        watch.changed().await;
    }

    #[tokio::test(start_paused = true)]
    async fn a_change_that_nobody_tells_of_is_looked_for_once_in_a_while() {
        let watchers = Arc::new(Watchers::default());
        let begun = Instant::now();
        watching(&watchers, true, LONG).changed().await;
        assert_eq!(begun.elapsed(), LONG);
    }

    #[tokio::test(start_paused = true)]
    async fn where_nobody_can_tell_a_change_is_looked_for_soon_and_then_less_and_less_often() {
        let watchers = Arc::new(Watchers::default());
        let mut watch = watching(&watchers, false, LONG);
        let begun = Instant::now();
        watch.changed().await;
        assert_eq!(begun.elapsed(), SOONEST);
        for _ in 0..20 {
            watch.changed().await;
        }
        let begun = Instant::now();
        watch.changed().await;
        assert_eq!(begun.elapsed(), SELDOM);
        watchers.tell(id(1));
        watch.changed().await;
        let begun = Instant::now();
        watch.changed().await;
        assert_eq!(begun.elapsed(), SOONEST);
    }

    #[tokio::test]
    async fn all_who_watch_a_sync_are_told_and_the_last_leaves_nothing() {
        let watchers = Arc::new(Watchers::default());
        let (mut one, mut other) = (watching(&watchers, true, LONG), watching(&watchers, true, LONG));
        watchers.tell(id(1));
        one.changed().await;
        other.changed().await;
        drop(one);
        watchers.tell(id(1));
        other.changed().await;
        drop(other);
        assert!(watchers.lock().is_empty());
    }
}
