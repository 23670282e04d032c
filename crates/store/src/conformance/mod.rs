//! The suites that every backend passes.
