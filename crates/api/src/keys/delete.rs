//! `DELETE /v1/keys/{key_id}`: revokes a key. 204: from then on it is refused.
//!
//! ```text
//! curl -X DELETE http://127.0.0.1:8080/v1/keys/key_01k…
//! ```

use axum::extract::State;

use crate::answer::Answer;
use crate::app::Api;
use crate::auth::Caller;
use crate::find;
use crate::operation::{Access, Operation, path};
use crate::paths::KeyPath;
use crate::problem::Problem;
use crate::query::NoQuery;

pub(crate) fn operation() -> Operation {
    Operation::delete("delete_key", path::KEY, Access::Admin)
        .summary("Revoke an API key")
        .description(
            "From the answer on it is refused, with all its secrets. Any key may go, also the last and the one that asks: \
             whoever runs the server gets in with `INLET_API_KEY`.",
        )
        .for_bound_keys()
        .answers_nothing("It is revoked.")
}

pub(crate) async fn delete(
    State(api): State<Api>,
    caller: Caller,
    path: KeyPath,
    _: NoQuery,
) -> Result<Answer, Problem> {
    let key = find::key(&api, &caller, &path).await?;
    if api.catalog.key_delete(key.id).await? { Ok(Answer::no_content()) } else { Err(find::no_key(key.id)) }
}
