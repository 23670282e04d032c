//! `GET /v1/connector-types/{type}`: one connector type.
//!
//! ```text
//! curl http://127.0.0.1:8080/v1/connector-types/files
//! {"type":"files","summary":"…","capabilities":{…},"accepts_push":false,"config_schema":{…},"docs":"# files…"}
//! ```

use axum::extract::State;
use axum::http::StatusCode;

use super::view::ConnectorTypeView;
use crate::answer::Answer;
use crate::app::Api;
use crate::codes::Code;
use crate::operation::{Access, Operation, path};
use crate::paths::TypePath;
use crate::problem::Problem;
use crate::query::NoQuery;

pub(crate) fn operation() -> Operation {
    Operation::get("get_connector_type", path::CONNECTOR_TYPE, Access::Read)
        .summary("Show a connector type")
        .for_bound_keys()
        .answers::<ConnectorTypeView>(StatusCode::OK, "The type.", ConnectorTypeView::example())
}

pub(crate) async fn get(State(api): State<Api>, path: TypePath, _: NoQuery) -> Result<Answer, Problem> {
    match api.registry.get(&path.name) {
        Ok(kind) => Ok(Answer::ok(&ConnectorTypeView::from(&**kind))),
        Err(unknown) => {
            let detail = format!("There is no connector type `{}`. {}.", unknown.name, known(&unknown.known));
            Err(Problem::new(Code::ConnectorTypeNotFound, detail))
        }
    }
}

fn known(names: &[&str]) -> String {
    let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    format!("There are {}", names.join(", "))
}
