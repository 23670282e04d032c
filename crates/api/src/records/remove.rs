//! `DELETE …/collections/{collection_id}/records`: removes records: all, or those of a connector, of a stream, or of both.
//!
//! 202 once the wish is durable; then they go in steps, each step with its entries in the change feed, also after a restart.
//! With them goes how far their streams were read, so that the next sync of the connector reads those from the beginning; it
//! does not begin before they are gone. 409 while a sync of a connector that it concerns is under way.
//!
//! ```text
//! curl -X DELETE 'http://127.0.0.1:8080/v1/spaces/default/collections/default/records?stream=people'
//! {"status":"accepted","records":1458}
//! ```

use axum::extract::State;
use axum::http::StatusCode;
use inlet_model::{ConnectorId, StreamName};
use inlet_store::catalog::PurgeEffect;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::json;

use super::list::take_connector_id;
use crate::answer::Answer;
use crate::app::Api;
use crate::codes::Code;
use crate::filters::take_stream;
use crate::find;
use crate::operation::{Access, Operation, Param, path};
use crate::paths::{CollectionPath, ConnectorPath};
use crate::problem::Problem;
use crate::query::Query;
use crate::syncs::trigger::already_running;

/// A removal that is durable.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Removal")]
struct RemovalView {
    /// `accepted`.
    status: &'static str,
    /// Records that were there to be removed.
    records: u64,
}

pub(crate) fn operation() -> Operation {
    Operation::delete("remove_records", path::RECORDS, Access::Write)
        .summary("Remove records")
        .description(
            "All of them, or those of a connector, of a stream, or of both. They go in steps after the answer, and with them how far \
             their streams were read: the next sync reads those from the beginning.",
        )
        .param(Param::query::<StreamName>("stream", "Only of this stream."))
        .param(Param::query::<ConnectorId>("connector_id", "Only of this connector."))
        .answers::<RemovalView>(
            StatusCode::ACCEPTED,
            "The removal is durable.",
            json!({"status": "accepted", "records": 1458}),
        )
        .errors(&[Code::SyncRunning])
}

pub(crate) async fn remove(
    State(api): State<Api>,
    path: CollectionPath,
    mut query: Query,
) -> Result<Answer, Problem> {
    let stream = take_stream(&mut query)?;
    let connector_id = take_connector_id(&mut query)?;
    query.finish()?;
    let (collection, store) = find::store(&api, &path).await?;
    let found = store.streams(connector_id, stream.as_ref()).await?;
    let records = found.iter().map(|stream| stream.records).sum();
    let mut connector_ids: Vec<ConnectorId> = found.iter().map(|stream| stream.connector_id).collect();
    connector_ids.sort_unstable();
    connector_ids.dedup();
    match api.catalog.purge_queue(collection.store_id, connector_ids, stream).await? {
        PurgeEffect::Queued => {
            api.engine.wake();
            Ok(Answer::new(StatusCode::ACCEPTED, &RemovalView { status: "accepted", records }))
        }
        PurgeEffect::Held(sync) => {
            let connector = ConnectorPath { collection: path, connector_id: sync.connector_id };
            Err(already_running(&api, &connector, *sync).await?)
        }
        PurgeEffect::Absent => Err(find::absent_collection(&api, &path).await?),
    }
}
