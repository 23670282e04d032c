//! The trace that a caller's request belongs to.

use std::collections::HashMap;

use opentelemetry::propagation::TextMapPropagator;
use opentelemetry::trace::TraceContextExt;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt;

/// Reads W3C Trace Context.
#[derive(Debug)]
pub(super) struct TraceContext;

impl inlet_api::Traces for TraceContext {
    fn join(&self, span: &Span, traceparent: &str, tracestate: Option<&str>) {
        let mut sent = HashMap::from([("traceparent".to_owned(), traceparent.to_owned())]);
        sent.extend(tracestate.map(|state| ("tracestate".to_owned(), state.to_owned())));
        let context = TraceContextPropagator::new().extract(&sent);
        if context.span().span_context().is_valid() {
            // It fails where spans go into the log only: then there is no trace to join.
            let _no_trace = span.set_parent(context);
        }
    }
}
