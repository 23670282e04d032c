//! Nodes: the processes that share the catalog.

pub(crate) mod list;
mod view;
