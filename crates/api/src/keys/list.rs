//! `GET /v1/keys`: the keys, newest first.
//!
//! ```text
//! curl http://127.0.0.1:8080/v1/keys
//! {"data":[{"id":"key_01k…","name":"admin","role":"admin","space_id":null,…}],"next_cursor":null}
//! ```

use axum::extract::State;

use super::view::KeyView;
use crate::answer::Answer;
use crate::app::Api;
use crate::auth::Caller;
use crate::operation::{Access, Operation, path};
use crate::pages::{Listed, PageView};
use crate::problem::Problem;
use crate::query::Query;

pub(crate) fn operation() -> Operation {
    Operation::get("list_keys", path::KEYS, Access::Admin)
        .summary("List the API keys")
        .for_bound_keys()
        .listed()
        .answers_page::<KeyView>("A page of keys.", KeyView::example())
}

pub(crate) async fn list(State(api): State<Api>, caller: Caller, query: Query) -> Result<Answer, Problem> {
    let list = caller.list_name("keys");
    let listed = Listed::take(&api.signer, &list, query)?;
    let page = api.catalog.key_list(caller.space_id.as_ref(), listed.query.clone()).await?;
    let next_cursor = page.next.map(|place| listed.token(&api.signer, &place));
    let data = page.items.into_iter().map(|key| KeyView::new(&api, key)).collect();
    Ok(Answer::ok(&PageView { data, next_cursor }))
}
