//! `GET …/collections/{collection_id}/records/{stream}/{key}`: one record. 409 `record.ambiguous` if several connectors
//! hold it and `?connector_id=` does not say which.
//!
//! ```text
//! curl http://127.0.0.1:8080/v1/spaces/default/collections/default/records/airports/JFK
//! {"connector_id":"con_01k…","stream":"airports","key":"JFK","data":{"faa":"JFK",…},"change":701,…}
//! ```

use axum::extract::State;
use axum::http::StatusCode;
use inlet_model::key::Key;
use inlet_model::{ConnectorId, StreamName};

use super::list::take_connector_id;
use super::view::RecordView;
use crate::answer::Answer;
use crate::app::Api;
use crate::codes::Code;
use crate::find;
use crate::operation::{Access, Operation, Param, path};
use crate::paths::RecordPath;
use crate::problem::Problem;
use crate::query::Query;

pub(crate) fn operation() -> Operation {
    Operation::get("get_record", path::RECORD, Access::Read)
        .summary("Show a record")
        .param(Param::query::<ConnectorId>(
            "connector_id",
            "The connector, where several hold such a record.",
        ))
        .answers::<RecordView<'_>>(StatusCode::OK, "The record.", RecordView::example())
        .errors(&[Code::RecordAmbiguous])
}

pub(crate) async fn get(
    State(api): State<Api>,
    path: RecordPath,
    mut query: Query,
) -> Result<Answer, Problem> {
    let connector_id = take_connector_id(&mut query)?;
    query.finish()?;
    let (_, store) = find::store(&api, &path.collection).await?;
    // What cannot be a stream or a key is one that nothing has.
    let stream = StreamName::new(&path.stream).map_err(|error| absent(&path).because(error))?;
    let key = Key::from_url(&path.key, None).map_err(|error| absent(&path).because(error))?;
    let records = store.record(connector_id, &stream, key.as_bytes()).await?;
    match records.as_slice() {
        [] => Err(absent(&path)),
        [record] => Ok(Answer::ok(&RecordView::new(record)?)),
        several => {
            let ids: Vec<String> =
                several.iter().map(|record| format!("`{}`", record.connector_id)).collect();
            let detail = format!(
                "The connectors {} hold this record; say which with `?connector_id=`.",
                ids.join(", ")
            );
            Err(Problem::new(Code::RecordAmbiguous, detail))
        }
    }
}

fn absent(path: &RecordPath) -> Problem {
    let detail = format!(
        "The stream `{}` has no record with the key `{}`. A text key that looks like a number is written with quotes.",
        path.stream, path.key
    );
    Problem::new(Code::RecordNotFound, detail)
}
