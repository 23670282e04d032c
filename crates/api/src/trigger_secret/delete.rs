//! `DELETE …/connectors/{connector_id}/trigger-secret`: a connector is triggered by signed messages no more. 204.
//!
//! ```text
//! curl -X DELETE http://127.0.0.1:8080/v1/spaces/default/collections/default/connectors/con_01k…/trigger-secret
//! ```

use axum::extract::State;

use super::absent;
use crate::answer::Answer;
use crate::app::Api;
use crate::codes::Code;
use crate::find;
use crate::operation::{Access, Operation, path};
use crate::paths::ConnectorPath;
use crate::problem::Problem;
use crate::query::NoQuery;

pub(crate) fn operation() -> Operation {
    Operation::delete("delete_trigger_secret", path::TRIGGER_SECRET, Access::Write)
        .summary("Delete a connector's trigger secret")
        .description("No message triggers the connector from then on, whichever secret it is signed with.")
        .answers_nothing("It is deleted.")
        .errors(&[Code::TriggerSecretNotFound])
}

pub(crate) async fn delete(
    State(api): State<Api>,
    path: ConnectorPath,
    _: NoQuery,
) -> Result<Answer, Problem> {
    let connector = find::connector(&api, &path).await?;
    match api.catalog.trigger_delete(&connector).await? {
        true => Ok(Answer::no_content()),
        false => Err(absent(&path)),
    }
}
