//! `GET …/connectors/{connector_id}/state`: how far each scope of each stream has been read, by stream and then by scope.
//!
//! ```text
//! curl http://127.0.0.1:8080/v1/spaces/default/collections/default/connectors/con_01k…/state
//! {"streams":[{"name":"people","scopes":[{"scope":"","cursor":{"line":1458},"records":1458,"listed_by":3,"listing":null}]}],
//!  "next_cursor":null}
//! ```

use axum::extract::State;
use axum::http::StatusCode;
use inlet_model::{Scope, StreamName};
use inlet_store::collection::{Checkpoint, ScopeListing};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value, json};

use crate::answer::Answer;
use crate::app::Api;
use crate::filters::take_stream;
use crate::find;
use crate::operation::{Access, Operation, Param, path};
use crate::pages::{self, DATA_MAX, take_limit};
use crate::paths::ConnectorPath;
use crate::problem::Problem;
use crate::query::Query;

/// How far a connector has been read.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "State")]
struct StateView {
    /// Its streams, by name.
    streams: Vec<StreamView>,
    /// Where the next page begins; `null` at the end.
    next_cursor: Option<String>,
}

/// How far a stream has been read.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "StreamState")]
struct StreamView {
    /// Its name.
    name: StreamName,
    /// Its parts that are read on their own; most streams have only the whole, `""`.
    scopes: Vec<ScopeView>,
}

/// How far a scope has been read.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "ScopeState")]
struct ScopeView {
    /// Its name; empty for the whole.
    scope: Scope,
    /// Where the next sync goes on reading; `null` if it lists everything. Only the source understands it.
    cursor: Option<Value>,
    /// Records of it that are there.
    records: u64,
    /// The number of the last listing that was complete.
    listed_by: Option<u64>,
    /// The listing it is in.
    listing: Option<ListingView>,
}

/// A listing that has not settled.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(tag = "status", rename_all = "snake_case")]
#[schemars(rename = "Listing")]
enum ListingView {
    /// The next sync goes on with it.
    Open {
        /// Its number.
        generation: u64,
        /// How far it has come. Only the source understands it.
        position: Option<Value>,
        /// Records that it saw.
        seen: u64,
    },
    /// What it did not see waits to be deleted.
    Complete,
    /// The scope is not there any more, and its records wait to be deleted.
    Gone,
}

pub(crate) fn operation() -> Operation {
    let scope =
        json!({"scope": "", "cursor": {"line": 1458}, "records": 1458, "listed_by": 3, "listing": null});
    Operation::get("get_state", path::STATE, Access::Read)
        .summary("Show how far a connector has been read")
        .description("By stream and then by scope. `limit` counts scopes.")
        .param(Param::query::<StreamName>("stream", "Only of this stream."))
        .paged(DATA_MAX)
        .answers::<StateView>(
            StatusCode::OK,
            "The checkpoints.",
            json!({"streams": [{"name": "people", "scopes": [scope]}], "next_cursor": null}),
        )
}

pub(crate) async fn get(
    State(api): State<Api>,
    path: ConnectorPath,
    mut query: Query,
) -> Result<Answer, Problem> {
    let stream = take_stream(&mut query)?;
    let limit = take_limit(&mut query, DATA_MAX)?;
    let cursor = query.take("cursor");
    query.finish()?;
    let connector = find::connector(&api, &path).await?;
    let stream_name = stream.as_ref().map_or("", StreamName::as_str);
    let list = format!("{path}/state {stream_name}");
    let after = cursor.map(|token| place_of(&api.signer.open(&list, &token)?)).transpose()?;
    let store = api.stores.open(connector.store_id).await?;
    // One more than asked for tells whether there is a next page.
    let mut found = store.checkpoints(connector.id, stream.as_ref(), after, limit + 1).await?;
    let more = found.len() > limit;
    found.truncate(limit);
    let next_cursor = found.last().filter(|_| more).map(|last| {
        let place = pages::in_stream(&last.stream, last.scope.as_str());
        api.signer.sign(&list, place.as_bytes())
    });
    Ok(Answer::ok(&StateView { streams: by_stream(found), next_cursor }))
}

fn place_of(place: &[u8]) -> Result<(StreamName, Scope), Problem> {
    let (stream, scope) = pages::of_stream(place)?;
    Ok((stream, Scope::new(scope)))
}

fn by_stream(checkpoints: Vec<Checkpoint>) -> Vec<StreamView> {
    let mut streams: Vec<StreamView> = Vec::new();
    for Checkpoint { stream, scope, records, cursor, listed_by, listing } in checkpoints {
        let listing = listing.map(|listing| match listing {
            ScopeListing::Open { generation, position, seen } => {
                ListingView::Open { generation, position, seen }
            }
            ScopeListing::Complete => ListingView::Complete,
            ScopeListing::Gone => ListingView::Gone,
        });
        let scope = ScopeView { scope, cursor, records, listed_by, listing };
        match streams.last_mut().filter(|last| last.name == stream) {
            Some(last) => last.scopes.push(scope),
            None => streams.push(StreamView { name: stream, scopes: vec![scope] }),
        }
    }
    streams
}
