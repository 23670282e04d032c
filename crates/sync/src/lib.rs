//! The engine: source → batch → writer → collection.
//!
//! [`Engine`] runs what the catalog wants: a worker claims queued syncs, [`run`] carries one from its claim to its end,
//! the [`scheduler`] queues the syncs whose time has come, the [`reconcile`] task brings the catalog and the stores into
//! agreement, and the [`upkeep`] task lets go in the stores what is of no use any more. All are idempotent: after a crash they
//! are simply done again.

mod approval;
mod asking;
mod cancel;
mod dry_run;
mod engine;
mod failure;
mod fields;
mod inbox;
mod lines;
mod metrics;
mod narrator;
mod notes;
mod others;
mod overdue;
mod plan;
mod progress;
mod pump;
mod read;
mod reconcile;
mod retry;
mod revert;
mod run;
mod scheduler;
mod schemas;
mod shape;
mod sink;
mod source;
mod spans;
mod sweep;
mod upkeep;
mod waiting;
mod watch;
mod worker;

pub use engine::{Engine, EngineOptions, EngineParts};
pub use metrics::EngineMetrics;
pub use progress::Progress;
pub use retry::RetryOptions;
pub use source::{BuiltSource, build_source};
pub use watch::Watch;
