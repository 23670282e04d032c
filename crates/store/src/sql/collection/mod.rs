//! One collection in a SQL database. `docs/format.md` describes what is stored; this is the code that keeps it.
//!
//! - [`store`] is the collection as its users have it: its [`writer`] thread, and reads beside it; [`open`] has those in use. [`place`] is what
//!   a database has to do for it, [`tables`] what it does in its own way within a transaction.
//! - [`begin`], [`commit`], [`sweep`], [`purge`], [`undo`], [`upkeep`], [`finish`], [`replay`] and [`inbox`] are the
//!   transactions of the writer.
//! - [`records`] and [`changes`] are the reads; [`checkpoints`], [`deletes`] and [`questions`] have both. [`rehearsal`] is a run that
//!   only reads.
//! - [`block`] is the format of entries, [`blocks`] the tables they lie in; [`keys`] and [`key_row`] are what the table holds that finds
//!   them.
//! - [`streams`], [`scopes`], [`seen`], [`runs`], [`run_log`], [`rejected`], [`idempotency`] and [`meta`] are the other tables, one each.

mod begin;
pub(crate) mod block;
pub(crate) mod blocks;
mod changes;
mod checkpoints;
mod commit;
mod deletes;
mod error;
mod finish;
mod idempotency;
mod inbox;
pub(crate) mod key_row;
pub(crate) mod keys;
mod meta;
mod open;
mod place;
mod purge;
mod questions;
mod records;
mod rehearsal;
mod rejected;
mod replay;
mod run_log;
mod runs;
mod schemas;
mod scopes;
mod seen;
mod store;
mod streams;
mod sweep;
mod tables;
mod undo;
mod upkeep;
mod writer;

pub(crate) use error::{Outcome, Trouble};
pub(crate) use open::OpenCollections;
pub(crate) use place::{Query, Reads, Transactions, Work};
pub(crate) use store::SqlCollection;
pub(crate) use tables::{NewBlock, Step, Stored, Tables, Walked, WriteTables};
pub(crate) use writer::Memory;
