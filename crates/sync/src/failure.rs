//! What ends a sync before its time, and how it is told.

use std::time::Duration;

use inlet_model::approval::Approval;
use inlet_model::fields::FieldErrors;
use inlet_model::schema::Misfit;
use inlet_model::secret::{Unreadable, UnreadableSecret};
use inlet_model::sync::Failure;
use inlet_model::{StreamName, SyncId};
use inlet_source::{SourceError, UnknownType};
use inlet_store::collection::NoUndo;
use inlet_store::{StoreError, StoreErrorKind};

use crate::retry::{self, Policy};

/// Why a run stops.
#[derive(Debug)]
pub(crate) enum Stop {
    /// It was cancelled.
    Cancelled,
    /// The connector was taken away: by a delete, or by a newer claim. This run may not write any more.
    Fenced,
    /// The engine is being stopped. The sync stays running, and the next start goes on with it.
    Interrupted,
    /// It would delete more than it may without being asked. The sync asks, and goes on when a person has decided.
    Asks(Box<Approval>),
    /// It failed, and may be tried again.
    Failed(Failed),
}

/// What went wrong, and what may be done about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failed {
    /// What a person is shown.
    pub(crate) failure: Failure,
    pub(crate) policy: Policy,
    /// How long the source wants to be left alone.
    pub(crate) retry_after: Option<Duration>,
}

impl From<Failure> for Failed {
    fn from(failure: Failure) -> Self {
        Self { failure, policy: Policy::GiveUp, retry_after: None }
    }
}

impl From<Failure> for Stop {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure.into())
    }
}

impl From<StoreError> for Stop {
    fn from(error: StoreError) -> Self {
        match error.kind() {
            StoreErrorKind::Cancelled => Self::Cancelled,
            StoreErrorKind::Fenced => Self::Fenced,
            kind => {
                error.complain("the store failed");
                let hint = match kind {
                    StoreErrorKind::DiskFull => {
                        Some("free some space on the device of the data directory".to_owned())
                    }
                    StoreErrorKind::Damaged => Some("restore the data directory from a backup".to_owned()),
                    _ => None,
                };
                let failure = Failure {
                    code: kind.code().to_owned(),
                    message: error.to_string(),
                    hint,
                    retryable: kind.is_temporary(),
                };
                // A server that was away for a moment: the sync goes on where its last commit left it.
                let policy = match kind {
                    StoreErrorKind::Unavailable => Policy::Backoff,
                    _ => Policy::GiveUp,
                };
                Self::Failed(Failed { failure, policy, retry_after: None })
            }
        }
    }
}

impl From<SourceError> for Stop {
    fn from(error: SourceError) -> Self {
        Self::Failed(told(&error))
    }
}

/// Why the source of a connector cannot be built: there is no such type (any more).
pub(crate) fn unknown_type(error: &UnknownType) -> Failure {
    permanent("connector.type_unknown", error.to_string())
}

/// Why the source of a connector cannot be built: its config is not valid (any more).
pub(crate) fn invalid_config(errors: &FieldErrors) -> Failure {
    let details: Vec<String> =
        errors.0.iter().map(|error| format!("{}: {}", error.pointer, error.detail)).collect();
    permanent("connector.config_invalid", details.join("; "))
}

/// Why the source of a connector cannot be built: a secret of it cannot be read.
pub(crate) fn unreadable_secret(error: &UnreadableSecret) -> Failure {
    let hint = match error.reason {
        Unreadable::NoKey(key) => format!(
            "start the server with the encryption key {key} in its ring, or give the connector its secrets anew"
        ),
        Unreadable::Damaged => "give the connector its secrets anew".to_owned(),
    };
    let message = format!("{error}: {}", error.reason);
    Failure { hint: Some(hint), ..permanent("connector.secret_unreadable", message) }
}

/// Why values cannot be masked: what they are hashed under cannot be read.
pub(crate) fn unreadable_masking_key(error: &UnreadableSecret) -> Failure {
    let message = format!("the key that masked values are hashed under cannot be read: {}", error.reason);
    let hint = match error.reason {
        Unreadable::NoKey(key) => format!("start the server with the encryption key {key} in its ring"),
        Unreadable::Damaged => "restore the data directory from a backup".to_owned(),
    };
    Failure { hint: Some(hint), ..permanent("masking.key_unreadable", message) }
}

/// Logs a source's error with its cause, once, and gives what a person is shown and what is to be done.
pub(crate) fn told(error: &SourceError) -> Failed {
    let failure = error.to_failure();
    tracing::warn!(code = %failure.code, error = error as &dyn std::error::Error, "the source failed");
    Failed { failure, policy: retry::policy(error.kind()), retry_after: error.asks_to_wait() }
}

/// A failure that comes again until somebody changes something.
pub(crate) fn permanent(code: &str, message: impl Into<String>) -> Failure {
    Failure { code: code.to_owned(), message: message.into(), hint: None, retryable: false }
}

/// More records were rejected than the connector allows.
pub(crate) fn too_many_rejected(rejected: u64, allowed: u64) -> Failure {
    Failure {
        code: "sync.too_many_rejected".to_owned(),
        message: format!("{rejected} records were rejected, and {allowed} are allowed"),
        hint: Some(
            "look at the rejected records and their reasons, and mend the source or the config".to_owned(),
        ),
        retryable: false,
    }
}

/// A record is not of the schema, which is frozen.
pub(crate) fn schema_changed(stream: &StreamName, position: u64, misfit: &Misfit) -> Failure {
    Failure {
        code: "schema.changed".to_owned(),
        message: format!("the schema of `{stream}` has changed, and is frozen: at {position}, {misfit}"),
        hint: Some(
            "look at the source; to take the change, set the connector's `policy.schema` to `evolve`, or to `reject_record` to \
             leave such records out"
                .to_owned(),
        ),
        retryable: false,
    }
}

/// A sync cannot be undone (any more).
pub(crate) fn no_undo(undone: SyncId, why: NoUndo) -> Failure {
    match why {
        NoUndo::Expired { .. } => permanent(
            "revert.expired",
            format!("the history that undoing {undone} needs is not kept any more"),
        ),
        NoUndo::Unknown => {
            permanent("revert.nothing_to_undo", format!("{undone} has changed nothing in the collection"))
        }
        NoUndo::NotEnded => Failure {
            retryable: true,
            ..permanent("sync.already_running", format!("{undone} has not ended in the collection"))
        },
    }
}

/// Several attempts came to nothing.
pub(crate) fn crash_loop(attempts: u32) -> Failure {
    permanent(
        "sync.crash_loop",
        format!("the server stopped during {attempts} attempts in a row before anything was committed"),
    )
}

/// A source was silent for too long; `doing` what, such as `reading`.
pub(crate) fn stalled(doing: &str, limit: Duration) -> Failure {
    Failure {
        code: "sync.stalled".to_owned(),
        message: format!("the source has said nothing for {} seconds while {doing}", limit.as_secs_f64()),
        hint: Some(
            "check whether the source hangs; the next sync goes on from what was committed".to_owned(),
        ),
        retryable: true,
    }
}

/// A source came to its end and said nothing of the stream's: the stream cannot be called complete.
pub(crate) fn never_ended(stream: &StreamName) -> Failure {
    let code = inlet_source::ErrorKind::Internal.code();
    permanent(code, format!("the source came to its end and left the stream `{stream}` open"))
}

/// The code that carries out a sync has a bug.
pub(crate) fn broke_down() -> Failure {
    permanent("sync.internal", "the server made a mistake while it carried out the sync; its log says more")
}

/// The streams that failed, as the failure of the sync.
pub(crate) fn of_streams(failed: &[(String, Failed)]) -> Option<Failed> {
    match failed {
        [] => None,
        [(_, failed)] => Some(failed.clone()),
        several => {
            let names: Vec<&str> = several.iter().map(|(name, _)| name.as_str()).collect();
            let failure = Failure {
                code: "sync.streams_failed".to_owned(),
                message: format!("{} streams failed: {}", several.len(), names.join(", ")),
                hint: Some("each stream of the sync shows its own error".to_owned()),
                retryable: several.iter().all(|(_, failed)| failed.failure.retryable),
            };
            let retry_after = several.iter().filter_map(|(_, failed)| failed.retry_after).max();
            Some(Failed { failure, policy: of_all(several), retry_after })
        }
    }
}

/// One stream that would only fail again is enough to give up; one that asks to be left alone is to be obeyed.
fn of_all(failed: &[(String, Failed)]) -> Policy {
    let is_among = |policy| failed.iter().any(|(_, failed)| failed.policy == policy);
    [Policy::GiveUp, Policy::Obey].into_iter().find(|policy| is_among(*policy)).unwrap_or(Policy::Backoff)
}

/// A trigger named a stream that the source does not have.
pub(crate) fn unknown_streams(names: &[&StreamName]) -> Failure {
    let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    let hint = "`GET …/streams` of the connector lists what its source has".to_owned();
    let message = format!("the connector has no stream {}", names.join(", "));
    Failure { hint: Some(hint), ..permanent("sync.stream_unknown", message) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_failed_stream_is_the_failure_and_several_are_named() {
        let failure = Failed::from(permanent("source.not_found", "gone"));
        assert_eq!(of_streams(&[]), None);
        assert_eq!(of_streams(&[("a".to_owned(), failure.clone())]), Some(failure.clone()));
        let both = of_streams(&[("a".to_owned(), failure.clone()), ("b".to_owned(), failure)]).unwrap();
        assert_eq!(both.failure.message, "2 streams failed: a, b");
    }

    #[test]
    fn several_streams_are_tried_again_only_if_each_may_be() {
        let failed = |policy| {
            let failed = Failed::from(permanent("source.unavailable", "gone"));
            ("s".to_owned(), Failed { policy, ..failed })
        };
        use Policy::{Backoff, GiveUp, Obey};
        for (policies, of_both) in
            [([Backoff, Backoff], Backoff), ([Backoff, Obey], Obey), ([Obey, GiveUp], GiveUp)]
        {
            assert_eq!(of_streams(&policies.map(failed)).unwrap().policy, of_both);
        }
    }

    #[test]
    fn every_code_of_a_failed_sync_is_on_its_page() {
        let page = include_str!("../../../docs/sync-errors.md");
        let of_sources = inlet_source::ErrorKind::ALL.map(inlet_source::ErrorKind::code);
        let of_stores = StoreErrorKind::ALL.map(StoreErrorKind::code);
        let of_syncs = [
            "connector.type_unknown",
            "connector.config_invalid",
            "connector.secret_unreadable",
            "masking.key_unreadable",
            "sync.too_many_rejected",
            "schema.changed",
            "sync.streams_failed",
            "sync.crash_loop",
            "sync.stalled",
            "sync.stream_unknown",
            "sync.internal",
            "sync.already_running",
            "revert.expired",
            "revert.nothing_to_undo",
        ];
        for code in of_sources.iter().chain(&of_stores).chain(&of_syncs) {
            assert!(page.contains(&format!("`{code}`")), "{code} is missing");
        }
    }

    #[test]
    fn a_cancel_and_a_fence_are_no_failures() {
        assert!(matches!(Stop::from(StoreError::new(StoreErrorKind::Cancelled, "commit")), Stop::Cancelled));
        assert!(matches!(Stop::from(StoreError::new(StoreErrorKind::Fenced, "commit")), Stop::Fenced));
    }
}
