//! `GET …/sync`: the syncs of a connector, newest first or oldest first.
//!
//! ```text
//! curl http://127.0.0.1:8080/v1/spaces/default/collections/default/connectors/con_01k…/sync?limit=10
//! {"data":[{"id":"syn_01k…","status":"succeeded","counts":{"read":16,"created":16,…},…}],"next_cursor":null}
//! ```

use axum::extract::State;
use inlet_model::sync::SyncStatus;
use inlet_store::catalog::SyncFilter;

use super::view::SyncView;
use crate::answer::Answer;
use crate::app::Api;
use crate::filters;
use crate::find;
use crate::operation::{Access, Operation, Param, path};
use crate::pages::{Listed, PageView};
use crate::paths::ConnectorPath;
use crate::problem::Problem;
use crate::query::Query;

pub(crate) fn operation() -> Operation {
    filters::created(Operation::get("list_syncs", path::SYNCS, Access::Read))
        .summary("List the syncs of a connector")
        .param(Param::query::<String>(
            "status",
            "Only those that stand so: one status, or several with commas between them.",
        ))
        .listed()
        .answers_page::<SyncView>("A page of syncs.", SyncView::example())
}

pub(crate) async fn list(
    State(api): State<Api>,
    path: ConnectorPath,
    mut query: Query,
) -> Result<Answer, Problem> {
    let filter = take_filter(&mut query)?;
    let listed = Listed::take(&api.signer, &format!("{path}/sync"), query)?;
    let connector = find::connector(&api, &path).await?;
    let page = api.catalog.sync_list(connector.id, filter, listed.query.clone()).await?;
    let next_cursor = page.next.map(|place| listed.token(&api.signer, &place));
    let mut data = Vec::with_capacity(page.items.len());
    for sync in page.items {
        data.push(SyncView::read(&api, sync).await?);
    }
    Ok(Answer::ok(&PageView { data, next_cursor }))
}

/// `status` (one, or several with commas between them), `created_after` and `created_before`.
fn take_filter(query: &mut Query) -> Result<SyncFilter, Problem> {
    let mut statuses = Vec::new();
    for name in query.narrow("status").iter().flat_map(|names| names.split(',')) {
        let Some(status) = SyncStatus::from_name(name) else {
            let all: Vec<String> = SyncStatus::ALL.iter().map(|status| format!("`{status}`")).collect();
            let detail = format!("is one or several, with commas between them, of {}", all.join(", "));
            return Err(Query::invalid("status", &detail));
        };
        statuses.push(status);
    }
    Ok(SyncFilter { statuses, created: filters::take_created(query)? })
}
