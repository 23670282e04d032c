//! Every source Inlet can read, one folder each, always with the same files.
//!
//! `mod.rs` declares the type and what it promises, `config.rs` reads the user's settings, `streams.rs` discovers,
//! `read.rs` reads, `convert.rs` turns what was read into records, `docs.md` is the user's page. The list of all is in
//! `registry.rs`, and nowhere else.

mod blocking;
pub mod external_source;
pub mod files;
mod filling;
pub mod postgres;
mod registry;
mod roots;
mod row;
pub mod sqlite;
mod trouble;
mod update_times;

pub use registry::registry;
