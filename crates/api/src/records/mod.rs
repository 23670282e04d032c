//! Records: what a collection holds, how it came to hold it, and what is pushed into it.

pub(crate) mod changes;
pub(crate) mod get;
pub(crate) mod list;
pub(crate) mod push;
pub(crate) mod remove;
pub(crate) mod view;
