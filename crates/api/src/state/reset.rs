//! `DELETE …/connectors/{connector_id}/state`: forgets how far the connector's streams, or one of them, were read. The next sync
//! lists them again; nothing is deleted before that listing is complete. 409 while a sync is under way.
//!
//! ```text
//! curl -X DELETE 'http://127.0.0.1:8080/v1/spaces/default/collections/default/connectors/con_01k…/state?stream=people'
//! ```

use axum::extract::State;
use inlet_model::StreamName;

use super::{REFUSALS, answer, unless_removing};
use crate::answer::Answer;
use crate::app::Api;
use crate::filters::take_stream;
use crate::find;
use crate::operation::{Access, Operation, Param, path};
use crate::paths::ConnectorPath;
use crate::problem::Problem;
use crate::query::Query;

pub(crate) fn operation() -> Operation {
    Operation::delete("reset_state", path::STATE, Access::Write)
        .summary("Forget how far a connector has been read")
        .description(
            "The next sync lists everything again; nothing is deleted before that listing is complete.",
        )
        .param(Param::query::<StreamName>("stream", "Only of this stream."))
        .answers_nothing("It is forgotten.")
        .errors(REFUSALS)
}

pub(crate) async fn reset(
    State(api): State<Api>,
    path: ConnectorPath,
    mut query: Query,
) -> Result<Answer, Problem> {
    let stream = take_stream(&mut query)?;
    query.finish()?;
    let connector = find::connector(&api, &path).await?;
    unless_removing(&api, &connector).await?;
    let store = api.stores.open(connector.store_id).await?;
    let effect = store.reset_checkpoints(connector.id, stream).await?;
    answer(&api, &path, &connector, effect).await
}
