//! From a connector to its source: the secrets are opened here, and here alone.

use std::collections::BTreeSet;
use std::sync::Arc;

use inlet_model::fields::FieldErrors;
use inlet_model::secret::{PlainConfig, Vault};
use inlet_model::sync::Failure;
use inlet_source::{
    Capabilities, ConnectorType, Environment, Outlet, ReadRequest, Registry, Source, SourceError,
    StreamRequest, StreamSpec,
};
use inlet_store::catalog::Connector;

use crate::failure;

/// A source with the config it was built of. What it says goes through here, so that no secret is repeated.
#[derive(Debug, Clone)]
pub struct BuiltSource {
    source: Arc<dyn Source>,
    config: Arc<PlainConfig>,
    accepts_push: bool,
}

/// Builds the source of a connector, or says why that cannot be.
pub fn build_source(
    registry: &Registry,
    environment: &Environment,
    vault: &Vault,
    connector: &Connector,
) -> Result<BuiltSource, Failure> {
    let kind = registry.get(&connector.kind).map_err(|error| failure::unknown_type(&error))?;
    let config = vault
        .open_config(connector.id, &connector.config)
        .map_err(|error| failure::unreadable_secret(&error))?;
    BuiltSource::new(&**kind, environment, config).map_err(|errors| failure::invalid_config(&errors))
}

impl BuiltSource {
    /// Builds a source of this config; every bad field of it is named.
    pub fn new(
        kind: &dyn ConnectorType,
        environment: &Environment,
        config: PlainConfig,
    ) -> Result<Self, FieldErrors> {
        match kind.build(config.value().clone(), environment) {
            Ok(source) => Ok(Self {
                source: Arc::from(source),
                config: Arc::new(config),
                accepts_push: kind.accepts_push(),
            }),
            Err(FieldErrors(mut errors)) => {
                for error in &mut errors {
                    error.detail = config.redacted(std::mem::take(&mut error.detail));
                }
                Err(FieldErrors(errors))
            }
        }
    }

    /// Whether its records are pushed over the API.
    #[must_use]
    pub fn accepts_push(&self) -> bool {
        self.accepts_push
    }

    /// As [`Source::check`].
    pub async fn check(&self) -> Result<(), SourceError> {
        self.source.check().await.map_err(|error| self.redacted(error))
    }

    /// As [`Source::discover`].
    pub async fn discover(&self) -> Result<Vec<StreamSpec>, SourceError> {
        self.source.discover().await.map_err(|error| self.redacted(error))
    }

    /// As [`Source::capabilities`].
    pub(crate) fn capabilities(&self) -> Capabilities {
        self.source.capabilities()
    }

    /// As [`Source::verify_absent`].
    pub(crate) async fn verify_absent(
        &self,
        stream: &StreamRequest,
        keys: Vec<Vec<u8>>,
    ) -> Result<BTreeSet<Vec<u8>>, SourceError> {
        self.source.verify_absent(stream, keys).await.map_err(|error| self.redacted(error))
    }

    /// As [`Source::read`]; what it sends to `out` is not looked into.
    pub(crate) async fn read(&self, request: ReadRequest, out: Outlet) -> Result<(), SourceError> {
        self.source.read(request, out).await.map_err(|error| self.redacted(error))
    }

    pub(crate) fn redacted(&self, error: SourceError) -> SourceError {
        error.redacted(|text| self.config.redacted(text))
    }

    pub(crate) fn redacted_text(&self, text: String) -> String {
        self.config.redacted(text)
    }
}
