#![doc = include_str!("docs.md")]

mod columns;
mod config;
mod convert;
mod csv;
mod csv_records;
mod cursor;
mod decompress;
mod format;
mod json_document;
mod json_lines;
mod listing;
mod pattern;
mod read;
mod roots;
mod scope;
mod streams;
#[cfg(test)]
mod tests;
mod window;

use std::sync::Arc;

use async_trait::async_trait;
use inlet_model::fields::FieldErrors;
use inlet_model::{Clock, SystemClock};
use inlet_source::{
    Capabilities, ConnectorType, Environment, Outlet, ReadRequest, Source, SourceError, StreamSpec,
};
use serde_json::Value;

use self::config::Config;
use self::roots::Roots;

/// The connector type `files`.
#[derive(Debug)]
pub struct Files {
    clock: Arc<dyn Clock>,
}

impl Files {
    /// The type, with the clock that tells how fresh a file is.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock }
    }
}

impl Default for Files {
    fn default() -> Self {
        Self::new(Arc::new(SystemClock))
    }
}

impl ConnectorType for Files {
    fn name(&self) -> &'static str {
        "files"
    }

    fn summary(&self) -> &'static str {
        "Reads CSV, JSON Lines and JSON files of the server's disk, plain or compressed, one or many"
    }

    fn config_schema(&self) -> Value {
        config::schema()
    }

    fn docs(&self) -> &'static str {
        include_str!("docs.md")
    }

    fn build(&self, config: Value, environment: &Environment) -> Result<Box<dyn Source>, FieldErrors> {
        let roots = Roots::new(environment.files_roots.clone());
        let config = Config::read(config, &roots)?;
        let clock = Arc::clone(&self.clock);
        Ok(Box::new(FilesSource(Arc::new(Settings { config, roots, clock }))))
    }
}

/// What a source works by.
#[derive(Debug)]
struct Settings {
    config: Config,
    roots: Roots,
    clock: Arc<dyn Clock>,
}

#[derive(Debug)]
struct FilesSource(Arc<Settings>);

#[async_trait]
impl Source for FilesSource {
    fn capabilities(&self) -> Capabilities {
        Capabilities { resumable_listing: true, incremental: true, certified_listing: true }
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
