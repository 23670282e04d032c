//! The HTTP API: the only crate that knows HTTP.
