//! `GET …/sync`: the syncs of a connector, newest first.
//!
//! ```text
//! curl http://127.0.0.1:8080/v1/spaces/default/collections/default/connectors/con_01k…/sync?limit=10
//! {"data":[{"id":"syn_01k…","status":"succeeded","counts":{"read":16,"created":16,…},…}],"next_cursor":null}
//! ```

use axum::extract::State;

use super::view::SyncView;
use crate::answer::Answer;
use crate::app::Api;
use crate::find;
use crate::operation::{Access, Operation, path};
use crate::pages::{CATALOG_MAX, PageView, page_query, page_token};
use crate::paths::ConnectorPath;
use crate::problem::Problem;
use crate::query::Query;

pub(crate) fn operation() -> Operation {
    Operation::get("list_syncs", path::SYNCS, Access::Read)
        .summary("List the syncs of a connector")
        .paged(CATALOG_MAX)
        .answers_page::<SyncView>("A page of syncs.", SyncView::example())
}

pub(crate) async fn list(
    State(api): State<Api>,
    path: ConnectorPath,
    query: Query,
) -> Result<Answer, Problem> {
    let list = format!("{path}/sync");
    let query = page_query(&api.signer, &list, query)?;
    let connector = find::connector(&api, &path).await?;
    let page = api.catalog.sync_list(connector.id, query).await?;
    let next_cursor = page.next.map(|place| page_token(&api.signer, &list, &place));
    let mut data = Vec::with_capacity(page.items.len());
    for sync in page.items {
        data.push(SyncView::read(&api, sync).await?);
    }
    Ok(Answer::ok(&PageView { data, next_cursor }))
}
