//! `GET …/sync/{sync_id}/rejected`: the records that a sync refused, each with its reason.
//!
//! ```text
//! curl http://127.0.0.1:8080/v1/spaces/default/collections/default/connectors/con_01k…/sync/syn_01k…/rejected?code=json.syntax
//! {"data":[{"seq":1,"stream":"people","scope":"people.jsonl","position":7,"code":"json.syntax","reason":"…","sample":"…"}],…}
//! ```

use axum::extract::State;
use inlet_model::StreamName;
use inlet_store::collection::{RejectedQuery, RejectedRecord};
use serde_json::json;

use crate::answer::Answer;
use crate::app::Api;
use crate::find;
use crate::numbered::Numbered;
use crate::operation::{Access, Operation, Param, path};
use crate::pages::DATA_MAX;
use crate::paths::SyncPath;
use crate::problem::Problem;
use crate::query::Query;

/// No code is longer.
const CODE_MAX: usize = 100;

pub(crate) fn operation() -> Operation {
    let example = json!({
        "seq": 1, "stream": "people", "scope": "people.jsonl", "position": 7, "code": "json.syntax",
        "reason": "at byte 1: expected a value", "sample": "{\"id\": oops",
    });
    Operation::get("list_rejected_records", path::SYNC_REJECTED, Access::Read)
        .summary("List the records that a sync refused")
        .description(
            "In the order in which they were refused, each with its reason and its start. The first 10,000 of a sync are kept.",
        )
        .param(Param::query::<StreamName>("stream", "Only those of this stream."))
        .param(Param::query::<String>("code", "Only those that were refused with this code."))
        .paged(DATA_MAX)
        .answers_page::<RejectedRecord>("A page of refused records.", example)
}

pub(crate) async fn list(
    State(api): State<Api>,
    path: SyncPath,
    mut query: Query,
) -> Result<Answer, Problem> {
    let stream = query.narrow("stream").map(|name| StreamName::new(&name)).transpose();
    let stream = stream.map_err(|error| Query::invalid("stream", &format!("is no stream name: {error}")))?;
    let code = query.narrow("code");
    if code.as_ref().is_some_and(|code| code.is_empty() || code.len() > CODE_MAX) {
        return Err(Query::invalid("code", &format!("is a code, of 1 to {CODE_MAX} characters")));
    }
    let listed = Numbered::take(&api.signer, &format!("{path}/rejected"), query)?;
    let sync = find::sync(&api, &path).await?;
    let store = api.stores.open(sync.store_id).await?;
    let asked = RejectedQuery { after: listed.after.unwrap_or(0), limit: listed.read(), stream, code };
    let records = store.rejected(sync.id, asked).await?;
    Ok(Answer::ok(&listed.page(&api.signer, records, |record| record.seq)))
}
