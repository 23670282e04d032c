//! `POST …/webhooks/{webhook_id}/test`: sends a `webhook.test` now. 200 whatever the target says; `status` tells.
//!
//! ```text
//! curl -X POST http://127.0.0.1:8080/v1/spaces/default/webhooks/whk_01k…/test
//! {"status":"succeeded","answer":{"at":"…","duration_ms":120,"status":200,"body":"ok","error":null}}
//! ```

use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use inlet_model::fields::Fields;
use inlet_store::catalog::Reply;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::json;

use super::view::AnswerView;
use crate::answer::Answer;
use crate::app::Api;
use crate::body::Post;
use crate::codes::Code;
use crate::find;
use crate::operation::{Access, Operation, path};
use crate::paths::WebhookPath;
use crate::problem::Problem;
use crate::query::NoQuery;

/// What came of a test.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "WebhookTest")]
struct TestView {
    /// Whether the target took it: by any status from 200 to 299.
    status: TestStatus,
    /// What it said.
    answer: AnswerView,
}

/// Whether a target took a test.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum TestStatus {
    /// It did.
    Succeeded,
    /// It did not.
    Failed,
}

/// Nothing is said of a test.
#[derive(JsonSchema)]
#[serde(deny_unknown_fields)]
struct TestOptions {}

pub(crate) fn operation() -> Operation {
    Operation::post("test_webhook", path::WEBHOOK_TEST, Access::Write)
        .summary("Send a test to a webhook's target")
        .description("A `webhook.test`, sent once, at once and signed, whether or not the webhook is active. The answer is 200 whatever the target says; `status` tells.")
        .optional_body::<TestOptions>(json!({}))
        .answers::<TestView>(
            StatusCode::OK,
            "What came of it.",
            json!({"status": "succeeded", "answer": AnswerView::example()}),
        )
}

/// A test has no effect here that could be doubled: its idempotency key only holds back a second one at the same time.
pub(crate) async fn test(
    State(api): State<Api>,
    path: WebhookPath,
    _: NoQuery,
    post: Post,
) -> Result<Answer, Problem> {
    Fields::new(post.body)?.finish()?;
    let webhook = find::webhook(&api, &path).await?;
    let answer = api.webhooks.test(&webhook).await.map_err(|_| busy())?;
    let status = match &answer.reply {
        Reply::Answered { status: 200..=299, .. } => TestStatus::Succeeded,
        Reply::Answered { .. } | Reply::Failed(_) => TestStatus::Failed,
    };
    Ok(Answer::ok(&TestView { status, answer: answer.into() }))
}

fn busy() -> Problem {
    let detail = "As many tests are being sent as the server allows at a time. Try again in a moment.";
    Problem::new(Code::Unavailable, detail).header(header::RETRY_AFTER, HeaderValue::from_static("1"))
}
