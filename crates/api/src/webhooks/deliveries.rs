//! `GET …/webhooks/{webhook_id}/deliveries`: what a webhook was told and is to be told, newest first.
//!
//! ```text
//! curl http://127.0.0.1:8080/v1/spaces/default/webhooks/whk_01k…/deliveries?state=given_up
//! {"data":[{"id":"msg_01k…","event":"sync.failed","state":"given_up",…}],"next_cursor":null}
//! ```

use axum::extract::State;
use inlet_store::catalog::DeliveryState;

use super::view::DeliveryView;
use crate::answer::Answer;
use crate::app::Api;
use crate::find;
use crate::operation::{Access, Operation, Param, path};
use crate::pages::{Listed, PageView};
use crate::paths::WebhookPath;
use crate::problem::Problem;
use crate::query::Query;

pub(crate) fn operation() -> Operation {
    Operation::get("list_deliveries", path::DELIVERIES, Access::Read)
        .summary("List the deliveries of a webhook")
        .description("They are kept for seven days.")
        .param(Param::query::<DeliveryState>("state", "Only those that stand so."))
        .listed()
        .answers_page::<DeliveryView>("A page of deliveries.", DeliveryView::example())
}

pub(crate) async fn list(
    State(api): State<Api>,
    path: WebhookPath,
    mut query: Query,
) -> Result<Answer, Problem> {
    let state = query.narrow("state").map(|text| text.parse::<DeliveryState>()).transpose();
    let state = state.map_err(|_| Query::invalid("state", "is `waiting`, `delivered` or `given_up`"))?;
    let listed = Listed::take(&api.signer, &format!("{path}/deliveries"), query)?;
    let webhook = find::webhook(&api, &path).await?;
    let page = api.catalog.delivery_list(webhook.id, state, listed.query.clone()).await?;
    let next_cursor = page.next.map(|place| listed.token(&api.signer, &place));
    let data = page.items.into_iter().map(DeliveryView::from).collect();
    Ok(Answer::ok(&PageView { data, next_cursor }))
}
