//! The suite that every connector runs.
