//! `GET …/collections/{collection_id}/records`: what a collection holds, by stream and then by key.
//!
//! ```text
//! curl 'http://127.0.0.1:8080/v1/spaces/default/collections/default/records?stream=airports&limit=2'
//! {"data":[{"connector_id":"con_01k…","stream":"airports","key":"04G","data":{"faa":"04G",…},"change":1,…}],"next_cursor":"AQ…"}
//! ```

use axum::extract::State;
use inlet_model::{ConnectorId, StreamName};
use inlet_store::collection::{RecordCursor, RecordQuery};

use super::view::RecordView;
use crate::answer::Answer;
use crate::app::Api;
use crate::filters::take_stream;
use crate::find;
use crate::operation::{Access, Operation, Param, path};
use crate::pages::{DATA_MAX, PageView, take_limit};
use crate::paths::CollectionPath;
use crate::problem::Problem;
use crate::query::Query;

pub(crate) fn operation() -> Operation {
    Operation::get("list_records", path::RECORDS, Access::Read)
        .summary("List what a collection holds")
        .description("By stream, and then by key.")
        .param(Param::query::<StreamName>("stream", "Only of this stream."))
        .param(Param::query::<ConnectorId>("connector_id", "Only of this connector."))
        .paged(DATA_MAX)
        .answers_page::<RecordView<'_>>("A page of records.", RecordView::example())
}

pub(crate) async fn list(
    State(api): State<Api>,
    path: CollectionPath,
    mut query: Query,
) -> Result<Answer, Problem> {
    let limit = take_limit(&mut query, DATA_MAX)?;
    let stream = take_stream(&mut query)?;
    let connector_id = take_connector_id(&mut query)?;
    let cursor = query.take("cursor");
    query.finish()?;
    let (collection, store) = find::store(&api, &path).await?;
    // By the store's id: a collection made anew under the same id is another list.
    let stream_name = stream.as_ref().map_or("", StreamName::as_str);
    let list = format!("records of {}: {connector_id:?} {stream_name}", collection.store_id);
    let after = cursor.map(|token| api.signer.open(&list, &token).map(RecordCursor)).transpose()?;

    let max_bytes = api.limits.page_bytes;
    // The page as it is read, and as it is written out.
    let _memory = api.memory.take(2 * max_bytes).await;
    let page = store.records(RecordQuery { connector_id, stream, after, limit, max_bytes }).await?;
    let data = page.records.iter().map(RecordView::new).collect::<Result<_, _>>()?;
    let next_cursor = page.next.map(|RecordCursor(place)| api.signer.sign(&list, &place));
    Ok(Answer::ok(&PageView { data, next_cursor }))
}

/// `connector_id`, of a connector that may have been deleted since: its records stay.
pub(super) fn take_connector_id(query: &mut Query) -> Result<Option<ConnectorId>, Problem> {
    let id = query.take("connector_id").map(|text| text.parse());
    id.transpose().map_err(|_| Query::invalid("connector_id", "is the id of a connector, such as `con_01k…`"))
}
