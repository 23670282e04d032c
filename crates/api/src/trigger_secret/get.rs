//! `GET …/connectors/{connector_id}/trigger-secret`: whether a connector is triggered by signed messages, and where they are sent to.
//!
//! ```text
//! curl http://127.0.0.1:8080/v1/spaces/default/collections/default/connectors/con_01k…/trigger-secret
//! {"connector_id":"con_01k…","hook":"/v1/hooks/con_01k…","previous_secret_ends_at":null}
//! ```

use axum::extract::State;
use axum::http::StatusCode;

use super::absent;
use super::view::TriggerSecretView;
use crate::answer::Answer;
use crate::app::Api;
use crate::codes::Code;
use crate::find;
use crate::operation::{Access, Operation, path};
use crate::paths::ConnectorPath;
use crate::problem::Problem;
use crate::query::NoQuery;

pub(crate) fn operation() -> Operation {
    Operation::get("get_trigger_secret", path::TRIGGER_SECRET, Access::Read)
        .summary("Show whether a connector has a trigger secret")
        .description("The secret itself is never shown again.")
        .answers::<TriggerSecretView>(StatusCode::OK, "It has one.", TriggerSecretView::example())
        .errors(&[Code::TriggerSecretNotFound])
}

pub(crate) async fn get(State(api): State<Api>, path: ConnectorPath, _: NoQuery) -> Result<Answer, Problem> {
    let connector = find::connector(&api, &path).await?;
    let trigger = api.catalog.trigger_get(connector.id).await?.ok_or_else(|| absent(&path))?;
    Ok(Answer::ok(&TriggerSecretView::new(connector.id, &trigger.secrets)))
}
