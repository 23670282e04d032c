//! `inlet connectors state`: how far a connector has read.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;

use super::Connectors;
use crate::args::StateCommand;
use crate::client::{CallError, Query};
use crate::commands::json_input;
use crate::commands::listing::say_done;
use crate::errors::CommandError;
use crate::output::numbers;
use crate::output::table::{Align, Table, terminal_width};
use crate::output::{OutputFormat, print, say};

/// The longest page of scopes.
const MOST_SCOPES: &str = "1000";

/// The state of a connector, or a page of it.
#[derive(Debug, Default, Deserialize, Serialize)]
struct State {
    streams: Vec<StreamState>,
    #[serde(default, skip_serializing)]
    next_cursor: Option<String>,
}

#[derive(Debug, Deserialize, Serialize)]
struct StreamState {
    name: String,
    /// As they are written: no digit of a cursor is lost.
    scopes: Vec<Box<RawValue>>,
}

impl State {
    /// Adds the next page, which may go on within a stream.
    fn add(&mut self, page: Self) {
        for stream in page.streams {
            match self.streams.last_mut().filter(|last| last.name == stream.name) {
                Some(last) => last.scopes.extend(stream.scopes),
                None => self.streams.push(stream),
            }
        }
    }
}

/// A scope, as far as people see it.
#[derive(Debug, Deserialize)]
struct ScopeState {
    #[serde(default)]
    scope: String,
    #[serde(default)]
    cursor: Value,
    #[serde(default)]
    records: Value,
    #[serde(default)]
    listing: Value,
}

/// Does what the command says.
pub(super) async fn run(connectors: &Connectors<'_>, command: &StateCommand) -> Result<(), CommandError> {
    match command {
        StateCommand::Get(one) => show(&whole(connectors, &one.connector).await?, connectors.output),
        StateCommand::Set { connector, state } => {
            // As it is written: no digit of a cursor is lost.
            let text = json_input::text("the state", state)?;
            let state: Box<RawValue> = serde_json::from_str(&text)
                .map_err(|error| CommandError::input("input.json", "the state is not JSON").because(error))?;
            let path = path(connectors, &connector.connector).await?;
            connectors.client.put(&path, state.get().to_owned()).await?;
            let sentence = format!("connector {} goes on from there", connector.connector);
            say_done(&sentence, connectors.output)
        }
        StateCommand::Reset(one) => {
            let path = path(connectors, &one.connector).await?;
            connectors.client.delete(&path).await?;
            let sentence = format!("connector {} forgets how far it has read", one.connector);
            say_done(&sentence, connectors.output)
        }
    }
}

/// All pages of a state, put together.
async fn whole(connectors: &Connectors<'_>, connector: &str) -> Result<State, CommandError> {
    let path = path(connectors, connector).await?;
    let mut state = State::default();
    let mut cursor: Option<String> = None;
    loop {
        let query = Query::default().with("limit", Some(MOST_SCOPES)).with("cursor", cursor.as_deref());
        let mut page: State = connectors.client.get(&query.of(&path)).await?.read()?;
        cursor = page.next_cursor.take();
        state.add(page);
        if cursor.is_none() {
            return Ok(state);
        }
    }
}

async fn path(connectors: &Connectors<'_>, connector: &str) -> Result<String, CommandError> {
    Ok(format!("{}/state", connectors.path(connector).await?))
}

fn show(state: &State, output: OutputFormat) -> Result<(), CommandError> {
    let text = match output {
        OutputFormat::Json => format!("{}\n", json_of(state)?),
        OutputFormat::Table if state.streams.is_empty() => {
            say("nothing has been read yet");
            return Ok(());
        }
        OutputFormat::Table => table(state, terminal_width())?,
    };
    Ok(print(&text)?)
}

fn json_of(state: &State) -> Result<String, CommandError> {
    serde_json::to_string(state).map_err(unreadable)
}

fn table(state: &State, width: Option<usize>) -> Result<String, CommandError> {
    let json = |value: &Value| if value.is_null() { String::new() } else { value.to_string() };
    let columns = [
        ("stream", Align::Left),
        ("scope", Align::Left),
        ("records", Align::Right),
        ("cursor", Align::Left),
        ("listing", Align::Left),
    ];
    let mut table = Table::new(columns);
    for stream in &state.streams {
        for scope in &stream.scopes {
            let scope: ScopeState = serde_json::from_str(scope.get()).map_err(unreadable)?;
            let records = scope.records.as_u64().map_or_else(String::new, numbers::count);
            let cells =
                [stream.name.clone(), scope.scope, records, json(&scope.cursor), json(&scope.listing)];
            table.row(cells);
        }
    }
    Ok(table.render(width))
}

fn unreadable(error: serde_json::Error) -> CommandError {
    CallError::Unreadable(Box::new(error)).into()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn page(json: Value) -> State {
        serde_json::from_value(json).unwrap()
    }

    #[test]
    fn each_scope_of_each_stream_is_a_row() {
        let state = page(json!({"streams": [
            {"name": "orders", "scopes": [
                {"scope": "a.csv", "cursor": null, "records": 1458, "listing": {"status": "gone"}},
                {"scope": "b.csv", "cursor": {"at": 7}},
            ]},
            {"name": "people", "scopes": [{"scope": "", "cursor": "2026", "records": 0, "listing": null}]},
        ]}));
        insta::assert_snapshot!(table(&state, None).unwrap(), @r#"
        stream  scope  records  cursor    listing
        orders  a.csv    1,458            {"status":"gone"}
        orders  b.csv           {"at":7}
        people               0  "2026"
        "#);
    }

    #[test]
    fn pages_that_part_a_stream_are_put_together() {
        let mut state = page(
            json!({"streams": [{"name": "a", "scopes": [1]}, {"name": "b", "scopes": [2]}], "next_cursor": "c"}),
        );
        state.add(page(json!({"streams": [{"name": "b", "scopes": [3]}, {"name": "c", "scopes": [4]}]})));
        assert_eq!(
            json_of(&state).unwrap(),
            r#"{"streams":[{"name":"a","scopes":[1]},{"name":"b","scopes":[2,3]},{"name":"c","scopes":[4]}]}"#
        );
    }
}
