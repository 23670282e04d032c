//! One collection in one SQLite file.
//!
//! - [`stores`] has the files of a directory. Of one of them, [`transactions`] are what its writer does, [`readers`] what is read beside,
//!   [`wal`] its log; [`tables`] is what both see within a transaction.
//! - [`whole`] opens a file for whoever moves all that is in it.
//! - [`keys`] is the table that finds records, [`statement`] how the statements read that all databases share.

mod keys;
mod readers;
mod schema;
mod statement;
mod stores;
mod tables;
mod transactions;
mod wal;
mod whole;

pub(super) use schema::inspect;
pub(super) use statement::of_file;
#[cfg(test)]
pub(crate) use stores::open_transactions;
pub use stores::{Options as CollectionOptions, SqliteCollections};
pub(super) use tables::FileTables;
pub(super) use whole::open_whole;
