//! `GET /v1/spaces`: the spaces, newest first or oldest first.
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
use crate::filters;
use crate::operation::{Access, Operation, path};
use crate::pages::{Listed, PageView};
use crate::problem::Problem;
use crate::query::Query;

const LIST: &str = "spaces";

pub(crate) fn operation() -> Operation {
    filters::named(Operation::get("list_spaces", path::SPACES, Access::Read))
        .summary("List the spaces")
        .description("A key that is bound to a space finds only that one.")
        .for_bound_keys()
        .listed()
        .answers_page::<SpaceView>("A page of spaces.", SpaceView::example())
}

pub(crate) async fn list(
    State(api): State<Api>,
    caller: Caller,
    mut query: Query,
) -> Result<Answer, Problem> {
    let filter = filters::take_named(&mut query)?;
    let listed = Listed::take(&api.signer, &caller.list_name(LIST), query)?;
    let page = match &caller.space_id {
        Some(space_id) => {
            let own = api.catalog.space_get(space_id).await?;
            let own = own.filter(|space| filter.admits(&space.name, space.created_at));
            Page { items: own.into_iter().collect(), next: None }
        }
        None => api.catalog.space_list(filter, listed.query.clone()).await?,
    };
    let next_cursor = page.next.map(|place| listed.token(&api.signer, &place));
    Ok(Answer::ok(&PageView { data: page.items.into_iter().map(SpaceView::from).collect(), next_cursor }))
}
