//! The embedded backend: SQLite, one file for the catalog and one for each collection.
//!
//! A data directory belongs to one process at a time ([`DataDir`]):
//!
//! ```text
//! inlet-data/              0700
//!   inlet.lock             held by the owner; says where its server can be reached
//!   encryption.key         what seals secrets, unless whoever runs the server keeps that elsewhere
//!   catalog.db             what exists and what is wanted ([`SqlCatalog`](crate::SqlCatalog))
//!   collections/           one file for each collection, named by its store's id
//! ```
//!
//! Every file is written by one thread over one connection and read beside it by read-only ones (WAL), so a reader never
//! waits for a writer and syncs of different collections never wait for each other. Nothing spans two files: what the
//! catalog has decided and a collection's file must follow is a [task](crate::catalog::Task) in the catalog, and how a
//! sync went is copied from the collection's file, where its own commits wrote it.

mod catalog;
mod collection;
mod connection;
mod data_dir;
mod inspect;
mod session;
mod transfer;

pub use catalog::open_catalog;
#[cfg(test)]
pub(crate) use collection::open_transactions;
pub use collection::{CollectionOptions, SqliteCollections};
pub use data_dir::{DataDir, KeyFileError, LockError, Server, read_key_file};
pub use inspect::{FileReport, Format, inspect};
pub(crate) use transfer::Directory;
