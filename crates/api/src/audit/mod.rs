//! The audit log: who changed what.

pub(crate) mod list;
mod view;
