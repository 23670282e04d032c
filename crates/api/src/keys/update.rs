//! `PATCH /v1/keys/{key_id}`: changes a key's name or expiry by a JSON merge patch (RFC 7396).
//!
//! ```text
//! curl -X PATCH http://127.0.0.1:8080/v1/keys/key_01k… -H 'Content-Type: application/json' -d '{"expires_at": null}'
//! {"id":"key_01k…","name":"Dashboard","role":"read","expires_at":null,…}
//! ```

use axum::extract::State;
use axum::http::StatusCode;
use inlet_model::Timestamp;
use inlet_model::fields::Fields;
use inlet_store::catalog::KeyChange;
use schemars::JsonSchema;
use serde_json::{Value, json};

use super::fields;
use super::view::KeyView;
use crate::answer::Answer;
use crate::app::Api;
use crate::auth::Caller;
use crate::body::Patch;
use crate::find;
use crate::operation::{Access, Operation, every_member_optional, path};
use crate::paths::KeyPath;
use crate::problem::Problem;
use crate::query::NoQuery;
use crate::settings;

/// What may be changed of a key. What is left out stays.
#[derive(JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(transform = every_member_optional)]
#[expect(dead_code, reason = "it only says what the body is; `update` reads it field by field")]
struct KeyPatch {
    /// Its name, for people.
    #[schemars(length(min = 1, max = 200))]
    name: String,
    /// From then on it is refused; `null`: never.
    expires_at: Option<Timestamp>,
}

pub(crate) fn operation() -> Operation {
    Operation::patch("update_key", path::KEY, Access::Admin)
        .summary("Change the name or the expiry of an API key")
        .description(
            "A JSON merge patch (RFC 7396). Role and space of a key never change: make another key. To end a key now, \
             delete it.",
        )
        .for_bound_keys()
        .merge_patch::<KeyPatch>(json!({"expires_at": null}))
        .answers::<KeyView>(StatusCode::OK, "The key as it is now.", KeyView::example())
}

pub(crate) async fn update(
    State(api): State<Api>,
    caller: Caller,
    path: KeyPath,
    _: NoQuery,
    Patch(patch): Patch,
) -> Result<Answer, Problem> {
    let key = find::key(&api, &caller, &path).await?;
    let change = read(patch, api.clock.now())?;
    let changes_nothing = change.name.as_ref().is_none_or(|name| *name == key.name)
        && change.expires_at.is_none_or(|end| end == key.expires_at);
    if changes_nothing {
        return Ok(Answer::ok(&KeyView::new(&api, key)));
    }
    let updated = api.catalog.key_update(path.key_id, change).await?;
    let updated = updated.ok_or_else(|| find::no_key(path.key_id))?;
    Ok(Answer::ok(&KeyView::new(&api, updated)))
}

fn read(patch: Value, now: Timestamp) -> Result<KeyChange, Problem> {
    let names_it = patch.get("name").is_some();
    let mut read = Fields::new(patch)?;
    let name = if names_it { settings::name(&mut read) } else { None };
    let expires_at = fields::expires_at(&mut read, now);
    read.finish()?;
    Ok(KeyChange { name, expires_at })
}
