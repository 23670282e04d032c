//! `GET …/connectors/{connector_id}/schemas`: the fields that the records of each stream have had, and every version of a stream's.
//!
//! ```text
//! curl http://127.0.0.1:8080/v1/spaces/default/collections/default/connectors/con_01k…/schemas?stream=people
//! {"data":[{"stream":"people","version":2,"sync_id":"syn_01k…","created_at":"…","fields":{"id":["integer"],"name":["string"]}}],…}
//! ```

use axum::extract::State;
use inlet_model::schema::Schema;
use inlet_model::{StreamName, SyncId, Timestamp};
use inlet_store::collection::{SchemaVersion, SchemasQuery};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::json;

use crate::answer::Answer;
use crate::app::Api;
use crate::filters::take_stream;
use crate::find;
use crate::operation::{Access, Operation, Param, path};
use crate::pages::{self, PageView, take_limit};
use crate::paths::ConnectorPath;
use crate::problem::Problem;
use crate::query::Query;

/// The longest page: a schema may have a thousand fields.
const SCHEMAS_MAX: usize = 100;

/// A version of a stream's schema.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "SchemaVersion")]
struct SchemaView {
    /// The stream.
    stream: StreamName,
    /// Its number, from 1.
    version: u64,
    /// The sync whose records made it so.
    sync_id: SyncId,
    /// When they were committed.
    created_at: Timestamp,
    /// The types that the values of each field have had, as JSON calls them: none of a field that was always null.
    fields: Schema,
}

impl From<SchemaVersion> for SchemaView {
    fn from(version: SchemaVersion) -> Self {
        let SchemaVersion { stream, version, sync_id, at, schema } = version;
        Self { stream, version, sync_id, created_at: at, fields: schema }
    }
}

pub(crate) fn operation() -> Operation {
    let example = json!({
        "stream": "people", "version": 2, "sync_id": "syn_01k9q2d0v5e7qbmxgk7zrw8y3c",
        "created_at": "2026-11-26T08:00:00.000Z",
        "fields": {"id": ["integer"], "name": ["string"], "born": ["integer", "string"]},
    });
    Operation::get("list_schemas", path::SCHEMAS, Access::Read)
        .summary("List the schemas of a connector's streams")
        .description(
            "The schema that the records of each stream have made, by stream. With `stream` all versions of that stream, the newest \
             first; the last hundred are kept.",
        )
        .param(Param::query::<StreamName>("stream", "All versions of this stream."))
        .paged(SCHEMAS_MAX)
        .answers_page::<SchemaView>("A page of schemas.", example)
}

pub(crate) async fn list(
    State(api): State<Api>,
    path: ConnectorPath,
    mut query: Query,
) -> Result<Answer, Problem> {
    let stream = take_stream(&mut query)?;
    let limit = take_limit(&mut query, SCHEMAS_MAX)?;
    let cursor = query.take("cursor");
    query.finish()?;
    let connector = find::connector(&api, &path).await?;
    let list = format!("{path}/schemas {}", stream.as_ref().map_or("", StreamName::as_str));
    let after = cursor.map(|token| place_of(&api.signer.open(&list, &token)?)).transpose()?;
    let store = api.stores.open(connector.store_id).await?;
    // One more than asked for tells whether there is a next page.
    let asked = SchemasQuery { connector_id: connector.id, stream, after, limit: limit + 1 };
    let mut found = store.schemas(asked).await?;
    let more = found.len() > limit;
    found.truncate(limit);
    let next_cursor = found.last().filter(|_| more).map(|last| {
        let place = pages::in_stream(&last.stream, &last.version.to_string());
        api.signer.sign(&list, place.as_bytes())
    });
    let data: Vec<SchemaView> = found.into_iter().map(SchemaView::from).collect();
    Ok(Answer::ok(&PageView { data, next_cursor }))
}

fn place_of(place: &[u8]) -> Result<(StreamName, u64), Problem> {
    let (stream, version) = pages::of_stream(place)?;
    Ok((stream, version.parse().map_err(|_| pages::invalid())?))
}
