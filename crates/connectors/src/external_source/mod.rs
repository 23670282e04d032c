#![doc = include_str!("docs.md")]

mod config;
mod convert;
mod read;
mod streams;
#[cfg(test)]
mod tests;

use async_trait::async_trait;
use inlet_model::fields::FieldErrors;
use inlet_source::{
    Capabilities, ConnectorType, Environment, Outlet, ReadRequest, Source, SourceError, StreamSpec,
};
use serde_json::Value;

/// The connector type `external_source`.
#[derive(Debug, Clone, Copy, Default)]
pub struct ExternalSource;

impl ConnectorType for ExternalSource {
    fn name(&self) -> &'static str {
        "external_source"
    }

    fn summary(&self) -> &'static str {
        "Takes the records that programs push over the API"
    }

    fn config_schema(&self) -> Value {
        config::schema()
    }

    fn docs(&self) -> &'static str {
        include_str!("docs.md")
    }

    fn accepts_push(&self) -> bool {
        true
    }

    fn build(&self, config: Value, _environment: &Environment) -> Result<Box<dyn Source>, FieldErrors> {
        config::read(config)?;
        Ok(Box::new(Pushes))
    }
}

/// The pushes to one connector; where they wait comes with each read.
#[derive(Debug)]
struct Pushes;

#[async_trait]
impl Source for Pushes {
    fn capabilities(&self) -> Capabilities {
        Capabilities { resumable_listing: false, incremental: true, certified_listing: false }
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
