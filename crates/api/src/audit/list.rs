//! `GET /v1/audit`: who changed what, newest first.
//!
//! ```text
//! curl 'http://127.0.0.1:8080/v1/audit?action=connector.update'
//! {"data":[{"id":"aud_01k…","at":"…","actor":"key_01k…","action":"connector.update",…}],"next_cursor":null}
//! ```

use axum::extract::State;
use inlet_store::catalog::{Action, Actor, AuditQuery};
use schemars::json_schema;

use super::view::AuditEntryView;
use crate::answer::Answer;
use crate::app::Api;
use crate::auth::Caller;
use crate::operation::{Access, Operation, Param, path};
use crate::pages::{Listed, PageView};
use crate::problem::Problem;
use crate::query::Query;

const ACTOR: &str = "is the id of a key, `environment`, `local` or `none`";

pub(crate) fn operation() -> Operation {
    let actors = json_schema!({
        "type": "string",
        "pattern": "^(key_[0-7][0-9a-hjkmnp-tv-z]{25}|environment|local|none)$",
    });
    let actions: Vec<&str> = Action::ALL.iter().map(|action| action.as_str()).collect();
    let actions = json_schema!({"type": "string", "enum": actions});
    Operation::get("list_audit", path::AUDIT, Access::Admin)
        .summary("Read the audit log")
        .description("Changes of what exists and is wanted. Records are data, and have the change feed of their collection.")
        .for_bound_keys()
        .param(Param::written("actor", "Only what this one asked for.", actors))
        .param(Param::written("action", "Only changes of this kind.", actions))
        .listed()
        .answers_page::<AuditEntryView>("A page of entries.", AuditEntryView::example())
}

pub(crate) async fn list(
    State(api): State<Api>,
    caller: Caller,
    mut query: Query,
) -> Result<Answer, Problem> {
    let actor = query.take("actor").map(|text| text.parse::<Actor>()).transpose();
    let actor = actor.map_err(|_| Query::invalid("actor", ACTOR))?;
    let action = query.take("action").map(|text| text.parse::<Action>()).transpose();
    let action = action.map_err(|_| Query::invalid("action", &known_actions()))?;

    let actor_name = actor.map_or_else(String::new, |actor| actor.to_string());
    let action_name = action.map_or("", Action::as_str);
    let list = caller.list_name(&format!("audit actor={actor_name} action={action_name}"));
    let listed = Listed::take(&api.signer, &list, query)?;
    let page = listed.query.clone();
    let space_id = caller.space_id;
    let page = api.catalog.audit_list(AuditQuery { space_id, actor, action, page }).await?;
    let next_cursor = page.next.map(|place| listed.token(&api.signer, &place));
    let data = page.items.into_iter().map(AuditEntryView::from).collect();
    Ok(Answer::ok(&PageView { data, next_cursor }))
}

fn known_actions() -> String {
    let names: Vec<String> = Action::ALL.iter().map(|action| format!("`{action}`")).collect();
    format!("is one of {}", names.join(", "))
}
