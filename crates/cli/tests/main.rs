//! Black-box tests of the real binary.

#![expect(clippy::unwrap_used, reason = "what a test needs and does not get fails it there")]

mod bad_input;
#[cfg(feature = "testing")]
mod cancel;
mod connecting;
mod connector_types;
mod connectors;
#[cfg(feature = "testing")]
mod crash;
mod demo;
mod doctor;
mod documented_calls;
mod documents;
mod encryption;
mod exporting;
#[cfg(feature = "testing")]
#[expect(dead_code, reason = "it is made for the tests of the source; here fewer of its methods are called")]
#[path = "../../connectors/tests/it/fault_proxy.rs"]
mod fault_proxy;
mod harness;
mod help;
mod keys;
mod late_commits;
mod moving;
mod nodes;
#[cfg(feature = "testing")]
mod outages;
#[cfg(feature = "parquet")]
mod parquet;
mod postgres;
#[expect(dead_code, reason = "it is made for the tests of the source; here fewer of its methods are called")]
#[path = "../../connectors/tests/it/private_postgres.rs"]
mod private_postgres;
mod reading;
mod servers;
mod serving;
mod shared_commands;
mod shell;
mod sources;
mod spaces;
mod syncing;
mod syncs;
mod tls;
#[cfg(feature = "otlp")]
mod traces;
mod webhooks;
