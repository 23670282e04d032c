//! `GET /v1/spaces`: the spaces, newest first.
//!
//! ```text
//! curl http://127.0.0.1:8080/v1/spaces?limit=10
//! {"data":[{"id":"default","name":"default","created_at":"…","updated_at":"…"}],"next_cursor":null}
//! ```

use axum::extract::State;

use super::view::SpaceView;
use crate::answer::Answer;
use crate::app::Api;
use crate::operation::{Access, Operation, path};
use crate::pages::{CATALOG_MAX, PageView, page_query, page_token};
use crate::problem::Problem;
use crate::query::Query;

const LIST: &str = "spaces";

pub(crate) fn operation() -> Operation {
    Operation::get("list_spaces", path::SPACES, Access::Read)
        .summary("List the spaces")
        .paged(CATALOG_MAX)
        .answers_page::<SpaceView>("A page of spaces.", SpaceView::example())
}

pub(crate) async fn list(State(api): State<Api>, query: Query) -> Result<Answer, Problem> {
    let page = api.catalog.space_list(page_query(&api.signer, LIST, query)?).await?;
    let next_cursor = page.next.map(|place| page_token(&api.signer, LIST, &place));
    Ok(Answer::ok(&PageView { data: page.items.into_iter().map(SpaceView::from).collect(), next_cursor }))
}
