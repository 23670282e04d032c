//! The suites that every backend passes.

pub mod catalog;
pub mod collection;
