//! `DELETE /v1/spaces/{space_id}`: deletes a space. 204; 409 if it holds collections, unless `?cascade=true`.
//!
//! ```text
//! curl -X DELETE 'http://127.0.0.1:8080/v1/spaces/sales?cascade=true'
//! ```

use axum::extract::State;
use inlet_store::catalog::DeleteEffect;

use crate::answer::Answer;
use crate::app::Api;
use crate::codes::Code;
use crate::find;
use crate::operation::{Access, Operation, Param, path};
use crate::paths::SpacePath;
use crate::problem::Problem;
use crate::query::Query;

pub(crate) fn operation() -> Operation {
    Operation::delete("delete_space", path::SPACE, Access::Write)
        .summary("Delete a space")
        .param(Param::flag("cascade", "Delete all it holds as well."))
        .answers_nothing("It is deleted.")
        .errors(&[Code::SpaceNotEmpty])
}

pub(crate) async fn delete(
    State(api): State<Api>,
    path: SpacePath,
    mut query: Query,
) -> Result<Answer, Problem> {
    let cascade = query.flag("cascade")?;
    query.finish()?;
    match api.catalog.space_delete(&path.space_id, cascade, api.clock.now()).await? {
        DeleteEffect::Deleted => {
            // The engine stops what runs there and removes the data.
            api.engine.unwanted();
            Ok(Answer::no_content())
        }
        DeleteEffect::NotEmpty => {
            let detail =
                "The space still holds collections. Delete them first, or all at once with `?cascade=true`.";
            Err(Problem::new(Code::SpaceNotEmpty, detail))
        }
        DeleteEffect::Absent => Err(find::no_space(&path.space_id)),
    }
}
