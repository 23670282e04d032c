//! `POST /v1/keys/{key_id}/rotate`: gives a key a new secret. 200; the secrets before it may be used for `overlap` more.
//!
//! ```text
//! curl -X POST http://127.0.0.1:8080/v1/keys/key_01k…/rotate -H 'Content-Type: application/json' -d '{"overlap": "24h"}'
//! {"id":"key_01k…","name":"Dashboard","role":"read",…,"secret":"inlet_…"}
//! ```

use axum::extract::State;
use axum::http::StatusCode;
use inlet_model::fields::Fields;
use inlet_store::catalog::{KEY_SECRETS_MAX, RotateConflict};
use schemars::JsonSchema;
use serde_json::json;

use super::fields;
use super::view::{KeyView, KeyWithSecret};
use crate::answer::Answer;
use crate::app::Api;
use crate::auth::{Caller, new_key};
use crate::body::Post;
use crate::codes::Code;
use crate::find;
use crate::idempotency::settle;
use crate::operation::{Access, Operation, path};
use crate::paths::KeyPath;
use crate::problem::Problem;
use crate::query::NoQuery;

/// How a key is rotated.
#[derive(JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "it only says what the body is; `rotate` reads it field by field")]
struct Rotation {
    /// For how long the secrets before may still be used: a whole number and `s`, `m`, `h` or `d`, at most `7d`; `24h` if it is
    /// left out. `0s` ends them at once.
    #[schemars(regex(pattern = "^[0-9]{1,6}[smhd]$"))]
    overlap: Option<String>,
}

pub(crate) fn operation() -> Operation {
    Operation::post("rotate_key", path::KEY_ROTATE, Access::Admin)
        .summary("Give an API key a new secret")
        .description(
            "The answer has the secret, which is shown this once: sent again with its `Idempotency-Key`, the request is \
             answered without it. A secret from before ends with the overlap, or earlier if an earlier rotation said so.",
        )
        .for_bound_keys()
        .optional_body::<Rotation>(json!({"overlap": "24h"}))
        .answers::<KeyWithSecret>(StatusCode::OK, "The key, with its new secret.", KeyWithSecret::example())
        .errors(&[Code::KeySecrets])
}

pub(crate) async fn rotate(
    State(api): State<Api>,
    caller: Caller,
    path: KeyPath,
    _: NoQuery,
    post: Post,
) -> Result<Answer, Problem> {
    let now = api.clock.now();
    let mut read = Fields::new(post.body)?;
    let overlap = fields::overlap(&mut read);
    read.finish()?;
    let view = KeyView::new(&api, find::key(&api, &caller, &path).await?);

    let secret = new_key(&*api.entropy);
    let hash = secret.hash;
    // What is kept for a repeated request is the answer without the secret.
    let record = post.attempt.as_ref().map(|attempt| attempt.record(&Answer::ok(&view)));
    let answer = Answer::ok(&KeyWithSecret::new(view, secret));
    let effect = api.catalog.key_rotate(path.key_id, hash, now.plus(overlap), now, record).await?;
    settle(answer, effect)?.map_err(|conflict| match conflict {
        RotateConflict::Absent => find::no_key(path.key_id),
        RotateConflict::TooManySecrets => {
            let detail = format!(
                "The key has {KEY_SECRETS_MAX} secrets that are still valid. Wait until one has ended, or rotate with a \
                 shorter `overlap`, which ends all of them sooner."
            );
            Problem::new(Code::KeySecrets, detail)
        }
    })
}
