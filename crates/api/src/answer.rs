//! Answers that are no errors.

use axum::body::Bytes;
use axum::http::header::{CONTENT_TYPE, ETAG, LOCATION};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use inlet_store::catalog::StoredAnswer;
use serde::Serialize;

const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

/// An answer, whole before it is sent: so that it can be stored in the transaction of what it reports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answer {
    status: StatusCode,
    location: Option<String>,
    etag: Option<u64>,
    replayed: bool,
    body: Bytes,
}

impl Answer {
    /// `status`, with `view` as JSON.
    pub(crate) fn new(status: StatusCode, view: &impl Serialize) -> Self {
        Self { status, location: None, etag: None, replayed: false, body: json(view).into() }
    }

    /// 200, with `view` as JSON.
    pub(crate) fn ok(view: &impl Serialize) -> Self {
        Self::new(StatusCode::OK, view)
    }

    /// 204.
    pub(crate) fn no_content() -> Self {
        Self {
            status: StatusCode::NO_CONTENT,
            location: None,
            etag: None,
            replayed: false,
            body: Bytes::new(),
        }
    }

    /// Says where the thing is.
    pub(crate) fn location(mut self, path: String) -> Self {
        self.location = Some(path);
        self
    }

    /// Says which version of the thing this is.
    pub(crate) fn version(mut self, version: u64) -> Self {
        self.etag = Some(version);
        self
    }

    /// The size of its body.
    pub(crate) fn bytes(&self) -> usize {
        self.body.len()
    }

    /// What is kept for a repeated request.
    pub(crate) fn to_stored(&self) -> StoredAnswer {
        StoredAnswer {
            status: self.status.as_u16(),
            location: self.location.clone(),
            body: self.body.to_vec(),
        }
    }

    /// The answer that an earlier, equal request got.
    pub(crate) fn replayed(stored: StoredAnswer) -> Self {
        let status = StatusCode::from_u16(stored.status).unwrap_or(StatusCode::OK);
        Self { status, location: stored.location, etag: None, replayed: true, body: stored.body.into() }
    }
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        let has_body = !self.body.is_empty();
        let mut response = (self.status, self.body).into_response();
        let headers = response.headers_mut();
        if has_body {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        } else {
            headers.remove(CONTENT_TYPE);
        }
        if let Some(location) = self.location.and_then(|path| HeaderValue::try_from(path).ok()) {
            headers.insert(LOCATION, location);
        }
        if let Some(etag) = self.etag.and_then(|version| HeaderValue::try_from(format!("\"{version}\"")).ok())
        {
            headers.insert(ETAG, etag);
        }
        if self.replayed {
            headers.insert(REPLAYED, HeaderValue::from_static("true"));
        }
        response
    }
}

/// `view` as JSON text.
pub(crate) fn json(view: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(view).expect("views have text as keys, and nothing in them refuses to be written")
}
