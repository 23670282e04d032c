//! The backend for many machines: PostgreSQL 15 or later.

mod address;
mod catalog;
mod client;
mod clock;
mod collection;
mod database;
mod error;
mod examine;
mod hosts;
mod layout;
mod patience;
mod pool;
mod schema;
mod session;
mod settings;
mod signals;
mod text;
mod tls;
mod transaction;
mod transfer;

pub use collection::PostgresCollections;
pub use database::{Migrated, Postgres, PostgresOptions};
pub use error::is_refusal;
pub use examine::{Examined, FoundTables};
pub use layout::Layout;
pub(crate) use transfer::SharedDatabase;
