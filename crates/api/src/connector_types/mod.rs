//! Connector types: the kinds of sources there are, and what each asks to be set.

pub(crate) mod get;
pub(crate) mod list;
mod view;
