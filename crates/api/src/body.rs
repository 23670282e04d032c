//! Request bodies: bounded in size, time and depth before anything looks at them.

use axum::body::{Body, HttpBody};
use axum::extract::{FromRequest, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use http_body_util::BodyExt;
use inlet_model::json::{Canonicalizer, JsonError, JsonErrorKind, Limits as JsonLimits};
use inlet_store::catalog::Actor;
use serde_json::{Map, Value};

use crate::app::Api;
use crate::auth::Caller;
use crate::codes::Code;
use crate::idempotency::{Attempt, Sent};
use crate::memory::Share;
use crate::problem::Problem;

const JSON: &str = "application/json";
const MERGE_PATCH: &str = "application/merge-patch+json";

/// The JSON body of a POST, and its idempotency key. No body at all is `{}`.
#[derive(Debug)]
pub(crate) struct Post {
    /// The body.
    pub(crate) body: Value,
    /// Set if there is an idempotency key; to be kept until the answer is ready.
    pub(crate) attempt: Option<Attempt>,
}

impl FromRequest<Api> for Post {
    type Rejection = Problem;

    async fn from_request(request: Request, api: &Api) -> Result<Self, Problem> {
        let (parts, body) = request.into_parts();
        let bytes = read(api, &parts.headers, body, api.limits.body_bytes).await?;
        let media_type = media_type(&parts.headers, &bytes)?;
        only(&media_type, &[JSON])?;
        let attempt = begin(api, &parts, &media_type, &bytes)?;
        Ok(Self { body: parse(api, &bytes)?, attempt })
    }
}

/// The JSON body of a PATCH: a merge patch (RFC 7396), under either media type. No body at all is `{}`.
#[derive(Debug)]
pub(crate) struct Patch(pub(crate) Value);

impl FromRequest<Api> for Patch {
    type Rejection = Problem;

    async fn from_request(request: Request, api: &Api) -> Result<Self, Problem> {
        json(request, api, &[JSON, MERGE_PATCH]).await.map(Self)
    }
}

/// The JSON body of a PUT. No body at all is `{}`.
#[derive(Debug)]
pub(crate) struct Put(pub(crate) Value);

impl FromRequest<Api> for Put {
    type Rejection = Problem;

    async fn from_request(request: Request, api: &Api) -> Result<Self, Problem> {
        json(request, api, &[JSON]).await.map(Self)
    }
}

/// The body of a push, unread, and its idempotency key.
#[derive(Debug)]
pub(crate) struct Pushed {
    /// The body.
    pub(crate) bytes: Bytes,
    /// Its media type; empty if the request does not say.
    pub(crate) media_type: String,
    /// Set if there is an idempotency key; to be kept until the answer is ready.
    pub(crate) attempt: Option<Attempt>,
}

impl FromRequest<Api> for Pushed {
    type Rejection = Problem;

    async fn from_request(request: Request, api: &Api) -> Result<Self, Problem> {
        let (parts, body) = request.into_parts();
        let bytes = read(api, &parts.headers, body, api.limits.push_bytes).await?;
        let media_type = media_type(&parts.headers, &bytes)?;
        let attempt = begin(api, &parts, &media_type, &bytes)?;
        Ok(Self { bytes, media_type, attempt })
    }
}

/// A body of an ordinary size, unread, from whomever it comes.
#[derive(Debug)]
pub(crate) struct Raw {
    /// The body.
    pub(crate) bytes: Bytes,
}

impl FromRequest<Api> for Raw {
    type Rejection = Problem;

    async fn from_request(request: Request, api: &Api) -> Result<Self, Problem> {
        let (parts, body) = request.into_parts();
        Ok(Self { bytes: read(api, &parts.headers, body, api.limits.body_bytes).await? })
    }
}

/// A body, and its part of the memory of all bodies.
#[derive(Debug)]
pub(crate) struct Bytes {
    pub(crate) bytes: Vec<u8>,
    pub(crate) share: Share,
}

impl std::ops::Deref for Bytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes
    }
}

/// The JSON body of a request, of one of the `accepted` media types.
async fn json(request: Request, api: &Api, accepted: &[&str]) -> Result<Value, Problem> {
    let (parts, body) = request.into_parts();
    let bytes = read(api, &parts.headers, body, api.limits.body_bytes).await?;
    only(&media_type(&parts.headers, &bytes)?, accepted)?;
    parse(api, &bytes)
}

/// Reads a body of at most `limit` bytes, in bounded time.
async fn read(api: &Api, headers: &HeaderMap, body: Body, limit: usize) -> Result<Bytes, Problem> {
    let encoding = headers.get(header::CONTENT_ENCODING);
    if encoding.is_some_and(|encoding| encoding.as_bytes() != b"identity") {
        return Err(Problem::new(Code::MediaType, "Send the body without a Content-Encoding."));
    }
    let expected = match body.size_hint().exact().map(usize::try_from) {
        Some(Ok(exact)) if exact <= limit => exact,
        Some(_) => return Err(too_large(limit)),
        None => limit,
    };
    let reading = async {
        let share = api.memory.take(expected).await;
        Ok(Bytes { bytes: collect(body, limit).await?, share })
    };
    tokio::time::timeout(api.limits.body_time, reading).await.unwrap_or_else(|_| {
        let seconds = api.limits.body_time.as_secs();
        let detail =
            format!("The body did not arrive within {seconds} s. Send it faster, or in smaller parts.");
        Err(Problem::new(Code::BodyTimedOut, detail))
    })
}

async fn collect(mut body: Body, limit: usize) -> Result<Vec<u8>, Problem> {
    let mut bytes = Vec::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| {
            Problem::new(Code::BodyIncomplete, "The body broke off before its end. Send it again.")
                .because(error)
        })?;
        let Ok(data) = frame.into_data() else { continue };
        if bytes.len() + data.len() > limit {
            return Err(too_large(limit));
        }
        bytes.extend_from_slice(&data);
    }
    Ok(bytes)
}

fn too_large(limit: usize) -> Problem {
    let detail = format!("The body may have at most {limit} bytes here. Send less at a time.");
    Problem::new(Code::TooLarge, detail)
}

/// The media type without its parameters, in lower case. Empty if there is none, or no body that it could be of.
fn media_type(headers: &HeaderMap, body: &[u8]) -> Result<String, Problem> {
    let Some(value) = headers.get(header::CONTENT_TYPE).filter(|_| !body.is_empty()) else {
        return Ok(String::new());
    };
    let text =
        value.to_str().map_err(|_| Problem::new(Code::MediaType, "The Content-Type is not readable."))?;
    Ok(text.split(';').next().unwrap_or_default().trim().to_ascii_lowercase())
}

/// Refuses every media type but these; none at all passes.
pub(crate) fn only(media_type: &str, accepted: &[&str]) -> Result<(), Problem> {
    if media_type.is_empty() || accepted.contains(&media_type) {
        return Ok(());
    }
    let accepted: Vec<String> = accepted.iter().map(|each| format!("`{each}`")).collect();
    let detail = format!("The Content-Type here is {}; found `{media_type}`.", accepted.join(" or "));
    Err(Problem::new(Code::MediaType, detail))
}

fn begin(api: &Api, parts: &Parts, media_type: &str, body: &[u8]) -> Result<Option<Attempt>, Problem> {
    let sent = Sent {
        actor: parts.extensions.get().map_or(Actor::Anybody, |caller: &Caller| caller.actor),
        method: &parts.method,
        path: parts.uri.path(),
        query: parts.uri.query().unwrap_or_default(),
        media_type,
        body,
    };
    api.ledger.begin(&parts.headers, sent, api.clock.now())
}

/// The JSON value that `bytes` are. One pass without recursion checks all that is dear to check later: UTF-8, grammar,
/// depth, names that stand twice.
fn parse(api: &Api, bytes: &[u8]) -> Result<Value, Problem> {
    if bytes.is_empty() {
        return Ok(Value::Object(Map::new()));
    }
    let limits =
        JsonLimits { max_depth: api.limits.json_depth, max_bytes: bytes.len(), ..JsonLimits::default() };
    let mut canonical = Vec::with_capacity(bytes.len());
    Canonicalizer::new(limits).value(bytes, &mut canonical).map_err(|error| not_json(bytes, &error))?;
    serde_json::from_slice(&canonical).map_err(|error| {
        Problem::new(Code::InvalidJson, "The body holds a value that cannot be used.").because(error)
    })
}

fn not_json(bytes: &[u8], error: &JsonError) -> Problem {
    if let JsonErrorKind::TooDeep { max } = error.kind() {
        let detail = format!("Arrays and objects may nest at most {max} deep.");
        return Problem::new(Code::TooDeep, detail);
    }
    let before = &bytes[..error.offset().min(bytes.len())];
    let line = 1 + before.iter().filter(|byte| **byte == b'\n').count();
    let column = 1 + before.iter().rev().take_while(|byte| **byte != b'\n').count();
    Problem::new(Code::InvalidJson, format!("Line {line}, column {column}: {}.", error.kind()))
}
