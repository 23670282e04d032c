//! `DELETE /v1/spaces/{space_id}/collections/{collection_id}`: deletes a collection with its data. 204; 409 if it holds
//! connectors or records, unless `?cascade=true`.
//!
//! ```text
//! curl -X DELETE 'http://127.0.0.1:8080/v1/spaces/default/collections/orders?cascade=true'
//! ```

use axum::extract::State;
use inlet_store::catalog::DeleteEffect;

use crate::answer::Answer;
use crate::app::Api;
use crate::codes::Code;
use crate::find;
use crate::operation::{Access, Operation, Param, path};
use crate::paths::CollectionPath;
use crate::problem::Problem;
use crate::query::Query;

pub(crate) fn operation() -> Operation {
    Operation::delete("delete_collection", path::COLLECTION, Access::Write)
        .summary("Delete a collection with its data")
        .param(Param::flag("cascade", "Delete its connectors and records as well."))
        .answers_nothing("It is deleted.")
        .errors(&[Code::CollectionNotEmpty])
}

pub(crate) async fn delete(
    State(api): State<Api>,
    path: CollectionPath,
    mut query: Query,
) -> Result<Answer, Problem> {
    let cascade = query.flag("cascade")?;
    query.finish()?;
    // With `cascade` it does not matter what the collection holds, nor whether its data can still be read.
    let has_records = !cascade && {
        let (_, store) = find::store(&api, &path).await?;
        store.stats().await?.records > 0
    };
    let CollectionPath { space_id, collection_id } = &path;
    let now = api.clock.now();
    match api.catalog.collection_delete(space_id, collection_id, cascade, has_records, now).await? {
        DeleteEffect::Deleted => {
            // The engine stops what runs there and removes the data.
            api.engine.unwanted();
            Ok(Answer::no_content())
        }
        DeleteEffect::NotEmpty => {
            let detail = "The collection still holds connectors or records. Delete the connectors first, or everything \
                          at once with `?cascade=true`.";
            Err(Problem::new(Code::CollectionNotEmpty, detail))
        }
        DeleteEffect::Absent => Err(find::absent_collection(&api, &path).await?),
    }
}
