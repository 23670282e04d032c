//! The backend for many machines: PostgreSQL 15 or later.

mod catalog;
mod clock;
mod collection;
mod database;
mod error;
mod pool;
mod schema;
mod session;
mod signals;
mod text;
mod transaction;
mod transfer;

pub use collection::PostgresCollections;
pub use database::{Migrated, Postgres};
pub use error::is_refusal;
pub(crate) use transfer::SharedDatabase;
