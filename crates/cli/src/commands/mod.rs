//! What each command does.

pub(crate) mod audit;
pub(crate) mod changes;
pub(crate) mod collections;
pub(crate) mod completions;
pub(crate) mod connector_types;
pub(crate) mod connectors;
pub(crate) mod demo;
pub(crate) mod doctor;
pub(crate) mod export;
pub(crate) mod import;
mod json_input;
pub(crate) mod keys;
mod listing;
mod lookup;
pub(crate) mod man;
pub(crate) mod migrate;
pub(crate) mod nodes;
mod pages;
pub(crate) mod records;
mod removal;
pub(crate) mod serve;
pub(crate) mod spaces;
pub(crate) mod sync;
pub(crate) mod syncs;
mod transfer;
pub(crate) mod webhooks;
