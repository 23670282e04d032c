//! Two ways to a server: a call within this process, and HTTP to the one that holds the data directory.

use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, HeaderValue, Method, Request, StatusCode, header};
use axum::response::Response;
use http_body_util::{BodyExt, Limited};
use tower::ServiceExt;

use super::CallError;
use super::problem::Reach;
use crate::tls::{Flaw, Trust};

/// No answer of the API is longer: a page is cut at some megabytes, and holds at least one record of at most sixteen.
const MAX_ANSWER: usize = 64 << 20;
const TIMEOUT: Duration = Duration::from_secs(60);
/// An answer that comes in parts is begun anew after so long.
const LONGEST_STREAM: Duration = Duration::from_secs(24 * 60 * 60);

/// A request.
#[derive(Debug, Clone)]
pub(super) struct Outgoing<'a> {
    /// Its method.
    pub(super) method: Method,
    /// Its path, with its query, escaped.
    pub(super) path: &'a str,
    /// Its media type and its body.
    pub(super) body: Option<(&'static str, Bytes)>,
    /// By which the server knows it again.
    pub(super) idempotency_key: Option<HeaderValue>,
    /// Behind which event its answer is to go on.
    pub(super) last_event_id: Option<HeaderValue>,
}

impl<'a> Outgoing<'a> {
    /// A request without a body.
    pub(super) fn new(method: Method, path: &'a str) -> Self {
        Self { method, path, body: None, idempotency_key: None, last_event_id: None }
    }

    /// With this body.
    pub(super) fn with_body(self, media_type: &'static str, body: Bytes) -> Self {
        Self { body: Some((media_type, body)), ..self }
    }

    fn headers(&self) -> HeaderMap {
        let media_type = self.body.as_ref().map(|(media_type, _)| HeaderValue::from_static(media_type));
        let named = media_type.map(|value| (header::CONTENT_TYPE, value));
        let key = self
            .idempotency_key
            .clone()
            .map(|value| (header::HeaderName::from_static("idempotency-key"), value));
        let last_id =
            self.last_event_id.clone().map(|value| (header::HeaderName::from_static("last-event-id"), value));
        named.into_iter().chain(key).chain(last_id).collect()
    }
}

/// What came back.
#[derive(Debug, Clone)]
pub(super) struct Answer {
    /// Its status.
    pub(super) status: StatusCode,
    /// After how long to come again, if the server said so.
    pub(super) retry_after: Option<Duration>,
    /// When the server sent it, in seconds since 1970.
    pub(super) date: Option<i64>,
    /// Its body.
    pub(super) body: Bytes,
}

impl Answer {
    fn new(status: StatusCode, headers: &HeaderMap, body: Bytes) -> Self {
        Self { status, retry_after: retry_after(headers), date: date(headers), body }
    }
}

/// How calls reach the server.
#[derive(Debug, Clone)]
pub(crate) enum Transport {
    /// It is this process.
    InProcess {
        /// The API.
        router: Router,
        /// What the API wants to see of a caller.
        headers: HeaderMap,
    },
    /// It is another one, on this machine or elsewhere.
    Http {
        /// Makes the connections.
        http: reqwest::Client,
        /// `http://address:port` or `https://host`, and perhaps a path
        address: String,
    },
}

/// The headers that show `key`. `None` if it is no header's value.
pub(crate) fn key_headers(key: &str) -> Option<HeaderMap> {
    let mut value = HeaderValue::from_str(key).ok()?;
    value.set_sensitive(true);
    Some(HeaderMap::from_iter([(header::HeaderName::from_static("x-api-key"), value)]))
}

impl Transport {
    /// Calls within this process, with these headers.
    pub(crate) fn in_process(router: Router, headers: HeaderMap) -> Self {
        Self::InProcess { router, headers }
    }

    /// Calls over HTTP, with these headers.
    pub(crate) fn http(address: &str, headers: HeaderMap, trust: Trust) -> Result<Self, CallError> {
        let address = address.trim_end_matches('/').to_owned();
        // A proxy between two processes of one machine would only lose the call.
        let http = trust.client().no_proxy().timeout(TIMEOUT).default_headers(headers).build();
        match http {
            Ok(http) => Ok(Self::Http { http, address }),
            Err(error) => Err(unreachable(&address, error)),
        }
    }

    /// Sends one request and takes its whole answer.
    pub(super) async fn send(&self, request: &Outgoing<'_>) -> Result<Answer, CallError> {
        match self {
            Self::InProcess { router, headers } => {
                whole_of(call_router(router.clone(), headers, request).await?).await
            }
            Self::Http { http, address } => call_http(http, address, request).await,
        }
    }

    /// Sends one request and takes its answer as it comes.
    pub(super) async fn open(&self, request: &Outgoing<'_>) -> Result<Opened, CallError> {
        match self {
            Self::InProcess { router, headers } => {
                let response = call_router(router.clone(), headers, request).await?;
                match response.status() {
                    StatusCode::OK => Ok(Opened::Parts(Parts::InProcess(response.into_body()))),
                    _ => Ok(Opened::Answer(whole_of(response).await?)),
                }
            }
            Self::Http { http, address } => {
                let response = send_http(http, address, request, LONGEST_STREAM).await?;
                match response.status() {
                    StatusCode::OK => Ok(Opened::Parts(Parts::Http { response, address: address.clone() })),
                    _ => Ok(Opened::Answer(whole(address, response).await?)),
                }
            }
        }
    }
}

/// An answer that has begun: whole, or in parts as they come.
pub(super) enum Opened {
    /// It is no success, or there is nothing in it.
    Answer(Answer),
    /// A success.
    Parts(Parts),
}

/// The parts of an answer's body.
pub(super) enum Parts {
    InProcess(Body),
    Http { response: reqwest::Response, address: String },
}

impl Parts {
    /// The next part; `None` at the end. May be dropped while it waits.
    pub(super) async fn next(&mut self) -> Result<Option<Bytes>, CallError> {
        match self {
            Self::Http { response, address } => {
                response.chunk().await.map_err(|error| unreachable(address, error))
            }
            Self::InProcess(body) => match body.frame().await {
                None => Ok(None),
                Some(Ok(frame)) => Ok(Some(frame.into_data().unwrap_or_default())),
                Some(Err(error)) => Err(CallError::Unreadable(error.into())),
            },
        }
    }

    /// Nothing has come for too long.
    pub(super) fn silent(&self) -> CallError {
        let address = match self {
            Self::Http { address, .. } => address.clone(),
            Self::InProcess(_) => String::new(),
        };
        let cause = "nothing has come for too long".into();
        CallError::Unreachable { address, reach: Reach::Broken, cause }
    }
}

async fn send_http(
    http: &reqwest::Client,
    address: &str,
    request: &Outgoing<'_>,
    timeout: Duration,
) -> Result<reqwest::Response, CallError> {
    let mut sending = http
        .request(request.method.clone(), format!("{address}{}", request.path))
        .headers(request.headers())
        .timeout(timeout);
    if let Some((_, body)) = &request.body {
        sending = sending.body(body.clone());
    }
    sending.send().await.map_err(|error| unreachable(address, error))
}

async fn call_http(
    http: &reqwest::Client,
    address: &str,
    request: &Outgoing<'_>,
) -> Result<Answer, CallError> {
    let response = send_http(http, address, request, TIMEOUT).await?;
    whole(address, response).await
}

async fn whole(address: &str, mut response: reqwest::Response) -> Result<Answer, CallError> {
    let unreachable = |error| unreachable(address, error);
    let mut bytes = Vec::new();
    while let Some(part) = response.chunk().await.map_err(unreachable)? {
        if bytes.len() + part.len() > MAX_ANSWER {
            return Err(too_long());
        }
        bytes.extend_from_slice(&part);
    }
    Ok(Answer::new(response.status(), response.headers(), bytes.into()))
}

async fn call_router(
    router: Router,
    headers: &HeaderMap,
    outgoing: &Outgoing<'_>,
) -> Result<Response, CallError> {
    let mut request = Request::builder().method(outgoing.method.clone()).uri(outgoing.path);
    if let Some(all) = request.headers_mut() {
        all.extend(headers.clone());
        all.insert(header::HOST, HeaderValue::from_static("localhost"));
        all.extend(outgoing.headers());
    }
    let body = outgoing.body.as_ref().map_or_else(Body::empty, |(_, body)| Body::from(body.clone()));
    let request = request.body(body).map_err(|error| CallError::Unreadable(Box::new(error)))?;
    match router.oneshot(request).await {
        Ok(response) => Ok(response),
        Err(never) => match never {},
    }
}

async fn whole_of(response: Response) -> Result<Answer, CallError> {
    let (head, body) = response.into_parts();
    let body = Limited::new(body, MAX_ANSWER).collect().await.map_err(CallError::Unreadable)?;
    Ok(Answer::new(head.status, &head.headers, body.to_bytes()))
}

/// In seconds; a date, which our server never sends, counts as nothing said.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim().parse().ok().map(Duration::from_secs)
}

fn date(headers: &HeaderMap) -> Option<i64> {
    let text = headers.get(header::DATE)?.to_str().ok()?;
    jiff::fmt::rfc2822::parse(text).ok().map(|date| date.timestamp().as_second())
}

fn unreachable(address: &str, error: reqwest::Error) -> CallError {
    if let Some(flaw) = Flaw::of(&error) {
        return CallError::Unsafe { address: address.to_owned(), flaw, cause: Box::new(error) };
    }
    let reach = match &error {
        error if error.is_timeout() => Reach::TimedOut,
        error if error.is_connect() || error.is_builder() => Reach::NoConnection,
        _ => Reach::Broken,
    };
    CallError::Unreachable { address: address.to_owned(), reach, cause: Box::new(error) }
}

fn too_long() -> CallError {
    CallError::Unreadable(format!("the answer has more than {MAX_ANSWER} bytes").into())
}
