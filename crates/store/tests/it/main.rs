//! Integration tests of the store.

#![expect(clippy::unwrap_used, reason = "a test fails by a panic")]

mod catalog;
mod collection;
#[expect(dead_code, reason = "it is made for the tests of the source; here fewer of its methods are called")]
#[path = "../../../connectors/tests/it/fault_proxy.rs"]
mod fault_proxy;
mod inspect;
mod postgres;
#[expect(dead_code, reason = "it is made for the tests of the source; here fewer of its methods are called")]
#[path = "../../../connectors/tests/it/private_postgres.rs"]
mod private_postgres;
mod released;
mod transfer;
