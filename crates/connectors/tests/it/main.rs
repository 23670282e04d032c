//! All connector types together, and what the tests of single ones stand on.

#![expect(clippy::unwrap_used, reason = "what a test needs and does not get fails it there")]

mod connector_types;
#[expect(dead_code, reason = "tests of other crates call more of its methods")]
mod fault_proxy;
mod faults;
#[expect(dead_code, reason = "tests of other crates call more of its methods")]
mod private_postgres;
mod private_servers;
