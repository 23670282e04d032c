//! The scheduler: queues the syncs of connectors whose time has come.
//!
//! When a connector syncs next stands in the catalog, so that the scheduler keeps nothing: it may run on any node, on several at
//! once, and begin again at any moment. It sleeps until the earliest time, and looks once a period for what others changed.

use std::sync::Arc;
use std::time::Duration;

use inlet_store::{Signal, StoreResult, fault};

use crate::engine::Shared;

/// Connectors that have their turn in one transaction.
const AT_ONCE: usize = 100;

/// Queues what is due, until the engine stops.
pub(crate) async fn work(shared: Arc<Shared>) {
    while !shared.is_stopping() {
        let idle = turn(&shared).await.unwrap_or_else(|error| {
            error.complain("cannot queue what is due");
            shared.options.period
        });
        tokio::select! {
            biased;
            () = shared.stopping() => {}
            () = shared.schedule.notified() => {}
            () = tokio::time::sleep(idle) => {}
        }
    }
}

/// Queues what is due now; gives how long to wait.
async fn turn(shared: &Shared) -> StoreResult<Duration> {
    let catalog = &shared.parts.catalog;
    loop {
        let fired = catalog.schedule_fire(shared.parts.clock.now(), AT_ONCE).await?;
        if fired > 0 {
            fault::point("engine.scheduled");
            shared.wake.notify_one();
            shared.parts.signals.tell(Signal::Work);
        }
        if fired < AT_ONCE {
            break;
        }
    }
    let next = catalog.schedule_next().await?;
    let until = next.map(|next| next.since(shared.parts.clock.now()));
    Ok(until.map_or(shared.options.period, |until| until.min(shared.options.period)))
}
