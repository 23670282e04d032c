//! `GET …/webhooks/{webhook_id}`: one webhook, without its secret.
//!
//! ```text
//! curl http://127.0.0.1:8080/v1/spaces/default/webhooks/whk_01k…
//! {"id":"whk_01k…","space_id":"default","name":"Alerts","url":"https://example.com/inlet",…}
//! ```

use axum::extract::State;
use axum::http::StatusCode;

use super::view::WebhookView;
use crate::answer::Answer;
use crate::app::Api;
use crate::find;
use crate::operation::{Access, Operation, path};
use crate::paths::WebhookPath;
use crate::problem::Problem;
use crate::query::NoQuery;

pub(crate) fn operation() -> Operation {
    Operation::get("get_webhook", path::WEBHOOK, Access::Read)
        .summary("Show a webhook")
        .description("Without its secret.")
        .answers::<WebhookView>(StatusCode::OK, "The webhook.", WebhookView::example())
}

pub(crate) async fn get(State(api): State<Api>, path: WebhookPath, _: NoQuery) -> Result<Answer, Problem> {
    Ok(Answer::ok(&WebhookView::from(find::webhook(&api, &path).await?)))
}
