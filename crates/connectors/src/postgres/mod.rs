//! A PostgreSQL database: its tables and views are the streams. Nothing is written to it.
//!
#![doc = include_str!("docs.md")]

mod absent;
mod advance;
mod client;
mod config;
mod connect;
mod convert;
mod copy_text;
mod cursor;
mod kinds;
mod lag;
mod moments;
mod nested;
mod read;
mod refusal;
mod streams;
mod tables;
#[cfg(test)]
mod tests;
mod tls;
mod types;
mod wire;

use std::collections::BTreeSet;
use std::sync::Arc;

use async_trait::async_trait;
use inlet_source::{Capabilities, Outlet, ReadRequest, Source, SourceError, StreamRequest, StreamSpec};

pub use self::config::Postgres;
use self::config::Settings;

const CAPABILITIES: Capabilities =
    Capabilities { resumable_listing: true, incremental: true, certified_listing: true, verify_absent: true };

#[derive(Debug)]
struct PostgresSource(Arc<Settings>);

#[async_trait]
impl Source for PostgresSource {
    fn capabilities(&self) -> Capabilities {
        CAPABILITIES
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
