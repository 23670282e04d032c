//! The engine over the real embedded store, with sources that do what each test says.

#![expect(clippy::unwrap_used, reason = "a test that cannot set its scene has failed")]

mod approving;
mod asking;
mod cancelling;
mod dry_runs;
mod failing;
mod fixture;
mod limits;
mod listing;
mod masking;
mod metrics;
mod nodes;
mod purging;
mod resuming;
mod reverting;
mod schedules;
mod schemas;
mod secrets;
mod sharing;
mod simulation;
mod upkeep;
mod waiting;
mod writing;
