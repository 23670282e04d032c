//! `PATCH /v1/spaces/{space_id}/collections/{collection_id}`: gives a collection another name, by a JSON merge patch
//! (RFC 7396). Its id and its space never change.
//!
//! ```text
//! curl -X PATCH http://127.0.0.1:8080/v1/spaces/default/collections/orders \
//!   -H 'Content-Type: application/json' -d '{"name": "Orders since 2020"}'
//! {"id":"orders","space_id":"default","name":"Orders since 2020",…}
//! ```

use axum::extract::State;
use axum::http::StatusCode;
use schemars::JsonSchema;
use serde_json::json;

use super::view::CollectionView;
use crate::answer::Answer;
use crate::app::Api;
use crate::body::Patch;
use crate::find;
use crate::operation::{Access, Operation, every_member_optional, path};
use crate::paths::CollectionPath;
use crate::problem::Problem;
use crate::query::NoQuery;
use crate::settings;

/// What may be changed of a collection.
#[derive(JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(transform = every_member_optional)]
#[expect(dead_code, reason = "it only says what the body is; `update` reads it field by field")]
struct CollectionPatch {
    /// Its name, for people.
    #[schemars(length(min = 1, max = 200))]
    name: String,
}

pub(crate) fn operation() -> Operation {
    Operation::patch("update_collection", path::COLLECTION, Access::Write)
        .summary("Rename a collection")
        .description("A JSON merge patch (RFC 7396). Its id and its space never change.")
        .merge_patch::<CollectionPatch>(json!({"name": "Orders since 2020"}))
        .answers::<CollectionView>(StatusCode::OK, "The collection as it is now.", CollectionView::example())
}

pub(crate) async fn update(
    State(api): State<Api>,
    path: CollectionPath,
    _: NoQuery,
    Patch(patch): Patch,
) -> Result<Answer, Problem> {
    let collection = find::collection(&api, &path).await?;
    let ids = [("id", collection.id.as_str()), ("space_id", collection.space_id.as_str())];
    let name = settings::patched_name(&collection.name, &ids, patch)?;
    if name == collection.name {
        return Ok(Answer::ok(&CollectionView::read(&api, collection).await?));
    }
    let CollectionPath { space_id, collection_id } = &path;
    let renamed = api.catalog.collection_rename(space_id, collection_id, &name, api.clock.now()).await?;
    match renamed {
        Some(renamed) => Ok(Answer::ok(&CollectionView::read(&api, renamed).await?)),
        None => Err(find::absent_collection(&api, &path).await?),
    }
}
