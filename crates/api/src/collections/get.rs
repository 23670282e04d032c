//! `GET /v1/spaces/{space_id}/collections/{collection_id}`: one collection, with what it holds in numbers.
//!
//! ```text
//! curl http://127.0.0.1:8080/v1/spaces/default/collections/default
//! {"id":"default","space_id":"default","name":"default","records":1458,"bytes":180224,"last_change":1458,…}
//! ```

use axum::extract::State;
use axum::http::StatusCode;

use super::view::CollectionView;
use crate::answer::Answer;
use crate::app::Api;
use crate::find;
use crate::operation::{Access, Operation, path};
use crate::paths::CollectionPath;
use crate::problem::Problem;
use crate::query::NoQuery;

pub(crate) fn operation() -> Operation {
    Operation::get("get_collection", path::COLLECTION, Access::Read)
        .summary("Show a collection")
        .answers::<CollectionView>(StatusCode::OK, "The collection.", CollectionView::example())
}

pub(crate) async fn get(State(api): State<Api>, path: CollectionPath, _: NoQuery) -> Result<Answer, Problem> {
    let collection = find::collection(&api, &path).await?;
    Ok(Answer::ok(&CollectionView::read(&api, collection).await?))
}
