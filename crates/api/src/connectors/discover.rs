//! `GET …/connectors/{connector_id}/streams`: the streams that the source has now, and which of them the connector reads.
//!
//! ```text
//! curl http://127.0.0.1:8080/v1/spaces/default/collections/default/connectors/con_01k…/streams
//! {"data":[{"name":"orders","schema":{…},"primary_key":["id"],"cursor_field":null,"estimated_records":1200,
//!           "selected":true,"settings":null}],"next_cursor":null}
//! ```

use axum::extract::State;
use inlet_model::stream::StreamSettings;
use inlet_source::{ErrorKind, SourceError, StreamSpec};
use inlet_sync::{BuiltSource, build_source};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::json;

use super::streams;
use crate::answer::Answer;
use crate::app::Api;
use crate::find;
use crate::operation::{Access, OF_SOURCES, Operation, path};
use crate::pages::PageView;
use crate::paths::ConnectorPath;
use crate::problem::Problem;
use crate::query::NoQuery;
use crate::source_call;

/// A stream of a source.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "DiscoveredStream")]
struct StreamView {
    #[serde(flatten)]
    found: StreamSpec,
    /// Whether the connector reads it.
    selected: bool,
    /// How the connector reads it, where it was told.
    settings: Option<StreamSettings>,
}

pub(crate) fn operation() -> Operation {
    let example = json!({
        "name": "airlines", "schema": {"type": "object", "properties": {"carrier": {"type": "string"}}},
        "primary_key": ["carrier"], "cursor_field": null, "estimated_records": 16, "selected": true, "settings": null,
    });
    Operation::get("list_streams", path::STREAMS, Access::Read)
        .summary("Discover the streams of the source")
        .description("All on one page, as the source has them now.")
        .answers_page::<StreamView>("The streams.", example)
        .errors(OF_SOURCES)
}

pub(crate) async fn discover(
    State(api): State<Api>,
    path: ConnectorPath,
    _: NoQuery,
) -> Result<Answer, Problem> {
    let connector = find::connector(&api, &path).await?;
    let source = build_source(&api.registry, &api.environment, &api.vault, &connector)
        .map_err(|failure| Problem::of_source(&failure))?;
    let found = found(&api, source).await?;
    let view = |found: StreamSpec| {
        let selection = connector.streams.as_ref();
        let settings =
            selection.and_then(|streams| streams.iter().find(|stream| stream.name == found.name)).cloned();
        StreamView { selected: selection.is_none() || settings.is_some(), found, settings }
    };
    Ok(Answer::ok(&PageView { data: found.into_iter().map(view).collect(), next_cursor: None }))
}

async fn found(api: &Api, source: BuiltSource) -> Result<Vec<StreamSpec>, Problem> {
    let asked = source_call::ask(api, "discover", source, |source| async move { source.discover().await });
    let found = asked.await?.and_then(|found| {
        if found.len() <= streams::MAX {
            return Ok(found);
        }
        let message =
            format!("the source has {} streams, and at most {} are shown", found.len(), streams::MAX);
        Err(SourceError::new(ErrorKind::Limit, "discover", message))
    });
    found.map_err(|error| Problem::of_source(&error.to_failure()).because(error))
}
