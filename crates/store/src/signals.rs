//! What processes that share a catalog tell each other: that it is time to look.
//!
//! Nothing depends on it. A signal that is lost only means that somebody looks a little later, when it would have looked anyway.

use std::fmt;

use async_trait::async_trait;
use inlet_model::SyncId;

/// What somebody may want to look at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Signal {
    /// A sync may be claimed, or a task carried out.
    Work,
    /// A connector syncs at other times than before.
    Schedule,
    /// A sync stands otherwise, has come further or is to end.
    Sync(SyncId),
    /// Anything: signals may have been lost.
    Anything,
}

/// The way to the other processes.
#[async_trait]
pub trait Signals: fmt::Debug + Send + Sync {
    /// Tells all others, soon. Waits for nothing.
    fn tell(&self, signal: Signal);

    /// Waits until what was told has gone out: for whoever is about to end. Not for ever.
    async fn told(&self);

    /// The next signal of another. Each is given once, to whoever waits here.
    async fn next(&self) -> Signal;

    /// Whether signals come at once. If not, whoever is to be quick looks often.
    fn is_prompt(&self) -> bool;
}

/// There are no others.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoSignals;

#[async_trait]
impl Signals for NoSignals {
    fn tell(&self, _signal: Signal) {}

    async fn told(&self) {}

    async fn next(&self) -> Signal {
        std::future::pending().await
    }

    fn is_prompt(&self) -> bool {
        true
    }
}
