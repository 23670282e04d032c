//! Where the `type` of a problem leads: the page of its code.

use axum::extract::{FromRequestParts, RawPathParams, Request};
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};

use crate::codes::Code;
use crate::operation::{Access, Operation};
use crate::problem::Problem;
use crate::router;

pub(crate) fn operation() -> Operation {
    Operation::get("get_error_page", "/docs/errors/{code}", Access::Public)
        .summary("Explain an error code")
        .answers_text("What it means and what to do, in Markdown.", "text/markdown")
}

/// `GET /docs/errors/{code}`: what the code means and what to do, in Markdown. It asks for no key.
pub(crate) async fn get(request: Request) -> Result<Response, Problem> {
    let (mut parts, _) = request.into_parts();
    let params = RawPathParams::from_request_parts(&mut parts, &()).await.ok();
    let code = params.iter().flatten().next().and_then(|(_, name)| Code::from_name(name));
    let code = code.ok_or_else(|| router::no_route(&parts.method, parts.uri.path()))?;
    Ok(([(CONTENT_TYPE, "text/markdown; charset=utf-8")], code.page()).into_response())
}
