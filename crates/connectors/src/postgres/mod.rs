//! A PostgreSQL database: its tables and views are the streams. Nothing is written to it.
//!
#![doc = include_str!("docs.md")]

mod absent;
mod advance;
mod client;
mod config;
mod convert;
mod cursor;
mod kinds;
mod lag;
mod read;
mod streams;
mod tables;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::sync::Arc;

use async_trait::async_trait;
use inlet_source::{Capabilities, Outlet, ReadRequest, Source, SourceError, StreamRequest, StreamSpec};

pub use self::config::Postgres;
use self::config::Settings;

#[derive(Debug)]
struct PostgresSource(Arc<Settings>);

#[async_trait]
impl Source for PostgresSource {
    fn capabilities(&self) -> Capabilities {
        config::CAPABILITIES
    }

    async fn check(&self) -> Result<(), SourceError> {
        streams::check(&self.0).await
    }

    async fn discover(&self) -> Result<Vec<StreamSpec>, SourceError> {
        streams::discover(&self.0).await
    }

    async fn read(&self, request: ReadRequest, out: Outlet) -> Result<(), SourceError> {
        read::read(&self.0, &request, &out).await
    }

    async fn verify_absent(
        &self,
        stream: &StreamRequest,
        keys: Vec<Vec<u8>>,
    ) -> Result<BTreeSet<Vec<u8>>, SourceError> {
        absent::still_there(&self.0, stream, keys).await
    }
}
