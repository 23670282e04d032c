//! `inlet connectors state`: how far a connector has read.

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::Connectors;
use crate::args::StateCommand;
use crate::client::Body;
use crate::commands::json_input;
use crate::commands::listing::{say_deleted, show};
use crate::errors::CommandError;
use crate::output::table::{Align, Table, terminal_width};
use crate::output::{OutputFormat, print, say};

/// The state of a connector, as far as people see it.
#[derive(Debug, Deserialize)]
struct State {
    streams: Vec<StreamState>,
}

#[derive(Debug, Deserialize)]
struct StreamState {
    name: String,
    #[serde(default)]
    scopes: Vec<ScopeState>,
}

#[derive(Debug, Deserialize)]
struct ScopeState {
    #[serde(default)]
    scope: String,
    #[serde(default)]
    cursor: Value,
    #[serde(default)]
    listing: Value,
}

/// Does what the command says.
pub(super) async fn run(connectors: &Connectors<'_>, command: &StateCommand) -> Result<(), CommandError> {
    match command {
        StateCommand::Get(one) => {
            let path = path(connectors, &one.connector).await?;
            show_state(&connectors.client.get(&path).await?, connectors.output)
        }
        StateCommand::Set { connector, state } => {
            // As it is written: no digit of a cursor is lost.
            let text = json_input::text("the state", state)?;
            let state: Box<RawValue> = serde_json::from_str(&text)
                .map_err(|error| CommandError::input("input.json", "the state is not JSON").because(error))?;
            let path = path(connectors, &connector.connector).await?;
            let body = connectors.client.put(&path, state.get().to_owned()).await?;
            show_state(&body, connectors.output)
        }
        StateCommand::Reset(one) => {
            let path = path(connectors, &one.connector).await?;
            connectors.client.delete(&path).await?;
            say_deleted(&format!("connector {} forgets what it has read", one.connector), connectors.output)
        }
    }
}

async fn path(connectors: &Connectors<'_>, connector: &str) -> Result<String, CommandError> {
    Ok(format!("{}/state", connectors.path(connector).await?))
}

fn show_state(body: &Body, output: OutputFormat) -> Result<(), CommandError> {
    if output == OutputFormat::Json {
        return show(body, output);
    }
    let state: State = body.read()?;
    if state.streams.is_empty() {
        say("nothing has been read yet");
        return Ok(());
    }
    print(&table(&state, terminal_width()))?;
    Ok(())
}

fn table(state: &State, width: Option<usize>) -> String {
    let json = |value: &Value| if value.is_null() { String::new() } else { value.to_string() };
    let mut table = Table::new(["stream", "scope", "cursor", "listing"].map(|name| (name, Align::Left)));
    for stream in &state.streams {
        for scope in &stream.scopes {
            table.row([stream.name.as_str(), &scope.scope, &json(&scope.cursor), &json(&scope.listing)]);
        }
    }
    table.render(width)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn each_scope_of_each_stream_is_a_row() {
        let state = json!({"streams": [
            {"name": "orders", "scopes": [{"scope": "a.csv", "cursor": null, "listing": {"generation": 3}}, {"scope": "b.csv", "cursor": {"at": 7}}]},
            {"name": "people", "scopes": [{"scope": "", "cursor": "2026", "listing": null}]},
        ]});
        insta::assert_snapshot!(table(&serde_json::from_value(state).unwrap(), None), @r#"
        stream  scope  cursor    listing
        orders  a.csv            {"generation":3}
        orders  b.csv  {"at":7}
        people         "2026"
        "#);
    }
}
