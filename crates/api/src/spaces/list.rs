//! `GET /v1/spaces`: the spaces, newest first.
//!
//! ```text
//! curl http://127.0.0.1:8080/v1/spaces?limit=10
//! {"data":[{"id":"default","name":"default","created_at":"…","updated_at":"…"}],"next_cursor":null}
//! ```

use axum::extract::State;
use inlet_store::catalog::Page;

use super::view::SpaceView;
use crate::answer::Answer;
use crate::app::Api;
use crate::auth::Caller;
use crate::operation::{Access, Operation, path};
use crate::pages::{CATALOG_MAX, PageView, page_query, page_token};
use crate::problem::Problem;
use crate::query::Query;

const LIST: &str = "spaces";

pub(crate) fn operation() -> Operation {
    Operation::get("list_spaces", path::SPACES, Access::Read)
        .summary("List the spaces")
        .description("A key that is bound to a space finds only that one.")
        .for_bound_keys()
        .paged(CATALOG_MAX)
        .answers_page::<SpaceView>("A page of spaces.", SpaceView::example())
}

pub(crate) async fn list(State(api): State<Api>, caller: Caller, query: Query) -> Result<Answer, Problem> {
    let list = caller.list_name(LIST);
    let query = page_query(&api.signer, &list, query)?;
    let page = match &caller.space_id {
        Some(space_id) => {
            Page { items: api.catalog.space_get(space_id).await?.into_iter().collect(), next: None }
        }
        None => api.catalog.space_list(query).await?,
    };
    let next_cursor = page.next.map(|place| page_token(&api.signer, &list, &place));
    Ok(Answer::ok(&PageView { data: page.items.into_iter().map(SpaceView::from).collect(), next_cursor }))
}
