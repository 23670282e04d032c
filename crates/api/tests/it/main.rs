//! The API over the real backends, the real connectors and the real engine, one file an area.

#![expect(clippy::unwrap_used, reason = "what a test needs and does not get fails it there")]

mod anything;
mod app;
mod auth;
mod bad_input;
mod collections;
mod connectors;
mod curl;
mod documented;
mod edges;
mod examples;
mod held;
mod idempotency;
mod lists;
mod logs;
mod pages;
mod push;
mod records;
mod removing;
mod routes;
mod serving;
mod state;
mod syncs;
mod waiting;
