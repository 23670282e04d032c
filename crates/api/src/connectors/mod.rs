//! Connectors: they link a collection to a source.

pub(crate) mod check;
mod config;
pub(crate) mod create;
pub(crate) mod delete;
pub(crate) mod discover;
mod fields;
pub(crate) mod get;
pub(crate) mod list;
mod masking;
mod policy;
mod precondition;
mod schedule;
pub(crate) mod schemas;
mod streams;
pub(crate) mod update;
mod view;

pub(crate) use fields::patched;
