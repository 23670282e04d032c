//! `DELETE …/webhooks/{webhook_id}`: deletes a webhook with its deliveries. 204: nothing more is sent to it, but for what is being
//! sent at this moment.
//!
//! ```text
//! curl -X DELETE http://127.0.0.1:8080/v1/spaces/default/webhooks/whk_01k…
//! ```

use axum::extract::State;

use crate::answer::Answer;
use crate::app::Api;
use crate::find;
use crate::operation::{Access, Operation, path};
use crate::paths::WebhookPath;
use crate::problem::Problem;
use crate::query::NoQuery;

pub(crate) fn operation() -> Operation {
    Operation::delete("delete_webhook", path::WEBHOOK, Access::Write)
        .summary("Delete a webhook")
        .description("Its deliveries go with it. From the answer on nothing more of it begins to be sent.")
        .answers_nothing("It is deleted.")
}

pub(crate) async fn delete(State(api): State<Api>, path: WebhookPath, _: NoQuery) -> Result<Answer, Problem> {
    let now = api.clock.now();
    if api.catalog.webhook_delete(&path.space.space_id, path.webhook_id, now).await? {
        Ok(Answer::no_content())
    } else {
        Err(find::absent_webhook(&api, &path).await?)
    }
}
