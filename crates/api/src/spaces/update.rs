//! `PATCH /v1/spaces/{space_id}`: gives a space another name, by a JSON merge patch (RFC 7396). Its id never changes.
//!
//! ```text
//! curl -X PATCH http://127.0.0.1:8080/v1/spaces/sales -H 'Content-Type: application/json' -d '{"name": "Sales and service"}'
//! {"id":"sales","name":"Sales and service","created_at":"…","updated_at":"…"}
//! ```

use axum::extract::State;
use axum::http::StatusCode;
use schemars::JsonSchema;
use serde_json::json;

use super::view::SpaceView;
use crate::answer::Answer;
use crate::app::Api;
use crate::body::Patch;
use crate::find;
use crate::operation::{Access, Operation, every_member_optional, path};
use crate::paths::SpacePath;
use crate::problem::Problem;
use crate::query::NoQuery;
use crate::settings;

/// What may be changed of a space.
#[derive(JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(transform = every_member_optional)]
#[expect(dead_code, reason = "it only says what the body is; `update` reads it field by field")]
struct SpacePatch {
    /// Its name, for people.
    #[schemars(length(min = 1, max = 200))]
    name: String,
}

pub(crate) fn operation() -> Operation {
    Operation::patch("update_space", path::SPACE, Access::Write)
        .summary("Rename a space")
        .description("A JSON merge patch (RFC 7396). The id never changes.")
        .merge_patch::<SpacePatch>(json!({"name": "Sales and service"}))
        .answers::<SpaceView>(StatusCode::OK, "The space as it is now.", SpaceView::example())
}

pub(crate) async fn update(
    State(api): State<Api>,
    path: SpacePath,
    _: NoQuery,
    Patch(patch): Patch,
) -> Result<Answer, Problem> {
    let space = find::space(&api, &path).await?;
    let name = settings::patched_name(&space.name, &[("id", space.id.as_str())], patch)?;
    if name == space.name {
        return Ok(Answer::ok(&SpaceView::from(space)));
    }
    let renamed = api.catalog.space_rename(&space.id, &name, api.clock.now()).await?;
    let renamed = renamed.ok_or_else(|| find::no_space(&space.id))?;
    Ok(Answer::ok(&SpaceView::from(renamed)))
}
