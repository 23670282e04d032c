//! From a span that has ended to the collector: a bounded queue, a thread of its own, a batch every few seconds. A full
//! queue drops spans; nobody waits for it.

use std::time::Duration;

use opentelemetry::trace::TracerProvider;
use opentelemetry::{Key, KeyValue};
use opentelemetry_otlp::{SpanExporter, WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tokio::runtime::Handle;
use tracing::Level;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::filter_fn;

use super::SpanLayer;
use super::collector::{CERTIFICATE, Collector};
use crate::errors::CommandError;
use crate::tls::{Flaw, Trust};

/// How long the end of the process waits for the collector: what the ten seconds of a stop leave over.
const FLUSH: Duration = Duration::from_secs(1);

const SERVICE: &str = "inlet";

/// Spans on their way to the collector.
#[derive(Debug)]
pub(super) struct Export(SdkTracerProvider);

impl Export {
    pub(super) fn start(
        endpoint: String,
        trust: Trust,
        runtime: &Handle,
    ) -> Result<(Self, SpanLayer), CommandError> {
        let failed = |cause: Box<dyn std::error::Error + Send + Sync>| {
            CommandError::failure("traces.unusable", "traces cannot be sent").because(cause)
        };
        let collector = Collector::new(trust, runtime.clone()).map_err(|error| match Flaw::of(&error) {
            Some(flaw) => failed(error.into()).hint(flaw.hint(CERTIFICATE)),
            None => failed(error.into()),
        })?;
        let exporter =
            SpanExporter::builder().with_http().with_http_client(collector).with_endpoint(endpoint);
        let exporter = exporter.build().map_err(|error| failed(error.into()))?;
        let provider =
            SdkTracerProvider::builder().with_batch_exporter(exporter).with_resource(resource()).build();
        let layer = tracing_opentelemetry::layer()
            .with_tracer(provider.tracer(SERVICE))
            // Where in the code, on which thread and how long idle: of use to nobody who runs it.
            .with_location(false)
            .with_threads(false)
            .with_tracked_inactivity(false)
            .with_target(false)
            .with_context_activation(false)
            // Our own spans only: no line of the log becomes a part of a trace, and no library's span.
            .with_filter(
                filter_fn(|metadata| metadata.is_span() && metadata.target().starts_with("inlet_"))
                    .with_max_level_hint(LevelFilter::from_level(Level::DEBUG)),
            );
        Ok((Self(provider), layer.boxed()))
    }

    pub(super) fn end(self) {
        if self.0.shutdown_with_timeout(FLUSH).is_err() {
            tracing::warn!("the trace collector did not take the last spans in time; they are lost");
        }
    }
}

/// Who speaks: as `OTEL_SERVICE_NAME` and `OTEL_RESOURCE_ATTRIBUTES` say, else `inlet`.
fn resource() -> Resource {
    let named = Resource::builder().build();
    let name = named.get(&Key::from_static_str("service.name"));
    let is_named = name.is_some_and(|name| !name.as_str().starts_with("unknown_service"));
    let version = KeyValue::new("service.version", env!("CARGO_PKG_VERSION"));
    let resource = Resource::builder().with_attribute(version);
    if is_named { resource.build() } else { resource.with_service_name(SERVICE).build() }
}
