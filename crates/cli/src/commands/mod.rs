//! What each command does.

pub(crate) mod changes;
pub(crate) mod demo;
pub(crate) mod keys;
mod pages;
pub(crate) mod records;
pub(crate) mod serve;
pub(crate) mod sync;
