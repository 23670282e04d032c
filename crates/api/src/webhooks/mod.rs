//! Webhooks: whoever listens at a URL is told what becomes of syncs.

pub(crate) mod create;
pub(crate) mod delete;
pub(crate) mod deliveries;
mod fields;
pub(crate) mod get;
pub(crate) mod list;
pub(crate) mod retry;
pub(crate) mod rotate_secret;
mod secret;
pub(crate) mod test;
pub(crate) mod update;
mod view;
