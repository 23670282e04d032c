//! `GET …/connectors/{connector_id}`: one connector; its version is the `ETag`.
//!
//! ```text
//! curl -i http://127.0.0.1:8080/v1/spaces/default/collections/default/connectors/con_01k…
//! ETag: "1"
//! {"id":"con_01k…","name":"New Connector","type":"external_source","config":{},"streams":null,…}
//! ```

use axum::extract::State;
use axum::http::StatusCode;

use super::view::{self, ConnectorView};
use crate::answer::Answer;
use crate::app::Api;
use crate::find;
use crate::operation::{Access, Operation, Param, path};
use crate::paths::ConnectorPath;
use crate::problem::Problem;
use crate::query::NoQuery;

pub(crate) fn operation() -> Operation {
    Operation::get("get_connector", path::CONNECTOR, Access::Read)
        .summary("Show a connector")
        .answers::<ConnectorView>(StatusCode::OK, "The connector.", ConnectorView::example())
        .with_header(Param::header("ETag", "Its version."))
}

pub(crate) async fn get(State(api): State<Api>, path: ConnectorPath, _: NoQuery) -> Result<Answer, Problem> {
    view::answer(&api, find::connector(&api, &path).await?).await
}
