//! `DELETE …/connectors/{connector_id}`: deletes a connector. Its records stay. 204: from then on no sync of it writes,
//! and no push to it is taken.
//!
//! ```text
//! curl -X DELETE http://127.0.0.1:8080/v1/spaces/default/collections/default/connectors/con_01k…
//! ```

use axum::extract::State;
use inlet_store::catalog::{CancelEffect, Connector, Task};

use super::precondition::Precondition;
use crate::answer::Answer;
use crate::app::Api;
use crate::find;
use crate::operation::{Access, Operation, Param, path};
use crate::paths::{CollectionPath, ConnectorPath};
use crate::problem::Problem;
use crate::query::NoQuery;

pub(crate) fn operation() -> Operation {
    Operation::delete("delete_connector", path::CONNECTOR, Access::Write)
        .summary("Delete a connector")
        .description("Its records stay. From the answer on no sync of it writes, and no push to it is taken.")
        .param(Param::if_match())
        .answers_nothing("It is deleted.")
}

pub(crate) async fn delete(
    State(api): State<Api>,
    path: ConnectorPath,
    _: NoQuery,
    precondition: Precondition,
) -> Result<Answer, Problem> {
    let connector = find::connector(&api, &path).await?;
    precondition.check(connector.version)?;
    let CollectionPath { space_id, collection_id } = &path.collection;
    let now = api.clock.now();
    match api.catalog.connector_delete(space_id, collection_id, connector.id, now).await? {
        Some(task) => close(&api, &connector, task).await?,
        None => return Err(find::absent_connector(&api, &path).await?),
    }
    Ok(Answer::no_content())
}

/// Does at once what the delete has queued. Should it break off, the engine does the rest from the queue.
async fn close(api: &Api, connector: &Connector, task: Task) -> Result<(), Problem> {
    let now = api.clock.now();
    if let CancelEffect::Cancelling(sync) = api.catalog.sync_cancel(connector.id, None, now).await? {
        api.engine.cancel(sync.id);
    }
    api.stores.open(connector.store_id).await?.close_connector(connector.id).await?;
    api.catalog.task_done(task.id).await?;
    Ok(())
}
