//! `PUT …/connectors/{connector_id}/state`: sets the cursors of streams. Each stream that is named gets exactly the cursors that
//! are given; a scope without one is listed by the next sync. Streams that are not named stay as they are. 409 while a sync
//! is under way.
//!
//! ```text
//! curl -X PUT http://127.0.0.1:8080/v1/spaces/default/collections/default/connectors/con_01k…/state \
//!   -H 'Content-Type: application/json' -d '{"streams": [{"name": "people", "scopes": [{"cursor": {"line": 7}}]}]}'
//! ```

use std::collections::BTreeMap;

use axum::extract::State;
use inlet_model::fields::{FieldError, FieldErrors, Fields};
use inlet_model::{Scope, StreamName};
use inlet_store::catalog::Connector;
use inlet_store::collection::StreamCursors;
use schemars::JsonSchema;
use serde_json::{Value, json};

use super::{REFUSALS, answer, unless_removing};
use crate::answer::Answer;
use crate::app::Api;
use crate::body::Put;
use crate::find;
use crate::operation::{Access, Operation, every_member_optional, path};
use crate::paths::ConnectorPath;
use crate::problem::Problem;
use crate::query::NoQuery;

/// The most streams that one request names, and the most scopes that it gives each of them.
const MAX: usize = 10_000;
/// The longest cursor, in bytes of JSON.
const CURSOR_MAX: usize = 64 << 10;
/// The longest name of a scope, in bytes: that of a long path.
const SCOPE_MAX: usize = 4096;

/// Cursors to be set.
#[derive(JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "it only says what the body is; `read` reads it field by field")]
struct NewState {
    /// Each stream gets exactly the cursors that are given. At most 10,000.
    streams: Vec<NewStreamState>,
    /// Only `null`: several pages are put together before they are sent back.
    next_cursor: Option<()>,
}

/// The cursors of a stream.
#[derive(JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "it only says what the body is; `read` reads it field by field")]
struct NewStreamState {
    /// Its name.
    name: StreamName,
    /// Its scopes that have a cursor; every other is listed by the next sync. At most 10,000.
    scopes: Vec<NewScopeState>,
}

/// The cursor of a scope. What `get_state` shows besides is passed over.
#[derive(JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(transform = every_member_optional)]
#[expect(dead_code, reason = "it only says what the body is; `read` reads it field by field")]
struct NewScopeState {
    /// Its name; the whole if it is left out or `null`.
    scope: Option<Scope>,
    /// Where the next sync goes on reading; `null`: it lists everything.
    cursor: Value,
    /// Passed over.
    records: Value,
    /// Passed over.
    listed_by: Value,
    /// Passed over.
    listing: Value,
}

pub(crate) fn operation() -> Operation {
    Operation::put("set_state", path::STATE, Access::Write)
        .summary("Set how far a connector has been read")
        .description(
            "Streams that are not named stay as they are, and so do all records. An open listing is dropped.",
        )
        .body::<NewState>(json!({"streams": [{"name": "people", "scopes": [{"cursor": {"line": 7}}]}]}))
        .answers_nothing("It is set.")
        .errors(REFUSALS)
}

pub(crate) async fn set(
    State(api): State<Api>,
    path: ConnectorPath,
    _: NoQuery,
    Put(body): Put,
) -> Result<Answer, Problem> {
    let connector = find::connector(&api, &path).await?;
    let streams = read(body, &connector)?;
    unless_removing(&api, &connector).await?;
    let store = api.stores.open(connector.store_id).await?;
    let effect = store.set_cursors(connector.id, streams).await?;
    answer(&api, &path, &connector, effect).await
}

fn read(body: Value, connector: &Connector) -> Result<Vec<StreamCursors>, FieldErrors> {
    let mut fields = Fields::new(body)?;
    let mut streams: Vec<StreamCursors> = Vec::new();
    for (pointer, item) in items(&mut fields, "streams") {
        match read_stream(&pointer, item, connector) {
            Ok(stream) if streams.iter().any(|known| known.stream == stream.stream) => {
                let detail = format!("the stream `{}` stands here twice", stream.stream);
                fields.refuse_all(one(format!("{pointer}/name"), "field.duplicate", detail));
            }
            Ok(stream) => streams.push(stream),
            Err(errors) => fields.refuse_all(errors),
        }
    }
    // An answer of GET can be sent back as it is, but only if it is whole.
    if fields.take("next_cursor").is_some_and(|next| !next.is_null()) {
        let detail =
            "this is one page of several: put their streams and scopes together, and leave `next_cursor` out";
        fields.refuse("next_cursor", "field.unsupported", detail);
    }
    fields.finish()?;
    Ok(streams)
}

fn read_stream(pointer: &str, item: Value, connector: &Connector) -> Result<StreamCursors, FieldErrors> {
    let mut fields = Fields::at(pointer.to_owned(), item)?;
    let name = fields.required_string("name");
    let name = name.and_then(|name| {
        StreamName::new(&name).map_err(|error| fields.refuse("name", "field.format", error.to_string())).ok()
    });
    if let (Some(name), Some(selected)) = (&name, &connector.streams)
        && selected.iter().all(|settings| settings.name != *name)
    {
        let names: Vec<String> = selected.iter().map(|settings| format!("`{}`", settings.name)).collect();
        let detail = format!("no sync reads `{name}`: the connector selects {}", names.join(", "));
        fields.refuse("name", "field.choice", detail);
    }
    let mut cursors = BTreeMap::new();
    for (pointer, item) in items(&mut fields, "scopes") {
        match read_scope(&pointer, item) {
            Ok((scope, _)) if cursors.contains_key(&scope) => {
                let detail = format!("the scope `{}` stands here twice", scope.as_str());
                fields.refuse_all(one(format!("{pointer}/scope"), "field.duplicate", detail));
            }
            Ok((scope, cursor)) => drop(cursors.insert(scope, cursor)),
            Err(errors) => fields.refuse_all(errors),
        }
    }
    fields.finish()?;
    Ok(StreamCursors { stream: name.expect("its absence was refused"), cursors })
}

fn read_scope(pointer: &str, item: Value) -> Result<(Scope, Option<Value>), FieldErrors> {
    let mut fields = Fields::at(pointer.to_owned(), item)?;
    let scope = fields.string("scope").unwrap_or_default();
    if scope.len() > SCOPE_MAX {
        let detail = format!("`scope` has at most {SCOPE_MAX} bytes, found {}", scope.len());
        fields.refuse("scope", "field.length", detail);
    }
    let cursor = fields.take("cursor");
    if cursor.is_none() {
        fields.refuse("cursor", "field.required", "`cursor` is required; `null` has the scope listed again");
    }
    let cursor = cursor.filter(|cursor| !cursor.is_null());
    if cursor.as_ref().is_some_and(|cursor| cursor.to_string().len() > CURSOR_MAX) {
        fields.refuse("cursor", "field.length", format!("`cursor` has at most {CURSOR_MAX} bytes of JSON"));
    }
    // What GET shows besides is passed over, so that its answer can be sent back.
    for shown in ["records", "listed_by", "listing"] {
        fields.take(shown);
    }
    fields.finish()?;
    Ok((Scope::new(&scope), cursor))
}

/// The items of an array, each with where it stands.
fn items(fields: &mut Fields, name: &'static str) -> Vec<(String, Value)> {
    let pointer = fields.pointer_to(name);
    match fields.take(name) {
        None => fields.refuse(name, "field.required", format!("`{name}` is required")),
        Some(Value::Array(items)) if items.len() <= MAX => {
            let place = |(index, item)| (format!("{pointer}/{index}"), item);
            return items.into_iter().enumerate().map(place).collect();
        }
        Some(Value::Array(items)) => {
            let detail = format!("`{name}` has at most {MAX} entries, found {}", items.len());
            fields.refuse(name, "field.length", detail);
        }
        Some(_) => fields.refuse(name, "field.type", "expected an array"),
    }
    Vec::new()
}

fn one(pointer: String, code: &'static str, detail: String) -> FieldErrors {
    FieldErrors(vec![FieldError { pointer, code, detail }])
}
