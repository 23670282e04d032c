//! What a trace says of a request: one span, named by the conventions of OpenTelemetry for HTTP servers. Never a query, a
//! body, a key or any other header.
//!
//! The span is of the level `debug`, so that a log at `info` neither shows nor pays for it; a trace takes it all the same.

use std::fmt;

use axum::http::{HeaderMap, HeaderName, Method, StatusCode};
use tracing::Span;
use tracing::field::Empty;

use crate::app::Api;
use crate::metrics::method_name;
use crate::problem::Problem;

const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
const TRACESTATE: HeaderName = HeaderName::from_static("tracestate");

/// Joins the spans of requests to the traces of those who sent them.
pub trait Traces: Send + Sync + fmt::Debug {
    /// Makes the span, which nobody has entered yet, a part of the caller's trace, as the header `traceparent` and the
    /// `tracestate` that may come with it say ([W3C Trace Context](https://www.w3.org/TR/trace-context/)). Headers that
    /// are not in order are passed over: the span then begins a trace of its own.
    fn join(&self, span: &Span, traceparent: &str, tracestate: Option<&str>);
}

/// The span of a request that is about to be answered.
pub(crate) fn of_request(
    api: &Api,
    method: &Method,
    route: &str,
    request_id: &str,
    headers: &HeaderMap,
) -> Span {
    let method = method_name(method);
    let span = tracing::debug_span!(
        "request",
        otel.name = %format_args!("{method} {route}"),
        otel.kind = "server",
        otel.status_code = Empty,
        http.request.method = method,
        http.route = route,
        http.response.status_code = Empty,
        error.type = Empty,
        request_id,
    );
    if let Some(traces) = api.traces.as_ref().filter(|_| !span.is_disabled()) {
        let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
        if let Some(traceparent) = text(TRACEPARENT) {
            traces.join(&span, traceparent, text(TRACESTATE));
        }
    }
    span
}

/// The request was answered.
pub(crate) fn answered(span: &Span, status: StatusCode, problem: Option<&Problem>) {
    span.record("http.response.status_code", status.as_u16());
    if let Some(problem) = problem {
        span.record("error.type", problem.code().name());
    }
    if status.is_server_error() {
        span.record("otel.status_code", "ERROR");
    }
}
