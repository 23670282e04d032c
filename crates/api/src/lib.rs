//! The HTTP API: the only crate that knows HTTP.
//!
//! [`router`] makes of an [`App`] everything that answers requests; [`serve`] answers them on a socket. What each call
//! does is written for users in `docs/api.md`; every error code has a page of its own in `docs/errors/`.
//!
//! A request passes, from the outside in: `request_id` (an id on every answer, errors put into words), `log` (one
//! line, one span, and the numbers), `carry` (bounded in time and number, panics caught, changes carried through), `auth`, and then the one
//! file that holds its operation.

mod answer;
mod answer_cache;
mod app;
mod audit;
mod auth;
mod body;
mod carry;
mod codes;
mod collections;
mod connector_types;
mod connectors;
mod docs_page;
mod documents;
mod error_pages;
mod filters;
mod find;
mod health;
mod hooks;
mod host;
mod idempotency;
mod keys;
mod log;
mod memory;
mod metrics;
mod nodes;
mod numbered;
mod openapi;
mod operation;
mod pages;
mod paths;
mod problem;
mod query;
mod rate_limit;
mod records;
mod request_id;
mod router;
mod routes;
mod serve;
mod settings;
mod source_call;
mod spaces;
mod spans;
mod state;
mod syncs;
mod trigger_secret;
mod webhooks;

pub use app::{App, Limits};
pub use auth::{Auth, NewKey, key_hash, new_key};
pub use metrics::Metrics;
pub use rate_limit::RateLimit;
pub use router::{health_router, router};
pub use serve::serve;
pub use spans::Traces;
