//! `GET …/sync/{sync_id}/logs`: the log of a sync, oldest line first.
//!
//! ```text
//! curl http://127.0.0.1:8080/v1/spaces/default/collections/default/connectors/con_01k…/sync/syn_01k…/logs?level=warning
//! {"data":[{"seq":4,"at":"…","level":"warning","stream":null,"code":"source.warning","message":"…"}],"next_cursor":null}
//! ```

use axum::extract::State;
use inlet_model::log::{LogLevel, LogLine};
use inlet_store::collection::LogQuery;
use serde_json::{Value, json};

use crate::answer::Answer;
use crate::app::Api;
use crate::find;
use crate::numbered::{Numbered, take_order};
use crate::operation::{Access, Operation, Param, path};
use crate::pages::DATA_MAX;
use crate::paths::SyncPath;
use crate::problem::Problem;
use crate::query::Query;

pub(crate) fn operation() -> Operation {
    Operation::get("list_sync_log", path::SYNC_LOGS, Access::Read)
        .summary("Read the log of a sync")
        .description(
            "What happened in it, line by line; empty before it has begun. Of a long log the first five hundred lines and the \
             last are kept, and a line between them says how many are left out. The page `docs/sync-logs.md` lists the codes.",
        )
        .param(Param::query::<LogLevel>("level", "Only lines that are so grave or graver."))
        .param(Param::order_from_oldest())
        .paged(DATA_MAX)
        .answers_page::<LogLine>("A page of lines.", example())
}

pub(crate) async fn list(
    State(api): State<Api>,
    path: SyncPath,
    mut query: Query,
) -> Result<Answer, Problem> {
    let level = take_level(&mut query)?;
    let order = take_order(&mut query)?;
    let listed = Numbered::take(&api.signer, &format!("{path}/logs"), query)?;
    let sync = find::sync(&api, &path).await?;
    let store = api.stores.open(sync.store_id).await?;
    let asked = LogQuery { after: listed.after, order, level, limit: listed.read() };
    let lines = store.log(sync.id, asked).await?;
    Ok(Answer::ok(&listed.page(&api.signer, lines, |line| line.seq)))
}

/// `level`: the least grave that is shown.
fn take_level(query: &mut Query) -> Result<LogLevel, Problem> {
    let Some(name) = query.narrow("level") else { return Ok(LogLevel::Info) };
    LogLevel::from_name(&name).ok_or_else(|| Query::invalid("level", "is `info`, `warning` or `error`"))
}

/// One for the documents.
pub(super) fn example() -> Value {
    json!({
        "seq": 2, "at": "2026-01-01T07:00:00.001Z", "level": "info", "stream": "airlines",
        "code": "stream.begun", "message": "`airlines` is read from its beginning.",
    })
}
