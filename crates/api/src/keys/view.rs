//! A key, as the API shows it: never its secret, but for the one answer that brings it.

use inlet_model::{KeyId, SpaceId, Timestamp};
use inlet_store::catalog::{ApiKey, Role};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value, json};

use crate::app::Api;
use crate::auth::NewKey;

/// An API key.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(rename = "Key")]
pub(crate) struct KeyView {
    /// Its id. It stays when the key is rotated.
    id: KeyId,
    /// Its name, for people.
    name: String,
    /// What it may do.
    role: Role,
    /// The one space it is for; `null`: all of them.
    space_id: Option<SpaceId>,
    /// When it was made.
    created_at: Timestamp,
    /// Who made it: the id of a key, `environment`, `local` or `none`; `null`: the server, at its first start.
    created_by: Option<String>,
    /// From then on it is refused; `null`: never.
    expires_at: Option<Timestamp>,
    /// When it was last used, to a minute or so; `null`: never.
    last_used_at: Option<Timestamp>,
}

impl KeyView {
    /// A key with its last use.
    pub(super) fn new(api: &Api, key: ApiKey) -> Self {
        let ApiKey { id, name, role, space_id, created_at, created_by, expires_at, last_used_at } = key;
        Self {
            id,
            name,
            role,
            space_id,
            created_at,
            created_by: created_by.map(|actor| actor.to_string()),
            expires_at,
            // What is not written down yet is newer.
            last_used_at: last_used_at.max(api.keyring.last_use(id)),
        }
    }

    /// One for the documents.
    pub(super) fn example() -> Value {
        json!({
            "id": "key_01h455vb4pex5vsknk084sn02q", "name": "Dashboard", "role": "read", "space_id": "sales",
            "created_at": "2026-01-01T07:00:00.000Z", "created_by": "environment",
            "expires_at": "2027-01-01T00:00:00.000Z", "last_used_at": null,
        })
    }
}

/// An API key that was made or rotated just now.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "KeyWithSecret")]
pub(crate) struct KeyWithSecret {
    #[serde(flatten)]
    key: KeyView,
    /// What to send as `X-API-Key`. It is shown this once: the answer to the same request sent again is without it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    secret: Option<String>,
}

impl KeyWithSecret {
    pub(super) fn new(key: KeyView, secret: NewKey) -> Self {
        Self { key, secret: Some(secret.text) }
    }

    /// One for the documents.
    pub(super) fn example() -> Value {
        let mut example = KeyView::example();
        example["secret"] = "inlet_…".into();
        example
    }
}
