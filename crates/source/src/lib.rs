//! The contract a connector obeys.
