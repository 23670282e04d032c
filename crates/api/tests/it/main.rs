//! The API over the real backends, the real connectors and the real engine, one file an area.

#![expect(clippy::unwrap_used, reason = "what a test needs and does not get fails it there")]

mod access;
mod anything;
mod app;
mod approving;
mod audit;
mod auth;
mod backends;
mod bad_input;
mod collections;
mod connectors;
mod curl;
mod database;
mod documented;
mod edges;
mod examples;
mod held;
mod hooks;
mod idempotency;
mod keys;
mod lists;
mod logs;
mod metrics;
mod nodes;
mod openapi;
mod pages;
mod push;
mod rate_limits;
mod records;
mod rejected;
mod removing;
mod reverting;
mod routes;
mod schemas;
mod secrets;
mod serving;
mod sources;
mod state;
mod sync_logs;
mod syncs;
mod two_spaces;
mod waiting;
mod watching;
mod webhooks;
