//! Black-box tests of the real binary.

mod bad_input;
mod demo;
mod documented_calls;
mod harness;
mod help;
mod reading;
mod serving;
mod syncing;
