//! One collection in one SQLite file. `docs/format.md` describes the file; this is the code that keeps it.
//!
//! - [`stores`] has the files of a directory, [`store`] one of them: its [`writer`] thread, its [`readers`] and its log ([`wal`]).
//! - [`begin`], [`commit`], [`sweep`], [`purge`], [`undo`], [`upkeep`], [`finish`], [`replay`] and [`inbox`] are the
//!   transactions of the writer.
//! - [`records`] and [`changes`] are the reads; [`checkpoints`], [`deletes`] and [`questions`] have both. [`rehearsal`] is a run that
//!   only reads.
//! - [`block`] is the format of entries, [`blocks`] the tables they lie in, [`keys`] the table that finds them.
//! - [`streams`], [`scopes`], [`seen`], [`runs`], [`run_log`], [`rejected`], [`idempotency`] and [`meta`] are the other tables, one each.

mod begin;
mod block;
mod blocks;
mod changes;
mod checkpoints;
mod commit;
mod deletes;
mod error;
mod finish;
mod idempotency;
mod inbox;
mod keys;
mod meta;
mod purge;
mod questions;
mod readers;
mod records;
mod rehearsal;
mod rejected;
mod replay;
mod run_log;
mod runs;
mod schema;
mod schemas;
mod scopes;
mod seen;
mod store;
mod stores;
mod streams;
mod sweep;
mod undo;
mod upkeep;
mod wal;
mod writer;

pub(super) use schema::inspect;
pub use stores::{Options as CollectionOptions, SqliteCollections};
