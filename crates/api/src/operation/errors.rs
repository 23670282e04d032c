//! The codes that follow from the shape of a call.

use axum::http::Method;

use super::Access;
use crate::codes::Code;

/// What any call may come to.
const ALWAYS: &[Code] = &[
    Code::InvalidPath,
    Code::UnknownParameter,
    Code::InvalidParameter,
    Code::Internal,
    Code::DataUnreadable,
    Code::Unavailable,
    Code::TimedOut,
];

/// What a caller without a good key, or a stranger's web page, gets.
const OF_KEYS: &[Code] =
    &[Code::KeyRequired, Code::KeyInvalid, Code::KeyExpired, Code::HostRefused, Code::RateLimited];

/// What may be wrong with a body.
pub(super) const OF_BODIES: &[Code] = &[
    Code::InvalidJson,
    Code::TooDeep,
    Code::TooLarge,
    Code::MediaType,
    Code::InvalidFields,
    Code::BodyIncomplete,
    Code::BodyTimedOut,
];

/// What may be wrong with a body that is not looked into.
pub(super) const OF_BYTES: &[Code] =
    &[Code::TooLarge, Code::MediaType, Code::BodyIncomplete, Code::BodyTimedOut];

const OF_IDEMPOTENCY: &[Code] =
    &[Code::IdempotencyKeyInvalid, Code::IdempotencyInProgress, Code::IdempotencyMismatch];

/// What a source that is asked while the caller waits may say.
pub(crate) const OF_SOURCES: &[Code] = &[
    Code::ConnectorTypeUnknown,
    Code::ConnectorConfigInvalid,
    Code::ConnectorSecretUnreadable,
    Code::SourceConfig,
    Code::SourceNotFound,
    Code::SourceDenied,
    Code::SourceUnavailable,
    Code::SourceTimedOut,
    Code::SourceChanged,
    Code::SourceFormat,
    Code::SourceLimit,
    Code::SourceInternal,
];

/// What each parameter of a path may fail to name.
const OF_PARAMETERS: &[(&str, &[Code])] = &[
    ("{space_id}", &[Code::SpaceNotFound]),
    ("{collection_id}", &[Code::CollectionNotFound]),
    ("{connector_id}", &[Code::ConnectorNotFound]),
    ("{sync_id}", &[Code::SyncNotFound]),
    ("{webhook_id}", &[Code::WebhookNotFound]),
    ("{delivery_id}", &[Code::DeliveryNotFound]),
    ("{key}", &[Code::RecordNotFound]),
    ("{key_id}", &[Code::KeyNotFound]),
    ("{type}", &[Code::ConnectorTypeNotFound]),
    ("{code}", &[Code::RouteNotFound]),
];

pub(super) fn of_shape(method: &Method, path: &str, access: Access) -> Vec<Code> {
    let mut codes = ALWAYS.to_vec();
    if access != Access::Public {
        codes.extend(OF_KEYS);
    }
    if access > Access::Read {
        codes.push(Code::RoleInsufficient);
    }
    if access != Access::Public && !path.contains("{space_id}") {
        codes.push(Code::KeyBound);
    }
    for (parameter, its) in OF_PARAMETERS {
        if path.contains(parameter) {
            codes.extend(*its);
        }
    }
    if !method.is_safe() {
        codes.push(Code::DiskFull);
    }
    if *method == Method::POST {
        codes.extend(OF_IDEMPOTENCY);
    }
    codes
}
