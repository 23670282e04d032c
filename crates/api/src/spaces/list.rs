//! `GET /v1/spaces`: the spaces, newest first or oldest first.
//!
//! ```text
//! curl http://127.0.0.1:8080/v1/spaces?limit=10
//! {"data":[{"id":"default","name":"default","created_at":"…","updated_at":"…"}],"next_cursor":null}
//! ```

use axum::extract::State;

use super::view::SpaceView;
use crate::answer::Answer;
use crate::app::Api;
use crate::filters;
use crate::pages::{Listed, PageView};
use crate::problem::Problem;
use crate::query::Query;

const LIST: &str = "spaces";

pub(crate) async fn list(State(api): State<Api>, mut query: Query) -> Result<Answer, Problem> {
    let filter = filters::take_named(&mut query)?;
    let listed = Listed::take(&api.signer, LIST, query)?;
    let page = api.catalog.space_list(filter, listed.query.clone()).await?;
    let next_cursor = page.next.map(|place| listed.token(&api.signer, &place));
    Ok(Answer::ok(&PageView { data: page.items.into_iter().map(SpaceView::from).collect(), next_cursor }))
}
