//! `GET /v1/spaces/{space_id}`: one space.
//!
//! ```text
//! curl http://127.0.0.1:8080/v1/spaces/default
//! {"id":"default","name":"default","created_at":"…","updated_at":"…"}
//! ```

use axum::extract::State;
use axum::http::StatusCode;

use super::view::SpaceView;
use crate::answer::Answer;
use crate::app::Api;
use crate::find;
use crate::operation::{Access, Operation, path};
use crate::paths::SpacePath;
use crate::problem::Problem;
use crate::query::NoQuery;

pub(crate) fn operation() -> Operation {
    Operation::get("get_space", path::SPACE, Access::Read).summary("Show a space").answers::<SpaceView>(
        StatusCode::OK,
        "The space.",
        SpaceView::example(),
    )
}

pub(crate) async fn get(State(api): State<Api>, path: SpacePath, _: NoQuery) -> Result<Answer, Problem> {
    Ok(Answer::ok(&SpaceView::from(find::space(&api, &path).await?)))
}
