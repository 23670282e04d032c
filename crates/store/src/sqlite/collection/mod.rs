//! One collection in one SQLite file.
//!
//! - [`stores`] has the files of a directory. Of one of them, [`transactions`] are what its writer does, [`readers`] what is read beside,
//!   [`wal`] its log; [`tables`] is what both see within a transaction.
//! - [`keys`] is the table that finds records, [`statement`] how the statements read that all databases share.

mod keys;
mod readers;
mod schema;
mod statement;
mod stores;
mod tables;
mod transactions;
mod wal;

pub(super) use schema::inspect;
#[cfg(test)]
pub(crate) use stores::open_transactions;
pub use stores::{Options as CollectionOptions, SqliteCollections};
