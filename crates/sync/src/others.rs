//! The other processes that run syncs of the same catalog.

use std::sync::Arc;
use std::time::Duration;

use inlet_store::Signal;

use crate::engine::Shared;

/// Where nobody tells of a sync that was queued elsewhere, it is looked for so often: it is to begin at once all the same.
const OFTEN: Duration = Duration::from_millis(40);

/// Looks where another process says that there is something, until the engine stops.
pub(crate) async fn listen(shared: Arc<Shared>) {
    loop {
        let signal = tokio::select! {
            biased;
            () = shared.stopping() => return,
            signal = shared.parts.signals.next() => signal,
        };
        match signal {
            Signal::Work => shared.look_for_work(),
            Signal::Schedule => shared.schedule.notify_one(),
            Signal::Sync(sync_id) => {
                shared.watchers.tell(sync_id);
                if shared.running().contains_key(&sync_id) {
                    // It may be to end.
                    shared.wake.notify_one();
                }
            }
            Signal::Anything => {
                shared.look_for_work();
                shared.schedule.notify_one();
                shared.watchers.tell_all();
            }
        }
    }
}

/// How often to look for what nobody tells of.
pub(crate) fn look_every(shared: &Shared) -> Duration {
    if shared.parts.signals.is_prompt() { shared.options.period } else { shared.options.period.min(OFTEN) }
}
