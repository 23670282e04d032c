//! The courier over the real catalog and real HTTP, one file an area.

#![expect(clippy::unwrap_used, reason = "what a test needs and does not get fails it there")]

mod addresses;
mod crash;
mod fixture;
mod receiver;
mod retrying;
mod sending;
