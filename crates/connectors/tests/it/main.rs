//! All connector types together.

#![expect(clippy::unwrap_used, reason = "what a test needs and does not get fails it there")]

mod connector_types;
