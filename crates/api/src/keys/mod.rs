//! API keys: they open the API.
//!
//! A key that is bound to a space sees and makes only keys of that space.

pub(crate) mod create;
pub(crate) mod delete;
mod fields;
pub(crate) mod get;
pub(crate) mod list;
pub(crate) mod rotate;
pub(crate) mod update;
mod view;

pub(crate) use fields::overlap;
