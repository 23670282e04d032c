//! What is kept of each request when it is answered: one line in the log (who asked for what, and how it ended), one span
//! of a trace, and the numbers. Never a body, a query or a key.

use std::sync::Arc;
use std::time::Instant;

use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::Response;
use inlet_store::StoreError;
use tracing::Instrument;

use crate::app::Api;
use crate::auth::Caller;
use crate::problem::Problem;
use crate::request_id::Id;
use crate::spans;

/// Logs, counts and traces the request when it is answered; logs a failure of ours with its causes, here and nowhere else.
pub(crate) async fn write(State(api): State<Api>, request: Request, next: Next) -> Response {
    let begun = Instant::now();
    let method = request.method().clone();
    let route = api.route(request.extensions().get::<MatchedPath>());
    let id = request.extensions().get::<Id>().cloned();
    let request_id = id.as_ref().map_or("-", |id| &*id.0);
    let span = spans::of_request(&api, &method, route, request_id, request.headers());
    let response = next.run(request).instrument(span.clone()).await;

    let took = begun.elapsed();
    api.metrics.answered(&method, route, response.status(), took);
    let status = response.status().as_u16();
    let caller = response.extensions().get::<Caller>();
    let problem = response.extensions().get::<Arc<Problem>>();
    let code = problem.map(|problem| problem.code().name());
    spans::answered(&span, response.status(), problem.map(|problem| &**problem));
    tracing::info!(
        %method,
        route,
        status,
        duration_ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
        request_id,
        key = caller.map(tracing::field::display),
        code,
        "{method} {route} {status}"
    );
    if let Some(problem) = problem.filter(|problem| response.status().is_server_error() && !is_told(problem))
    {
        let cause = problem.cause().map(|cause| cause as &(dyn std::error::Error + 'static));
        tracing::error!(
            request_id,
            code,
            causes = causes(cause),
            "a request failed: {}",
            problem.code().title()
        );
    }
    response
}

/// Whether it belongs to an outage of which the store has told: one line for each request would bury what else there is.
fn is_told(problem: &Problem) -> bool {
    problem.cause().and_then(|cause| cause.downcast_ref::<StoreError>()).is_some_and(StoreError::is_told)
}

/// An error and what lies behind it, one after the other.
fn causes(error: Option<&(dyn std::error::Error + 'static)>) -> String {
    let chain = std::iter::successors(error, |error| error.source());
    chain.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
