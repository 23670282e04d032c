//! `GET /v1/spaces/{space_id}/webhooks`: the webhooks of a space, newest first or oldest first.
//!
//! ```text
//! curl http://127.0.0.1:8080/v1/spaces/default/webhooks
//! {"data":[{"id":"whk_01k…","name":"Alerts","url":"https://example.com/inlet",…}],"next_cursor":null}
//! ```

use axum::extract::State;

use super::view::WebhookView;
use crate::answer::Answer;
use crate::app::Api;
use crate::find;
use crate::operation::{Access, Operation, path};
use crate::pages::{Listed, PageView};
use crate::paths::SpacePath;
use crate::problem::Problem;
use crate::query::Query;

pub(crate) fn operation() -> Operation {
    Operation::get("list_webhooks", path::WEBHOOKS, Access::Read)
        .summary("List the webhooks of a space")
        .listed()
        .answers_page::<WebhookView>("A page of webhooks.", WebhookView::example())
}

pub(crate) async fn list(State(api): State<Api>, path: SpacePath, query: Query) -> Result<Answer, Problem> {
    let listed = Listed::take(&api.signer, &format!("{path}/webhooks"), query)?;
    let page = api.catalog.webhook_list(&path.space_id, listed.query.clone()).await?;
    let page = page.ok_or_else(|| find::no_space(&path.space_id))?;
    let next_cursor = page.next.map(|place| listed.token(&api.signer, &place));
    let data = page.items.into_iter().map(WebhookView::from).collect();
    Ok(Answer::ok(&PageView { data, next_cursor }))
}
