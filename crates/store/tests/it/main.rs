//! Integration tests of the store.

#![expect(clippy::unwrap_used, reason = "a test fails by a panic")]

mod catalog;
mod collection;
mod inspect;
mod released;
