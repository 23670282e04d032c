//! The engine over the real embedded store, with sources that do what each test says.

#![expect(clippy::unwrap_used, reason = "a test that cannot set its scene has failed")]

mod cancelling;
mod failing;
mod fixture;
mod listing;
mod purging;
mod resuming;
