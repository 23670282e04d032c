//! Errors, as problem documents (RFC 9457).

use std::error::Error;
use std::sync::Arc;

use axum::http::header::{CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderName, HeaderValue};
use axum::response::{IntoResponse, Response};
use inlet_model::fields::{FieldError, FieldErrors};
use inlet_model::sync::Failure;
use inlet_store::{StoreError, StoreErrorKind};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::value::RawValue;

use crate::answer;
use crate::codes::Code;

/// The most bad fields that one answer names.
const MAX_ERRORS: usize = 100;
/// The most of them that its `detail` names.
const MAX_NAMED: usize = 10;
/// The most characters of a `detail`: it may repeat what the caller sent.
const MAX_DETAIL: usize = 1000;

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
        let mut detail = detail.into();
        shorten(&mut detail);
        Self { code, detail, errors: Vec::new(), resource: None, headers: Vec::new(), cause: None }
    }

    /// Bad fields: all of them, up to a hundred.
    pub(crate) fn invalid_fields(FieldErrors(mut errors): FieldErrors) -> Self {
        let named = |error: &FieldError| match error.pointer.as_str() {
            "" => "the body itself".to_owned(),
            pointer => format!("`{pointer}`"),
        };
        let names: Vec<String> = errors.iter().take(MAX_NAMED).map(named).collect();
        let names = names.join(", ");
        let detail = match errors.len() {
            1 => format!("One field is not valid: {names}."),
            count @ ..=MAX_NAMED => format!("{count} fields are not valid: {names}."),
            count => format!("{count} fields are not valid: {names} and {} more.", count - MAX_NAMED),
        };
        errors.truncate(MAX_ERRORS);
        for error in &mut errors {
            shorten(&mut error.detail);
        }
        Self { errors, ..Self::new(Code::InvalidFields, detail) }
    }

    /// A mistake of ours; only the log learns more.
    pub(crate) fn internal() -> Self {
        Self::new(Code::Internal, "The server made a mistake. Its log tells more under this request's id.")
    }

    /// Why a source could not be built or asked.
    pub(crate) fn of_source(failure: &Failure) -> Self {
        let Some(code) = Code::from_name(&failure.code) else { return Self::internal() };
        let hint = failure.hint.as_ref().map(|hint| format!(" To mend it: {hint}.")).unwrap_or_default();
        Self::new(code, format!("The source cannot be asked: {}.{hint}", failure.message))
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
        let body = ProblemView {
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

/// Cuts a text that repeats too much of what the caller sent.
fn shorten(text: &mut String) {
    if let Some((end, _)) = text.char_indices().nth(MAX_DETAIL) {
        text.truncate(end);
        text.push_str(" ….");
    }
}

/// What went wrong with a request (RFC 9457).
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Problem")]
pub(crate) struct ProblemView<'a> {
    /// Where the page of the code is.
    r#type: String,
    /// What the code means, in a few words.
    title: &'static str,
    /// The HTTP status.
    status: u16,
    /// A sentence a person can act on.
    detail: &'a str,
    /// Stable and dotted: what clients decide by.
    code: &'static str,
    /// By which the server's log knows the request.
    request_id: &'a str,
    /// Whether the same request may succeed later without anybody changing anything.
    retryable: bool,
    /// Every bad field of the body.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    #[schemars(with = "Option<Vec<FieldError>>")]
    errors: &'a [FieldError],
    /// What is in the way.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<serde_json::Map<String, serde_json::Value>>")]
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
                "The store does not answer now. Try again in a moment; what was sent to be stored may be there already, \
                 and with its `Idempotency-Key` it is stored once.",
            )
            .header(RETRY_AFTER, HeaderValue::from_static("1")),
            StoreErrorKind::Damaged => {
                Self::new(Code::DataUnreadable, "The stored data are damaged. Restore them from a backup.")
            }
            StoreErrorKind::NewerFormat => Self::new(
                Code::DataUnreadable,
                "The stored data were written by a newer version of Inlet. Run that version or a later one.",
            ),
            StoreErrorKind::Unfinished => Self::new(
                Code::DataUnreadable,
                "Data are being moved here, and not all of them have come. Let that be finished first.",
            ),
            StoreErrorKind::Cancelled | StoreErrorKind::Internal => Self::internal(),
        };
        problem.because(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn errors(count: usize) -> FieldErrors {
        let error = |index: usize| FieldError {
            pointer: format!("/{index}"),
            code: "field.unknown",
            detail: "x".repeat(2 * MAX_DETAIL),
        };
        FieldErrors((0..count).map(error).collect())
    }

    #[test]
    fn what_goes_wrong_in_a_store_has_a_code_and_stays_out_of_sight() {
        for (kind, code) in [
            (StoreErrorKind::Fenced, Code::ConnectorNotFound),
            (StoreErrorKind::Closed, Code::CollectionNotFound),
            (StoreErrorKind::DiskFull, Code::DiskFull),
            (StoreErrorKind::Unavailable, Code::Unavailable),
            (StoreErrorKind::Damaged, Code::DataUnreadable),
            (StoreErrorKind::NewerFormat, Code::DataUnreadable),
            (StoreErrorKind::Unfinished, Code::DataUnreadable),
            (StoreErrorKind::Cancelled, Code::Internal),
            (StoreErrorKind::Internal, Code::Internal),
        ] {
            let problem = Problem::from(StoreError::new(kind, "commit").because("errno 28 in /secret/place"));
            assert_eq!((problem.code(), problem.code().retryable()), (code, kind.is_temporary()));
            assert!(!problem.detail.contains("secret") && problem.cause().is_some());
        }
    }

    #[test]
    fn bad_fields_are_named_and_counted() {
        assert_eq!(Problem::invalid_fields(errors(1)).detail, "One field is not valid: `/0`.");
        assert_eq!(Problem::invalid_fields(errors(2)).detail, "2 fields are not valid: `/0`, `/1`.");
        assert!(Problem::invalid_fields(errors(12)).detail.ends_with("`/9` and 2 more."));
    }

    #[test]
    fn an_answer_does_not_grow_with_what_is_wrong() {
        let problem = Problem::invalid_fields(errors(100_000));
        assert_eq!(problem.errors.len(), MAX_ERRORS);
        assert!(problem.errors.iter().all(|error| error.detail.chars().count() <= MAX_DETAIL + 3));
        let long = Problem::new(Code::SpaceNotFound, "é".repeat(100_000));
        assert_eq!(long.detail, format!("{} ….", "é".repeat(MAX_DETAIL)));
    }
}
