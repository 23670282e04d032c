//! The backend for many machines: PostgreSQL 15 or later.

mod catalog;
mod error;
mod pool;
mod schema;
mod session;
mod text;
mod transaction;

pub use catalog::open_catalog;
