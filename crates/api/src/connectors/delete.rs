//! `DELETE …/connectors/{connector_id}`: deletes a connector. 204: from then on no sync of it writes, and no push to it is
//! taken. Its records stay; with `?records=delete` they are removed, in steps, after the answer, whatever happens. With
//! `If-Match`, 412 unless the connector is still at that version.
//!
//! ```text
//! curl -X DELETE http://127.0.0.1:8080/v1/spaces/default/collections/default/connectors/con_01k…
//! ```

use axum::extract::State;
use inlet_store::catalog::{ConnectorDeleteEffect, Remains};
use schemars::json_schema;

use super::precondition::Precondition;
use crate::answer::Answer;
use crate::app::Api;
use crate::find;
use crate::operation::{Access, Operation, Param, path};
use crate::paths::{CollectionPath, ConnectorPath};
use crate::problem::Problem;
use crate::query::Query;

pub(crate) fn operation() -> Operation {
    Operation::delete("delete_connector", path::CONNECTOR, Access::Write)
        .summary("Delete a connector")
        .description("From the answer on no sync of it writes, and no push to it is taken.")
        .param(Param::written(
            "records",
            "Whether the records it has brought stay, or are removed in steps after the answer.",
            json_schema!({"type": "string", "enum": ["keep", "delete"], "default": "keep"}),
        ))
        .param(Param::if_match())
        .answers_nothing("It is deleted.")
}

pub(crate) async fn delete(
    State(api): State<Api>,
    path: ConnectorPath,
    mut query: Query,
    Precondition(expected): Precondition,
) -> Result<Answer, Problem> {
    let remains = take_remains(&mut query)?;
    query.finish()?;
    let connector = find::connector(&api, &path).await?;
    let CollectionPath { space_id, collection_id } = &path.collection;
    let now = api.clock.now();
    let deleting =
        api.catalog.connector_delete(space_id, collection_id, connector.id, expected, remains, now);
    let deleted = match deleting.await? {
        ConnectorDeleteEffect::Deleted(deleted) => deleted,
        ConnectorDeleteEffect::Stale { version } => return Err(Precondition::refused(version)),
        ConnectorDeleteEffect::Absent => return Err(find::absent_connector(&api, &path).await?),
    };
    // First, so that a commit in hand is given up and the store is free for the fence.
    for sync_id in [deleted.cancelling, deleted.cancelled].into_iter().flatten() {
        api.engine.cancel(sync_id);
    }
    // Done at once what the delete has queued, so that after the answer nothing is written. Should it break off, the engine
    // does it; it also does what takes longer.
    let closed = match api.stores.open(connector.store_id).await {
        Ok(store) => store.close_connector(connector.id).await,
        Err(error) => Err(error),
    };
    api.engine.unwanted();
    closed?;
    Ok(Answer::no_content())
}

fn take_remains(query: &mut Query) -> Result<Remains, Problem> {
    match query.take("records").as_deref() {
        None | Some("keep") => Ok(Remains::Kept),
        Some("delete") => Ok(Remains::Purged),
        Some(_) => Err(Query::invalid("records", "is `keep` (they stay) or `delete` (they are removed)")),
    }
}
