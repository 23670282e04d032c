//! Collections in a PostgreSQL database, which many processes may share.
//!
//! - [`stores`] has all of them, and [`erase`] removes one. Of one, [`transactions`] are what its writer does in this process, [`reads`] what is read beside;
//!   [`tables`] is what both see within a transaction.
//! - [`keys`] is the key table, through which [`walk`] walks, [`size`] how much a store takes; [`copy`] is how many rows are written at once, [`statement`] how the
//!   statements read that all databases share.

mod copy;
mod erase;
mod keys;
mod reads;
mod size;
mod statement;
mod stores;
mod tables;
mod transactions;
mod walk;

pub(super) use copy::Copy;
pub(super) use statement::{PLANS, StoreName};
pub use stores::PostgresCollections;
pub(super) use stores::{make, stores};
