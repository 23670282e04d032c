//! Traces, sent by OTLP over HTTP to the collector that the environment names, in the variables that are standard for it
//! (`OTEL_EXPORTER_OTLP_ENDPOINT` and its kin; `docs/logging.md` lists them). Without one, nothing is traced.

#[cfg(feature = "otlp")]
mod collector;
#[cfg(feature = "otlp")]
mod export;
#[cfg(feature = "otlp")]
mod parents;
mod settings;

use std::sync::Arc;

use tokio::runtime::Handle;
use tracing_subscriber::{Layer, Registry};

use crate::args::{Command, SyncsCommand};
use crate::errors::CommandError;
use crate::tls::Trust;

/// What takes the spans of the process, as a layer of its subscriber.
pub(crate) type SpanLayer = Box<dyn Layer<Registry> + Send + Sync>;

/// The traces of this process. Must be [ended](Self::end) before the runtime that they were started with.
#[derive(Debug, Default)]
#[must_use = "spans that wait are lost if nobody ends the traces"]
pub(crate) struct Traces {
    #[cfg(feature = "otlp")]
    export: Option<export::Export>,
}

impl Traces {
    /// Begins to send spans if the environment wants it and the command has something to tell. Whoever only looks or asks
    /// a server sends nothing.
    pub(crate) fn start(
        command: &Command,
        runtime: &Handle,
    ) -> Result<(Self, Option<SpanLayer>), CommandError> {
        let may_run_syncs = match command {
            Command::Serve(_) | Command::Sync(_) | Command::Demo(_) => true,
            Command::Syncs(args) => {
                matches!(args.command, SyncsCommand::Trigger(_) | SyncsCommand::Follow { .. })
            }
            _ => false,
        };
        if !may_run_syncs {
            return Ok((Self::default(), None));
        }
        let variable = |name: &str| std::env::var(name).ok();
        match settings::endpoint(variable)? {
            Some(endpoint) => {
                let trust = settings::trust(&endpoint, variable)?;
                Self::to(endpoint, trust, runtime)
            }
            None => Ok((Self::default(), None)),
        }
    }

    #[cfg(feature = "otlp")]
    fn to(
        endpoint: String,
        trust: Trust,
        runtime: &Handle,
    ) -> Result<(Self, Option<SpanLayer>), CommandError> {
        let (export, layer) = export::Export::start(endpoint, trust, runtime)?;
        Ok((Self { export: Some(export) }, Some(layer)))
    }

    #[cfg(not(feature = "otlp"))]
    fn to(_: String, _: Trust, _: &Handle) -> Result<(Self, Option<SpanLayer>), CommandError> {
        Err(CommandError::input(
            "input.otlp",
            "the environment asks for traces, and this program was built without them",
        )
        .hint("unset OTEL_EXPORTER_OTLP_ENDPOINT, or build with the feature `otlp`")
        .into())
    }

    /// Sends the spans that wait, and returns when the collector has them or a second is over. Must not be called on a
    /// thread of the runtime.
    pub(crate) fn end(self) {
        #[cfg(feature = "otlp")]
        if let Some(export) = self.export {
            export.end();
        }
    }
}

/// What joins the spans of requests to the traces of their callers.
pub(crate) fn of_callers() -> Option<Arc<dyn inlet_api::Traces>> {
    #[cfg(feature = "otlp")]
    return Some(Arc::new(parents::TraceContext));
    #[cfg(not(feature = "otlp"))]
    return None;
}
