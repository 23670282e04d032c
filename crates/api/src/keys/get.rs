//! `GET /v1/keys/{key_id}`: one key, without its secret.
//!
//! ```text
//! curl http://127.0.0.1:8080/v1/keys/key_01k…
//! {"id":"key_01k…","name":"Dashboard","role":"read","space_id":"sales",…}
//! ```

use axum::extract::State;
use axum::http::StatusCode;

use super::view::KeyView;
use crate::answer::Answer;
use crate::app::Api;
use crate::auth::Caller;
use crate::find;
use crate::operation::{Access, Operation, path};
use crate::paths::KeyPath;
use crate::problem::Problem;
use crate::query::NoQuery;

pub(crate) fn operation() -> Operation {
    Operation::get("get_key", path::KEY, Access::Admin)
        .summary("Show an API key")
        .description("Without its secret, of which the server keeps only a hash.")
        .for_bound_keys()
        .answers::<KeyView>(StatusCode::OK, "The key.", KeyView::example())
}

pub(crate) async fn get(
    State(api): State<Api>,
    caller: Caller,
    path: KeyPath,
    _: NoQuery,
) -> Result<Answer, Problem> {
    let key = find::key(&api, &caller, &path).await?;
    Ok(Answer::ok(&KeyView::new(&api, key)))
}
