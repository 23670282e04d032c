//! Records that programs push over the API: they wait in an inbox until a sync takes them.
//!
#![doc = include_str!("docs.md")]

mod config;
mod convert;
mod read;
mod streams;
#[cfg(test)]
mod tests;

use async_trait::async_trait;
use inlet_source::{Capabilities, Outlet, ReadRequest, Source, SourceError, StreamSpec};

pub use self::config::ExternalSource;

const CAPABILITIES: Capabilities = Capabilities {
    resumable_listing: false,
    incremental: true,
    tells_unchanged: true,
    certified_listing: false,
    verify_absent: false,
};

/// The pushes to one connector; where they wait comes with each read.
#[derive(Debug)]
struct Pushes;

#[async_trait]
impl Source for Pushes {
    fn capabilities(&self) -> Capabilities {
        CAPABILITIES
    }

    async fn check(&self) -> Result<(), SourceError> {
        Ok(())
    }

    async fn discover(&self) -> Result<Vec<StreamSpec>, SourceError> {
        Ok(streams::all())
    }

    async fn read(&self, request: ReadRequest, out: Outlet) -> Result<(), SourceError> {
        read::read(&request, &out).await
    }
}
