//! Syncs: they move data from a connector's source into its collection.

pub(crate) mod cancel;
pub(crate) mod decide;
pub(crate) mod deletes;
pub(crate) mod events;
pub(crate) mod get;
pub(crate) mod list;
pub(crate) mod logs;
mod only_streams;
pub(crate) mod rejected;
pub(crate) mod replay;
pub(crate) mod revert;
pub(crate) mod trigger;
mod view;
mod wait;
