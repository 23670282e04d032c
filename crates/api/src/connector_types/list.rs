//! `GET /v1/connector-types`: the connector types of this server, by name; all on one page.
//!
//! ```text
//! curl http://127.0.0.1:8080/v1/connector-types
//! {"data":[{"type":"external_source","summary":"…","config_schema":{…},…},{"type":"files",…}],"next_cursor":null}
//! ```

use axum::extract::State;

use super::view::ConnectorTypeView;
use crate::answer::Answer;
use crate::app::Api;
use crate::operation::{Access, Operation, path};
use crate::pages::PageView;
use crate::problem::Problem;
use crate::query::NoQuery;

pub(crate) fn operation() -> Operation {
    Operation::get("list_connector_types", path::CONNECTOR_TYPES, Access::Read)
        .summary("List the connector types")
        .description("By name, all on one page.")
        .for_bound_keys()
        .answers_page::<ConnectorTypeView>("The types.", ConnectorTypeView::example())
}

pub(crate) async fn list(State(api): State<Api>, _: NoQuery) -> Result<Answer, Problem> {
    let data = api.registry.iter().map(|kind| ConnectorTypeView::from(&**kind)).collect();
    Ok(Answer::ok(&PageView { data, next_cursor: None }))
}
