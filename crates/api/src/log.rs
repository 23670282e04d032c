//! One line in the log for each request: who asked for what, and how it ended. Never a body, a query or a key.

use std::sync::Arc;
use std::time::Instant;

use axum::extract::{MatchedPath, Request};
use axum::middleware::Next;
use axum::response::Response;

use crate::auth::Caller;
use crate::problem::Problem;
use crate::request_id::Id;

/// Logs the request when it is answered; a failure of ours with its causes, here and nowhere else.
pub(crate) async fn write(request: Request, next: Next) -> Response {
    let begun = Instant::now();
    let method = request.method().clone();
    let route = request.extensions().get::<MatchedPath>().cloned();
    let id = request.extensions().get::<Id>().cloned();
    let response = next.run(request).await;

    let route = route.as_ref().map_or("-", MatchedPath::as_str);
    let request_id = id.as_ref().map_or("-", |id| &*id.0);
    let status = response.status().as_u16();
    let caller = response.extensions().get::<Caller>();
    let problem = response.extensions().get::<Arc<Problem>>();
    let code = problem.map(|problem| problem.code().name());
    tracing::info!(
        %method,
        route,
        status,
        duration_ms = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX),
        request_id,
        key = caller.map(tracing::field::display),
        code,
        "{method} {route} {status}"
    );
    if let Some(problem) = problem.filter(|_| response.status().is_server_error()) {
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

/// An error and what lies behind it, one after the other.
fn causes(error: Option<&(dyn std::error::Error + 'static)>) -> String {
    let chain = std::iter::successors(error, |error| error.source());
    chain.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
