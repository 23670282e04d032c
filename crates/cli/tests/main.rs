//! Black-box tests of the real binary.

#![expect(clippy::unwrap_used, reason = "what a test needs and does not get fails it there")]

mod bad_input;
#[cfg(feature = "testing")]
mod crash;
mod demo;
mod documented_calls;
mod documents;
mod encryption;
mod harness;
mod help;
mod reading;
mod serving;
mod syncing;
#[cfg(feature = "otlp")]
mod traces;
