//! Two ways to a server: a call within this process, and HTTP to the one that holds the data directory.

use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, HeaderValue, Method, Request, StatusCode, header};
use http_body_util::{BodyExt, Limited};
use tower::ServiceExt;

use super::CallError;

/// No answer of the API is longer: a page is cut at some megabytes, and holds at least one record of at most sixteen.
const MAX_ANSWER: usize = 64 << 20;
const TIMEOUT: Duration = Duration::from_secs(60);

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
    /// It is another one on this machine.
    Http {
        /// Makes the connections.
        http: reqwest::Client,
        /// `http://address:port`
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
    pub(crate) fn http(address: &str, headers: HeaderMap) -> Result<Self, CallError> {
        let address = address.trim_end_matches('/').to_owned();
        // A proxy between two processes of one machine would only lose the call.
        let http = reqwest::Client::builder().no_proxy().timeout(TIMEOUT).default_headers(headers).build();
        match http {
            Ok(http) => Ok(Self::Http { http, address }),
            Err(error) => Err(CallError::Unreachable { address, cause: Box::new(error) }),
        }
    }

    /// Sends one request and takes its whole answer.
    pub(super) async fn send(
        &self,
        method: Method,
        path: &str,
        body: Option<String>,
    ) -> Result<(StatusCode, Bytes), CallError> {
        match self {
            Self::InProcess { router, headers } => {
                call_router(router.clone(), headers, method, path, body).await
            }
            Self::Http { http, address } => {
                let unreachable = |cause: reqwest::Error| CallError::Unreachable {
                    address: address.clone(),
                    cause: Box::new(cause),
                };
                let mut request = http.request(method, format!("{address}{path}"));
                if let Some(body) = body {
                    request = request.header(header::CONTENT_TYPE, "application/json").body(body);
                }
                let mut response = request.send().await.map_err(unreachable)?;
                let mut bytes = Vec::new();
                while let Some(part) = response.chunk().await.map_err(unreachable)? {
                    if bytes.len() + part.len() > MAX_ANSWER {
                        return Err(too_long());
                    }
                    bytes.extend_from_slice(&part);
                }
                Ok((response.status(), bytes.into()))
            }
        }
    }
}

async fn call_router(
    router: Router,
    headers: &HeaderMap,
    method: Method,
    path: &str,
    body: Option<String>,
) -> Result<(StatusCode, Bytes), CallError> {
    let mut request = Request::builder().method(method).uri(path);
    if let Some(all) = request.headers_mut() {
        all.extend(headers.clone());
        all.insert(header::HOST, HeaderValue::from_static("localhost"));
        if body.is_some() {
            all.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        }
    }
    let request = request.body(body.map_or_else(Body::empty, Body::from));
    let request = request.map_err(|error| CallError::Unreadable(Box::new(error)))?;
    let response = match router.oneshot(request).await {
        Ok(response) => response,
        Err(never) => match never {},
    };
    let status = response.status();
    let body = Limited::new(response.into_body(), MAX_ANSWER).collect().await;
    Ok((status, body.map_err(CallError::Unreadable)?.to_bytes()))
}

fn too_long() -> CallError {
    CallError::Unreadable(format!("the answer has more than {MAX_ANSWER} bytes").into())
}
