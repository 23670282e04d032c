//! `POST /v1/keys`: makes a key. 201, with its secret, which is shown this once.
//!
//! ```text
//! curl -X POST http://127.0.0.1:8080/v1/keys -H 'Content-Type: application/json' \
//!   -d '{"name": "Dashboard", "role": "read", "space_id": "sales"}'
//! {"id":"key_01k…","name":"Dashboard","role":"read","space_id":"sales",…,"secret":"inlet_…"}
//! ```

use axum::extract::State;
use axum::http::StatusCode;
use inlet_model::fields::{FieldErrors, Fields};
use inlet_model::{KeyId, SpaceId, Timestamp};
use inlet_store::catalog::{ApiKey, Role};
use schemars::JsonSchema;
use serde_json::json;

use super::fields;
use super::view::{KeyView, KeyWithSecret};
use crate::answer::Answer;
use crate::app::Api;
use crate::auth::{Caller, new_key};
use crate::body::Post;
use crate::idempotency::settle;
use crate::operation::{Access, Operation, Param, path};
use crate::paths::KeyPath;
use crate::problem::Problem;
use crate::query::NoQuery;
use crate::settings;

/// A key to be made.
#[derive(JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "it only says what the body is; `create` reads it field by field")]
struct NewKeyFields {
    /// Its name, for people.
    #[schemars(length(min = 1, max = 200))]
    name: String,
    /// What it may do.
    role: Role,
    /// The one space it is for; all of them if it is left out.
    space_id: Option<SpaceId>,
    /// From then on it is refused; never if it is left out.
    expires_at: Option<Timestamp>,
}

pub(crate) fn operation() -> Operation {
    Operation::post("create_key", path::KEYS, Access::Admin)
        .summary("Make an API key")
        .description(
            "The answer has the secret, which is shown this once: sent again with its `Idempotency-Key`, the request is \
             answered without it. A key that is bound to a space makes keys for that space only.",
        )
        .for_bound_keys()
        .body::<NewKeyFields>(json!({"name": "Dashboard", "role": "read", "space_id": "default"}))
        .answers::<KeyWithSecret>(StatusCode::CREATED, "The key, with its secret.", KeyWithSecret::example())
        .with_header(Param::header("Location", "Where the key is."))
        .link("get_key", &[("key_id", "$response.body#/id")])
        .link("update_key", &[("key_id", "$response.body#/id")])
        .link("rotate_key", &[("key_id", "$response.body#/id")])
        .link("delete_key", &[("key_id", "$response.body#/id")])
}

pub(crate) async fn create(
    State(api): State<Api>,
    caller: Caller,
    _: NoQuery,
    post: Post,
) -> Result<Answer, Problem> {
    let now = api.clock.now();
    let mut read = Fields::new(post.body)?;
    let name = settings::name(&mut read);
    let role = fields::role(&mut read);
    let space_id = fields::space_id(&mut read, &caller);
    let expires_at = fields::expires_at(&mut read, now).flatten();
    read.finish()?;
    let key = ApiKey {
        id: KeyId::new(now, &*api.entropy),
        name: name.expect("its absence was refused"),
        role: role.expect("its absence was refused"),
        space_id,
        created_at: now,
        created_by: Some(caller.actor),
        expires_at,
        last_used_at: None,
    };

    let secret = new_key(&*api.entropy);
    let (hash, location) = (secret.hash, KeyPath { key_id: key.id }.to_string());
    let view = KeyView::new(&api, key.clone());
    // What is kept for a repeated request is the answer without the secret.
    let kept = Answer::new(StatusCode::CREATED, &view).location(location.clone());
    let record = post.attempt.as_ref().map(|attempt| attempt.record(&kept));
    let answer = Answer::new(StatusCode::CREATED, &KeyWithSecret::new(view, secret)).location(location);
    let bound_to = key.space_id.clone();
    let effect = api.catalog.key_create(key, hash, record).await?;
    settle(answer, effect)?.map_err(|()| no_space(bound_to.as_ref()).into())
}

/// The space that the key was to be bound to is not there.
fn no_space(space_id: Option<&SpaceId>) -> FieldErrors {
    let mut read = Fields::new(json!({})).expect("it is an object");
    fields::refuse_space(&mut read, space_id.map(SpaceId::as_str).unwrap_or_default());
    read.finish().expect_err("a field was refused")
}
