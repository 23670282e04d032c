//! What goes wrong with a call, and how it is told.

use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::Value;

use crate::errors::{BadField, CommandError, Complaint};
use crate::tls::{self, Flaw};

/// Why a call gave no good answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CallError {
    /// The server refused, and said why.
    #[error("{}", .0.detail)]
    Problem(Box<Problem>),
    /// There was no answer.
    #[error("the server at {address} does not answer")]
    Unreachable {
        /// Where it should be.
        address: String,
        /// How far the call came.
        reach: Reach,
        /// Why.
        #[source]
        cause: Box<dyn std::error::Error + Send + Sync>,
    },
    /// There is no connection that could be trusted, or understood. Nothing was done.
    #[error("{}", .flaw.message(.address))]
    Unsafe {
        /// Where it should lead.
        address: String,
        /// What is wrong with it.
        flaw: Flaw,
        /// The words of the library.
        #[source]
        cause: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The answer is not what the API promises.
    #[error("the server's answer could not be read")]
    Unreadable(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// How far a call came that got no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reach {
    /// There was no connection: nothing was done.
    NoConnection,
    /// The connection broke: what was asked for may have been done.
    Broken,
    /// Nothing came for too long.
    TimedOut,
}

impl CallError {
    /// Whether the server may have done what it was asked for.
    pub(super) fn may_have_arrived(&self) -> bool {
        match self {
            Self::Problem(_) | Self::Unsafe { .. } => false,
            Self::Unreachable { reach, .. } => *reach != Reach::NoConnection,
            Self::Unreadable(_) => true,
        }
    }

    /// Whether there was a server a moment ago that may be there again in another.
    pub(crate) fn is_lost_connection(&self) -> bool {
        self.is_broken_connection()
            || matches!(self, Self::Problem(problem) if problem.status.as_u16() == 503)
    }

    /// Whether the call may go through when it is made again.
    pub(super) fn is_broken_connection(&self) -> bool {
        matches!(self, Self::Unreachable { reach: Reach::NoConnection | Reach::Broken, .. })
    }
}

/// An answer that is no success.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Problem {
    /// The HTTP status.
    pub(crate) status: StatusCode,
    /// Stable and dotted.
    pub(crate) code: String,
    /// A sentence a person can act on.
    pub(crate) detail: String,
    /// Every bad field.
    pub(crate) errors: Vec<BadField>,
    /// What is in the way.
    pub(crate) resource: Option<Value>,
    request_id: Option<String>,
}

#[derive(Deserialize)]
struct ProblemJson {
    code: String,
    detail: Option<String>,
    title: Option<String>,
    #[serde(default)]
    errors: Vec<BadField>,
    resource: Option<Value>,
    request_id: Option<String>,
}

impl Problem {
    /// Reads the body of an answer with this status.
    pub(super) fn read(status: StatusCode, body: &[u8]) -> Self {
        match serde_json::from_slice::<ProblemJson>(body) {
            Ok(json) => Self {
                status,
                code: json.code,
                detail: json.detail.or(json.title).unwrap_or_else(|| format!("the server answered {status}")),
                errors: json.errors,
                resource: json.resource,
                request_id: json.request_id,
            },
            Err(_) => Self {
                status,
                code: "server.not_inlet".to_owned(),
                detail: format!("the server answered {status}, and not as Inlet does"),
                errors: Vec::new(),
                resource: None,
                request_id: None,
            },
        }
    }

    /// Whether what was asked for is at fault, rather than the server or the moment.
    fn is_bad_input(&self) -> bool {
        self.status.is_client_error() && !matches!(self.status.as_u16(), 401 | 403 | 408 | 409 | 412 | 429)
    }

    fn into_complaint(self) -> Complaint {
        let new = if self.is_bad_input() { CommandError::input } else { CommandError::failure };
        let code = self.code.clone();
        let complaint = new(self.code, self.detail).fields(self.errors);
        match (hint(&code), self.request_id) {
            (Some(hint), _) => complaint.hint(hint),
            // Never followed: the key would go wherever the answer says.
            (None, _) if self.status.is_redirection() => complaint.hint(
                "it leads elsewhere; give the address that is meant, with https:// if the server has TLS",
            ),
            (None, Some(id)) if self.status.is_server_error() => {
                complaint.hint(format!("the log names the cause; look for {id}"))
            }
            _ => complaint,
        }
    }
}

/// What to do about it on the command line: the server's own words speak of calls.
fn hint(code: &str) -> Option<&'static str> {
    match code {
        "auth.key_required" | "auth.key_invalid" => {
            Some("give a key that is valid there with --api-key or INLET_API_KEY")
        }
        "space.not_empty" | "collection.not_empty" => Some("--cascade deletes what it holds with it"),
        "connector.paused" => Some("`inlet connectors resume` lets it start syncs again"),
        "sync.already_running" => Some("`inlet syncs follow` waits for it, `inlet syncs cancel` ends it"),
        _ => None,
    }
}

impl From<CallError> for CommandError {
    fn from(error: CallError) -> Self {
        let message = error.to_string();
        match error {
            CallError::Problem(problem) => problem.into_complaint().into(),
            CallError::Unreachable { cause, reach, .. } => Self::failure("server.unreachable", message)
                .because(cause)
                .hint(match reach {
                    Reach::NoConnection => "is the address right, and does the server run?",
                    _ => "what was asked for may have been done; a sync that was running there goes on when the server starts again",
                })
                .into(),
            CallError::Unsafe { flaw, cause, .. } => {
                Self::failure(flaw.code(), message).because(cause).hint(flaw.hint(tls::CA_FILE)).into()
            }
            CallError::Unreadable(cause) => Self::failure("server.unreadable", message)
                .because(cause)
                .hint("is it another version of Inlet?")
                .into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(status: StatusCode, body: &str) -> String {
        match CommandError::from(CallError::Problem(Box::new(Problem::read(status, body.as_bytes())))) {
            CommandError::Complaint(complaint) => complaint.to_string(),
            CommandError::OutputClosed => unreachable!("a problem is told"),
        }
    }

    #[test]
    fn every_bad_field_is_told() {
        let body = r#"{"type":"about:blank","title":"Bad","status":422,"code":"request.invalid","detail":"Two fields are not valid.",
            "errors":[{"pointer":"/config/path","code":"field.required","detail":"`path` is required"},
                      {"pointer":"/name","code":"field.length","detail":"`name` has 1 to 200 characters"}]}"#;
        insta::assert_snapshot!(told(StatusCode::UNPROCESSABLE_ENTITY, body), @r"
        error: Two fields are not valid.
          /config/path: `path` is required (field.required)
          /name: `name` has 1 to 200 characters (field.length)
        code: request.invalid
        ");
    }

    #[test]
    fn a_server_error_points_to_the_log_and_a_stranger_is_said_to_be_one() {
        let body = r#"{"code":"internal","detail":"Something broke.","request_id":"req_1"}"#;
        insta::assert_snapshot!(told(StatusCode::INTERNAL_SERVER_ERROR, body), @r"
        error: Something broke.
        code: internal
        hint: the log names the cause; look for req_1
        ");
        assert!(told(StatusCode::BAD_GATEWAY, "<html>").contains("not as Inlet does"));
    }
}
