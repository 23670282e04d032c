//! `GET /v1/nodes`: the nodes and what they run, those started last in front.
//!
//! ```text
//! curl http://127.0.0.1:8080/v1/nodes
//! {"data":[{"id":"nod_01k…","name":"db-host-1","status":"active","syncs":[],"sync_count":0,…}],"next_cursor":null}
//! ```

use axum::extract::State;

use super::view::NodeView;
use crate::answer::Answer;
use crate::app::Api;
use crate::operation::{Access, Operation, path};
use crate::pages::{Listed, PageView};
use crate::problem::Problem;
use crate::query::Query;

/// What runs is of every space, and so are the names of machines: not for a key that is bound to one of them.
pub(crate) fn operation() -> Operation {
    Operation::get("list_nodes", path::NODES, Access::Admin)
        .summary("List the nodes and what they run")
        .description(
            "The processes that share the catalog, each with the syncs that it runs: how many, and the 200 that were begun first. A \
             node that ends in order is listed no more; one that is silent for longer than its lease is `lost`, and is \
             forgotten after a day.",
        )
        .listed()
        .answers_page::<NodeView>("A page of nodes.", NodeView::example())
}

pub(crate) async fn list(State(api): State<Api>, query: Query) -> Result<Answer, Problem> {
    let listed = Listed::take(&api.signer, "nodes", query)?;
    let page = api.catalog.node_list(listed.query.clone()).await?;
    let next_cursor = page.next.map(|place| listed.token(&api.signer, &place));
    let now = api.clock.now();
    let data = page.items.into_iter().map(|known| NodeView::new(known, now)).collect();
    Ok(Answer::ok(&PageView { data, next_cursor }))
}
