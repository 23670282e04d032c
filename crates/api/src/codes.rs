//! The error codes of the API: one table, and one page of `docs/errors/` each.

use std::borrow::Cow;

use axum::http::StatusCode;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

struct Row {
    name: &'static str,
    status: StatusCode,
    retryable: bool,
    title: &'static str,
    page: &'static str,
}

macro_rules! codes {
    ($($variant:ident = $name:literal, $status:ident, $retryable:literal, $title:literal;)*) => {
        /// What went wrong with a request. The name is stable: clients may decide by it.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum Code {
            $(
                #[doc = $title]
                $variant,
            )*
        }

        impl Code {
            /// Every code.
            pub(crate) const ALL: &[Self] = &[$(Self::$variant),*];

            /// The code of that name.
            pub(crate) fn from_name(name: &str) -> Option<Self> {
                match name {
                    $($name => Some(Self::$variant),)*
                    _ => None,
                }
            }

            const fn row(self) -> Row {
                match self {
                    $(Self::$variant => Row {
                        name: $name,
                        status: StatusCode::$status,
                        retryable: $retryable,
                        title: $title,
                        page: include_str!(concat!("../../../docs/errors/", $name, ".md")),
                    },)*
                }
            }
        }
    };
}

// code = name, status, whether the same request may succeed later by itself, title
codes! {
    KeyRequired = "auth.key_required", UNAUTHORIZED, false, "An API key is required";
    KeyInvalid = "auth.key_invalid", UNAUTHORIZED, false, "The API key is not valid";
    KeyExpired = "auth.key_expired", UNAUTHORIZED, false, "The API key has expired";
    RoleInsufficient = "auth.role_insufficient", FORBIDDEN, false, "The API key's role does not allow this";
    KeyBound = "auth.key_bound", FORBIDDEN, false, "The API key is bound to one space";
    HostRefused = "request.host_refused", FORBIDDEN, false, "The request names another host or origin";
    RouteNotFound = "request.route_not_found", NOT_FOUND, false, "There is nothing at this path";
    MethodNotAllowed = "request.method_not_allowed", METHOD_NOT_ALLOWED, false, "The path does not take this method";
    InvalidPath = "request.invalid_path", BAD_REQUEST, false, "The path is not valid";
    InvalidHeader = "request.invalid_header", BAD_REQUEST, false, "A header is not valid";
    InvalidParameter = "request.invalid_parameter", BAD_REQUEST, false, "A query parameter is not valid";
    UnknownParameter = "request.unknown_parameter", BAD_REQUEST, false, "A query parameter is not known";
    InvalidJson = "request.invalid_json", BAD_REQUEST, false, "The body is not valid JSON";
    TooDeep = "request.too_deep", BAD_REQUEST, false, "The body is nested too deep";
    TooLarge = "request.too_large", PAYLOAD_TOO_LARGE, false, "The body is too large";
    MediaType = "request.media_type", UNSUPPORTED_MEDIA_TYPE, false, "The media type is not accepted here";
    InvalidFields = "request.invalid_fields", UNPROCESSABLE_ENTITY, false, "Fields are not valid";
    BodyIncomplete = "request.body_incomplete", BAD_REQUEST, true, "The body broke off";
    BodyTimedOut = "request.body_timed_out", REQUEST_TIMEOUT, true, "The body did not arrive in time";
    RateLimited = "request.rate_limited", TOO_MANY_REQUESTS, true, "Too many requests";
    CursorInvalid = "pagination.cursor_invalid", BAD_REQUEST, false, "The cursor is not valid";
    LimitInvalid = "pagination.limit_invalid", BAD_REQUEST, false, "The limit is not valid";
    IdempotencyKeyInvalid = "idempotency.key_invalid", BAD_REQUEST, false, "The idempotency key is not valid";
    IdempotencyInProgress = "idempotency.in_progress", CONFLICT, true, "The first request still runs";
    IdempotencyMismatch = "idempotency.mismatch", UNPROCESSABLE_ENTITY, false, "The idempotency key belongs to another request";
    SpaceNotFound = "space.not_found", NOT_FOUND, false, "There is no such space";
    SpaceExists = "space.already_exists", CONFLICT, false, "The space exists already";
    SpaceNotEmpty = "space.not_empty", CONFLICT, false, "The space is not empty";
    CollectionNotFound = "collection.not_found", NOT_FOUND, false, "There is no such collection";
    CollectionExists = "collection.already_exists", CONFLICT, false, "The collection exists already";
    CollectionNotEmpty = "collection.not_empty", CONFLICT, false, "The collection is not empty";
    ConnectorNotFound = "connector.not_found", NOT_FOUND, false, "There is no such connector";
    ConnectorPaused = "connector.paused", CONFLICT, false, "The connector is paused";
    ConnectorChanged = "connector.version_mismatch", PRECONDITION_FAILED, false, "The connector has been changed";
    ConnectorBusy = "connector.busy", CONFLICT, true, "The connector is being changed by others";
    PushNotAccepted = "connector.push_not_accepted", CONFLICT, false, "The connector takes no pushed records";
    InboxFull = "inbox.full", TOO_MANY_REQUESTS, true, "Too many pushed records wait for a sync";
    MaskingKeyUnreadable = "masking.key_unreadable", UNPROCESSABLE_ENTITY, false, "The masking key cannot be read";
    SyncNotFound = "sync.not_found", NOT_FOUND, false, "There is no such sync";
    SyncRunning = "sync.already_running", CONFLICT, true, "The connector has a sync that has not ended";
    SyncFinished = "sync.already_finished", CONFLICT, false, "The sync has already ended";
    SyncNotAsking = "sync.not_waiting_for_approval", CONFLICT, false, "The sync does not wait for an approval";
    SyncNoneRejected = "sync.none_rejected", CONFLICT, false, "The sync has no rejected records to replay";
    RevertNothing = "revert.nothing_to_undo", CONFLICT, false, "The sync has changed nothing that could be undone";
    RevertExpired = "revert.expired", CONFLICT, false, "The sync cannot be undone any more";
    RevertDone = "revert.already_reverted", CONFLICT, false, "The sync is undone already";
    SyncNoneActive = "sync.none_active", CONFLICT, false, "The connector has no active sync";
    RecordNotFound = "record.not_found", NOT_FOUND, false, "There is no such record";
    RecordAmbiguous = "record.ambiguous", CONFLICT, false, "Several connectors hold this record";
    RecordsBeingRemoved = "records.being_removed", CONFLICT, true, "Records are being removed";
    ChangesExpired = "changes.cursor_expired", GONE, false, "The changes behind the cursor are gone";
    WebhookNotFound = "webhook.not_found", NOT_FOUND, false, "There is no such webhook";
    WebhookTooMany = "webhook.too_many", CONFLICT, false, "The space has as many webhooks as it may";
    WebhookDisabled = "webhook.disabled", CONFLICT, false, "The webhook is disabled";
    TriggerSecretNotFound = "trigger_secret.not_found", NOT_FOUND, false, "The connector has no trigger secret";
    HookNotVerified = "hook.not_verified", UNAUTHORIZED, false, "The message has no good signature";
    DeliveryNotFound = "delivery.not_found", NOT_FOUND, false, "There is no such delivery";
    KeyNotFound = "key.not_found", NOT_FOUND, false, "There is no such API key";
    KeySecrets = "key.too_many_secrets", CONFLICT, false, "The API key has too many secrets that are valid";
    ConnectorTypeNotFound = "connector_type.not_found", NOT_FOUND, false, "There is no such connector type";
    ConnectorTypeUnknown = "connector.type_unknown", UNPROCESSABLE_ENTITY, false, "The server does not know the connector's type";
    ConnectorConfigInvalid = "connector.config_invalid", UNPROCESSABLE_ENTITY, false, "The connector's config is not valid";
    ConnectorSecretUnreadable = "connector.secret_unreadable", UNPROCESSABLE_ENTITY, false, "A secret of the connector cannot be read";
    SourceConfig = "source.config", UNPROCESSABLE_ENTITY, false, "The config asks for something that cannot be";
    SourceNotFound = "source.not_found", UNPROCESSABLE_ENTITY, false, "The source is not there";
    SourceDenied = "source.denied", UNPROCESSABLE_ENTITY, false, "The source refuses to be read";
    SourceUnavailable = "source.unavailable", BAD_GATEWAY, true, "The source does not answer";
    SourceTimedOut = "source.timed_out", GATEWAY_TIMEOUT, true, "The source took too long";
    SourceChanged = "source.changed", BAD_GATEWAY, true, "The source changed while it was read";
    SourceFormat = "source.format", UNPROCESSABLE_ENTITY, false, "The source is not of the expected format";
    SourceLimit = "source.limit", UNPROCESSABLE_ENTITY, false, "The source is beyond a limit";
    SourceInternal = "source.internal", INTERNAL_SERVER_ERROR, false, "The reader of the source made a mistake";
    Internal = "server.internal", INTERNAL_SERVER_ERROR, false, "The server made a mistake";
    DataUnreadable = "server.data_unreadable", INTERNAL_SERVER_ERROR, false, "Stored data cannot be read";
    Unavailable = "server.unavailable", SERVICE_UNAVAILABLE, true, "The server cannot answer now";
    DiskFull = "server.disk_full", INSUFFICIENT_STORAGE, true, "The server's disk is full";
    TimedOut = "server.timed_out", SERVICE_UNAVAILABLE, true, "The answer took too long";
}

impl Code {
    /// Stable and dotted: what clients decide by.
    pub(crate) const fn name(self) -> &'static str {
        self.row().name
    }

    /// The HTTP status of every answer with this code.
    pub(crate) const fn status(self) -> StatusCode {
        self.row().status
    }

    /// Whether the same request may succeed later without anybody changing anything about it.
    pub(crate) const fn retryable(self) -> bool {
        self.row().retryable
    }

    /// What it means, in a few words.
    pub(crate) const fn title(self) -> &'static str {
        self.row().title
    }

    /// Its page for users, in Markdown.
    pub(crate) const fn page(self) -> &'static str {
        self.row().page
    }
}

impl JsonSchema for Code {
    fn schema_name() -> Cow<'static, str> {
        "Code".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let names: Vec<&str> = Self::ALL.iter().map(|code| code.name()).collect();
        json_schema!({"type": "string", "enum": names})
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use super::*;

    #[test]
    fn every_code_has_a_page_and_every_page_a_code() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/errors");
        let pages: BTreeSet<String> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|name| name != "README.md")
            .collect();
        let codes: BTreeSet<String> = Code::ALL.iter().map(|code| format!("{}.md", code.name())).collect();
        assert_eq!(codes, pages);
    }

    #[test]
    fn the_index_lists_every_code() {
        let row = |code: &&Code| {
            let (name, title) = (code.name(), code.title());
            let retry = if code.retryable() { "yes" } else { "" };
            format!("| [`{name}`]({name}.md) | {} | {retry} | {title} |", code.status().as_u16())
        };
        let rows: Vec<String> = Code::ALL.iter().map(|code| row(&code)).collect();
        let index = include_str!("../../../docs/errors/README.md");
        let listed: Vec<&str> = index.lines().filter(|line| line.starts_with("| [")).collect();
        assert_eq!(listed, rows);
    }

    #[test]
    fn a_page_begins_with_its_code_and_states_status_and_retry() {
        for code in Code::ALL {
            let retry = if code.retryable() { "worth a retry" } else { "no use to retry unchanged" };
            let head = format!(
                "# `{}`\n\n{} · HTTP {} · {retry}\n",
                code.name(),
                code.title(),
                code.status().as_u16()
            );
            assert!(code.page().starts_with(&head), "docs/errors/{}.md must begin with\n{head}", code.name());
        }
    }

    #[test]
    fn names_lead_back_to_their_codes() {
        for &code in Code::ALL {
            assert_eq!(Code::from_name(code.name()), Some(code));
        }
    }
}
