//! Errors, as problem documents (RFC 9457).

use std::error::Error;
use std::sync::Arc;

use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderName, HeaderValue};
use axum::response::{IntoResponse, Response};
use inlet_model::fields::{FieldError, FieldErrors};
use inlet_store::{StoreError, StoreErrorKind};
use serde::Serialize;
use serde_json::value::RawValue;

use crate::answer;
use crate::codes::Code;

/// A request that was not done, and why.
///
/// As a response it is only an envelope: [`Problem::render`] writes its body at the edge of the API, where the
/// request's id is known.
#[derive(Debug)]
pub(crate) struct Problem {
    code: Code,
    detail: String,
    errors: Vec<FieldError>,
    resource: Option<Box<RawValue>>,
    headers: Vec<(HeaderName, HeaderValue)>,
    cause: Option<Box<dyn Error + Send + Sync>>,
}

impl Problem {
    /// A problem; `detail` is a sentence a person can act on, and names nothing internal.
    pub(crate) fn new(code: Code, detail: impl Into<String>) -> Self {
        Self {
            code,
            detail: detail.into(),
            errors: Vec::new(),
            resource: None,
            headers: Vec::new(),
            cause: None,
        }
    }

    /// Bad fields, all of them.
    pub(crate) fn invalid_fields(errors: FieldErrors) -> Self {
        let named = |error: &FieldError| match error.pointer.as_str() {
            "" => "the body itself".to_owned(),
            pointer => format!("`{pointer}`"),
        };
        let names: Vec<String> = errors.0.iter().map(named).collect();
        let detail = match names.as_slice() {
            [one] => format!("One field is not valid: {one}."),
            names => format!("{} fields are not valid: {}.", names.len(), names.join(", ")),
        };
        Self { errors: errors.0, ..Self::new(Code::InvalidFields, detail) }
    }

    /// A mistake of ours; only the log learns more.
    pub(crate) fn internal() -> Self {
        Self::new(Code::Internal, "The server made a mistake. Its log tells more under this request's id.")
    }

    /// Shows what is in the way.
    pub(crate) fn resource(mut self, view: &impl Serialize) -> Self {
        self.resource = serde_json::value::to_raw_value(view).ok();
        self
    }

    /// Adds a header to the answer.
    pub(crate) fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    /// Attaches the cause, for the log.
    pub(crate) fn because(mut self, cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.cause = Some(cause.into());
        self
    }

    pub(crate) fn code(&self) -> Code {
        self.code
    }

    pub(crate) fn cause(&self) -> Option<&(dyn Error + Send + Sync + 'static)> {
        self.cause.as_deref()
    }

    /// The answer, with its body.
    pub(crate) fn render(&self, request_id: &str) -> Response {
        let body = Body {
            r#type: format!("/docs/errors/{}", self.code.name()),
            title: self.code.title(),
            status: self.code.status().as_u16(),
            detail: &self.detail,
            code: self.code.name(),
            request_id,
            retryable: self.code.retryable(),
            errors: &self.errors,
            resource: self.resource.as_deref(),
        };
        let mut response = (self.code.status(), answer::json(&body)).into_response();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        headers.extend(self.headers.iter().cloned());
        response
    }
}

#[derive(Serialize)]
struct Body<'a> {
    r#type: String,
    title: &'static str,
    status: u16,
    detail: &'a str,
    code: &'static str,
    request_id: &'a str,
    retryable: bool,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    errors: &'a [FieldError],
    #[serde(skip_serializing_if = "Option::is_none")]
    resource: Option<&'a RawValue>,
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = self.code.status().into_response();
        response.extensions_mut().insert(Arc::new(self));
        response
    }
}

impl From<FieldErrors> for Problem {
    fn from(errors: FieldErrors) -> Self {
        Self::invalid_fields(errors)
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        let problem = match error.kind() {
            // What is written to has been deleted in the same moment.
            StoreErrorKind::Fenced => {
                Self::new(Code::ConnectorNotFound, "The connector has just been deleted.")
            }
            StoreErrorKind::Closed => {
                Self::new(Code::CollectionNotFound, "The collection has just been deleted.")
            }
            StoreErrorKind::DiskFull => Self::new(
                Code::DiskFull,
                "Nothing was stored. Free some space on the server's disk, then try again.",
            ),
            StoreErrorKind::Unavailable => Self::new(
                Code::Unavailable,
                "The store does not answer now. Nothing was done; try again in a moment.",
            ),
            StoreErrorKind::Damaged => {
                Self::new(Code::DataUnreadable, "The stored data are damaged. Restore them from a backup.")
            }
            StoreErrorKind::NewerFormat => Self::new(
                Code::DataUnreadable,
                "The stored data were written by a newer version of Inlet. Run that version or a later one.",
            ),
            StoreErrorKind::Cancelled | StoreErrorKind::Internal => Self::internal(),
        };
        problem.because(error)
    }
}
