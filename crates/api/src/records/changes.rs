//! `GET …/collections/{collection_id}/changes`: the change feed, in the order of commits. `next_cursor` is always there:
//! a consumer that goes on from it misses nothing and gets nothing twice. `cursor=0`, or none, begins with the present state;
//! `after=N` instead of a cursor begins behind the change with that number.
//!
//! ```text
//! curl 'http://127.0.0.1:8080/v1/spaces/default/collections/default/changes?cursor=0&limit=1000'
//! {"data":[{"change":1,"op":"created","stream":"airports","key":"04G","data":{"faa":"04G",…},…}],"next_cursor":"AQ…"}
//! ```

use axum::extract::State;
use axum::http::StatusCode;
use inlet_store::collection::{ChangeCursor, ChangePage};
use serde_json::json;

use super::view::ChangeView;
use crate::answer::Answer;
use crate::app::Api;
use crate::codes::Code;
use crate::find;
use crate::operation::{Access, Operation, Param, path};
use crate::pages::{self, DATA_MAX, PageView, Signer, take_limit};
use crate::paths::CollectionPath;
use crate::problem::Problem;
use crate::query::Query;

pub(crate) fn operation() -> Operation {
    let cursor =
        "Where to go on: `next_cursor` of the page before; `0`, or nothing, begins with the present state.";
    Operation::get("list_changes", path::CHANGES, Access::Read)
        .summary("Read the change feed")
        .description("In the order of commits. `next_cursor` is always there: keep it, and ask again later.")
        .param(Param::limit(DATA_MAX))
        .param(Param::cursor().described(cursor))
        .param(Param::query::<u64>("after", "Instead of a cursor: begin behind the change with this number."))
        .answers::<PageView<ChangeView<'_>>>(
            StatusCode::OK,
            "Changes; none if there are no more for now.",
            json!({"data": [ChangeView::example()], "next_cursor": "AQAAAAAAAAAC"}),
        )
        .errors(&[Code::ChangesExpired])
}

pub(crate) async fn changes(
    State(api): State<Api>,
    path: CollectionPath,
    mut query: Query,
) -> Result<Answer, Problem> {
    let limit = take_limit(&mut query, DATA_MAX)?;
    let cursor = query.take("cursor");
    let number = query.take("after");
    query.finish()?;
    let (collection, store) = find::store(&api, &path).await?;
    // By the store's id: a collection made anew under the same id is another feed.
    let feed = format!("changes of {}", collection.store_id);
    let after = match (cursor.as_deref(), number) {
        (None, Some(number)) => {
            let number = number.parse().map_err(|_| Query::invalid("after", "is the number of a change"))?;
            ChangeCursor::behind(number)
        }
        (Some(_), Some(_)) => return Err(Query::invalid("after", "goes without `cursor`, which says more")),
        (None | Some("0"), None) => ChangeCursor::START,
        (Some(token), None) => place(&api.signer, &feed, token)?,
    };
    let max_bytes = api.limits.page_bytes;
    // The page as it is read, and as it is written out.
    let _memory = api.memory.take(2 * max_bytes).await;
    match store.changes(after, limit, max_bytes).await? {
        ChangePage::Changes { changes, next } => {
            let data = changes.iter().map(ChangeView::new).collect::<Result<_, _>>()?;
            let place = [next.after.to_be_bytes(), next.floor.to_be_bytes()].concat();
            let next_cursor = Some(api.signer.sign(&feed, &place));
            Ok(Answer::ok(&PageView { data, next_cursor }))
        }
        ChangePage::Expired { compacted_through } => {
            let detail = format!(
                "The history up to change {compacted_through} has been removed. Begin again with `cursor=0`, which reads \
                 the present state, and drop every record that it does not bring."
            );
            Err(Problem::new(Code::ChangesExpired, detail))
        }
    }
}

fn place(signer: &Signer, feed: &str, token: &str) -> Result<ChangeCursor, Problem> {
    let place = signer.open(feed, token)?;
    let (after, floor) = place.split_first_chunk().ok_or_else(pages::invalid)?;
    let floor = floor.try_into().map_err(|_| pages::invalid())?;
    Ok(ChangeCursor { after: u64::from_be_bytes(*after), floor: u64::from_be_bytes(floor) })
}
