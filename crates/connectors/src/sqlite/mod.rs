//! A SQLite database file: its tables and views are the streams. Nothing is written to it, nor beside it.
//!
#![doc = include_str!("docs.md")]

mod absent;
mod advance;
mod config;
mod convert;
mod cursor;
mod database;
mod read;
mod streams;
mod tables;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::sync::Arc;

use async_trait::async_trait;
use inlet_source::{Capabilities, Outlet, ReadRequest, Source, SourceError, StreamRequest, StreamSpec};

use self::config::Settings;
pub use self::config::Sqlite;

#[derive(Debug)]
struct SqliteSource(Arc<Settings>);

#[async_trait]
impl Source for SqliteSource {
    fn capabilities(&self) -> Capabilities {
        config::CAPABILITIES
    }

    async fn check(&self) -> Result<(), SourceError> {
        streams::check(Arc::clone(&self.0)).await
    }

    async fn discover(&self) -> Result<Vec<StreamSpec>, SourceError> {
        streams::discover(Arc::clone(&self.0)).await
    }

    async fn read(&self, request: ReadRequest, out: Outlet) -> Result<(), SourceError> {
        read::read(Arc::clone(&self.0), request, out).await
    }

    async fn verify_absent(
        &self,
        stream: &StreamRequest,
        keys: Vec<Vec<u8>>,
    ) -> Result<BTreeSet<Vec<u8>>, SourceError> {
        absent::still_there(Arc::clone(&self.0), stream.clone(), keys).await
    }
}
