//! `GET /v1/spaces/{space_id}/collections`: the collections of a space, newest first or
//! oldest first.
//!
//! ```text
//! curl http://127.0.0.1:8080/v1/spaces/default/collections
//! {"data":[{"id":"default","space_id":"default","name":"default","records":0,"bytes":0,"last_change":0,…}],"next_cursor":null}
//! ```

use axum::extract::State;
use futures_util::{StreamExt, TryStreamExt, stream};

use super::view::CollectionView;
use crate::answer::Answer;
use crate::app::Api;
use crate::filters;
use crate::find;
use crate::operation::{Access, Operation, path};
use crate::pages::{Listed, PageView};
use crate::paths::SpacePath;
use crate::problem::Problem;
use crate::query::Query;

/// How many collections are asked for their numbers at the same time.
const AT_ONCE: usize = 8;

pub(crate) fn operation() -> Operation {
    filters::named(Operation::get("list_collections", path::COLLECTIONS, Access::Read))
        .summary("List the collections of a space")
        .listed()
        .answers_page::<CollectionView>("A page of collections.", CollectionView::example())
}

pub(crate) async fn list(
    State(api): State<Api>,
    path: SpacePath,
    mut query: Query,
) -> Result<Answer, Problem> {
    let filter = filters::take_named(&mut query)?;
    let listed = Listed::take(&api.signer, &format!("{path}/collections"), query)?;
    let page = api.catalog.collection_list(&path.space_id, filter, listed.query.clone()).await?;
    let page = page.ok_or_else(|| find::no_space(&path.space_id))?;
    let next_cursor = page.next.map(|place| listed.token(&api.signer, &place));
    let views = stream::iter(page.items).map(|collection| CollectionView::read(&api, collection));
    Ok(Answer::ok(&PageView { data: views.buffered(AT_ONCE).try_collect().await?, next_cursor }))
}
