//! Files of the server's disk: one, or all that match a pattern, which are one stream, each of them a scope.
//!
#![doc = include_str!("docs.md")]

mod config;
mod convert;
mod cursor;
mod decompress;
mod format;
mod listing;
mod pattern;
mod read;
mod streams;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use async_trait::async_trait;
use inlet_source::{Capabilities, Outlet, ReadRequest, Source, SourceError, StreamSpec};

pub use self::config::Files;
use self::config::Settings;

const CAPABILITIES: Capabilities = Capabilities {
    resumable_listing: true,
    incremental: true,
    tells_unchanged: true,
    certified_listing: true,
    verify_absent: false,
};

#[derive(Debug)]
struct FilesSource(Arc<Settings>);

#[async_trait]
impl Source for FilesSource {
    fn capabilities(&self) -> Capabilities {
        CAPABILITIES
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
}
