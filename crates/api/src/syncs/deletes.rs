//! `GET …/sync/{sync_id}/deletes`: the records that a sync asks to delete, in full.
//!
//! ```text
//! curl 'http://127.0.0.1:8080/v1/spaces/default/collections/default/connectors/con_01k…/sync/syn_01k…/deletes?limit=2'
//! {"data":[{"connector_id":"con_01k…","stream":"airports","key":"04G","data":{"faa":"04G",…},…}],"next_cursor":"AQ…"}
//! ```

use axum::extract::State;
use inlet_model::StreamName;
use inlet_model::sync::SyncStatus;
use inlet_store::collection::{DeletesQuery, RecordCursor};

use crate::answer::Answer;
use crate::app::Api;
use crate::filters::take_stream;
use crate::find;
use crate::operation::{Access, Operation, Param, path};
use crate::pages::{DATA_MAX, PageView, take_limit};
use crate::paths::SyncPath;
use crate::problem::Problem;
use crate::query::Query;
use crate::records::view::RecordView;

/// Keys that are looked at for one page: some tenths of a second.
const MAX_KEYS: usize = 200_000;

pub(crate) fn operation() -> Operation {
    Operation::get("list_sync_deletes", path::SYNC_DELETES, Access::Read)
        .summary("List what a sync asks to delete")
        .description(
            "By stream, and then by key; of a sync that does not need approval there is nothing. Where few of many records would go, a page may be empty and have a next one.",
        )
        .param(Param::query::<StreamName>("stream", "Only of this stream."))
        .paged(DATA_MAX)
        .answers_page::<RecordView<'_>>("A page of records as they are now.", RecordView::example())
}

pub(crate) async fn list(
    State(api): State<Api>,
    path: SyncPath,
    mut query: Query,
) -> Result<Answer, Problem> {
    let limit = take_limit(&mut query, DATA_MAX)?;
    let stream = take_stream(&mut query)?;
    let cursor = query.take("cursor");
    query.finish()?;
    let sync = find::sync(&api, &path).await?;
    let list = format!("deletes of {}: {}", sync.id, stream.as_ref().map_or("", StreamName::as_str));
    let after = cursor.map(|token| api.signer.open(&list, &token).map(RecordCursor)).transpose()?;
    if sync.status != SyncStatus::NeedsApproval {
        return Ok(Answer::ok(&PageView::<RecordView<'_>> { data: Vec::new(), next_cursor: None }));
    }

    let max_bytes = api.limits.page_bytes;
    // The page as it is read, and as it is written out.
    let _memory = api.memory.take(2 * max_bytes).await;
    let store = api.stores.open(sync.store_id).await?;
    let connector_id = sync.connector_id;
    let query = DeletesQuery { connector_id, stream, after, limit, max_bytes, max_keys: MAX_KEYS };
    let page = store.pending_records(query).await?;
    let data = page.records.iter().map(RecordView::new).collect::<Result<_, _>>()?;
    let next_cursor = page.next.map(|RecordCursor(place)| api.signer.sign(&list, &place));
    Ok(Answer::ok(&PageView { data, next_cursor }))
}
