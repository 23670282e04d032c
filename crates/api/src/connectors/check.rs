//! `POST …/connectors/{connector_id}/check`: whether the source can be reached and read. 200 either way; `status` tells. With a
//! `config`, a merge patch, that one is tried and nothing is stored.
//!
//! ```text
//! curl -X POST http://127.0.0.1:8080/v1/spaces/default/collections/default/connectors/con_01k…/check
//! {"status":"succeeded","error":null,"duration_ms":3}
//! ```

use std::time::Instant;

use axum::extract::State;
use axum::http::StatusCode;
use inlet_model::fields::Fields;
use inlet_model::sync::Failure;
use inlet_store::catalog::Connector;
use inlet_sync::{BuiltSource, build_source};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::config;
use super::fields::{merge_patch, refuse_config};
use crate::answer::Answer;
use crate::app::Api;
use crate::body::Post;
use crate::find;
use crate::operation::{Access, Operation, path};
use crate::paths::ConnectorPath;
use crate::problem::Problem;
use crate::query::NoQuery;
use crate::source_call;

/// What came of a check.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Check")]
struct CheckView {
    /// Whether the source can be read.
    status: CheckStatus,
    /// Why it cannot.
    error: Option<Failure>,
    /// How long it took, in milliseconds.
    duration_ms: u64,
}

/// Whether a source can be read.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum CheckStatus {
    /// It can.
    Succeeded,
    /// It cannot.
    Failed,
}

/// What to check, if not the connector as it is stored.
#[derive(JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "it only says what the body is; `check` reads it field by field")]
struct CheckOptions {
    /// A merge patch over the stored config, to be tried without storing it.
    config: Option<Map<String, Value>>,
}

pub(crate) fn operation() -> Operation {
    Operation::post("check_connector", path::CHECK, Access::Write)
        .summary("Check whether the source can be read")
        .description("200 either way; `status` tells. A stored secret is never sent to a host or URL that differs from the stored one.")
        .optional_body::<CheckOptions>(json!({}))
        .answers::<CheckView>(
            StatusCode::OK,
            "What came of it.",
            json!({"status": "succeeded", "error": null, "duration_ms": 3}),
        )
}

/// A check has no effect that could be doubled: its idempotency key only holds back a second one at the same time.
pub(crate) async fn check(
    State(api): State<Api>,
    path: ConnectorPath,
    _: NoQuery,
    post: Post,
) -> Result<Answer, Problem> {
    let mut fields = Fields::new(post.body)?;
    let patch = fields.object("config");
    let connector = find::connector(&api, &path).await?;
    let begun = Instant::now();
    let built = match patch {
        Some(patch) => Ok(tried(&api, fields, &connector, patch)?),
        None => {
            fields.finish()?;
            build_source(&api.registry, &api.environment, &api.vault, &connector)
        }
    };
    let error = match built {
        Ok(source) => failure(&api, source).await?,
        Err(failure) => Some(failure),
    };
    let status = if error.is_none() { CheckStatus::Succeeded } else { CheckStatus::Failed };
    let duration_ms = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
    Ok(Answer::ok(&CheckView { status, error, duration_ms }))
}

/// The source of the stored config with this patch.
fn tried(
    api: &Api,
    mut fields: Fields,
    connector: &Connector,
    patch: Map<String, Value>,
) -> Result<BuiltSource, Problem> {
    let kind = api.registry.get(&connector.kind).map_err(|unknown| {
        fields.refuse("config", "field.choice", unknown.to_string());
    });
    let written = merge_patch(connector.config.masked(), Value::Object(patch));
    let wanted = kind.and_then(|kind| {
        config::wanted(api, &**kind, written, Some(connector))
            .map_err(|errors| refuse_config(&mut fields, errors))
    });
    fields.finish()?;
    Ok(wanted.expect("a bad one was refused").into_source())
}

/// Why the source cannot be read.
async fn failure(api: &Api, source: BuiltSource) -> Result<Option<Failure>, Problem> {
    let asked = source_call::ask(api, "check", source, |source| async move { source.check().await });
    Ok(asked.await?.err().map(|error| {
        let failure = error.to_failure();
        tracing::info!(code = %failure.code, error = &error as &dyn std::error::Error, "a check failed");
        failure
    }))
}
