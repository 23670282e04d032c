//! `inlet types`: the connector types of a server.

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::listing::show;
use crate::args::{TypesArgs, TypesCommand};
use crate::client::objects::Page;
use crate::client::{Client, segment};
use crate::errors::CommandError;
use crate::output::json::JsonLines;
use crate::output::object::{Column, table};
use crate::output::table::{Align, Table, terminal_width};
use crate::output::{OutputFormat, print, printable};
use crate::session::{Need, Session};

const ALL: &str = "/v1/connector-types";

const COLUMNS: &[Column] = &[Column::text("type", "/type"), Column::text("summary", "/summary")];

/// Runs the command.
pub(crate) async fn run(args: &TypesArgs) -> Result<(), CommandError> {
    // A program knows its own types without any data, but they are asked for where they will be used.
    let session = Session::open(&args.api.server, Need::Present).await?;
    let output = args.api.output.output;
    let result = match &args.command {
        TypesCommand::List => list(session.client(), output).await,
        TypesCommand::Get { kind } => get(session.client(), kind, output).await,
    };
    session.close().await;
    result
}

async fn list(client: &Client, output: OutputFormat) -> Result<(), CommandError> {
    let body = client.get(ALL).await?;
    match output {
        OutputFormat::Json => {
            let mut lines = JsonLines::stdout();
            let page: Page<Box<RawValue>> = body.read()?;
            page.data.iter().try_for_each(|kind| lines.write(kind.get()))?;
            lines.flush()?;
        }
        OutputFormat::Table => print(&table(COLUMNS, &body.read::<Page<Value>>()?.data, terminal_width()))?,
    }
    Ok(())
}

/// A connector type, as far as people see it.
#[derive(Debug, Deserialize)]
struct ConnectorType {
    #[serde(rename = "type")]
    name: String,
    #[serde(default)]
    summary: String,
    #[serde(default)]
    config_schema: Value,
    #[serde(default)]
    docs: Option<String>,
}

async fn get(client: &Client, kind: &str, output: OutputFormat) -> Result<(), CommandError> {
    let body = client.get(&format!("{ALL}/{}", segment(kind))).await?;
    if output == OutputFormat::Json {
        return show(&body, output);
    }
    let kind: ConnectorType = body.read()?;
    print(&page(&kind, terminal_width()))?;
    Ok(())
}

fn page(kind: &ConnectorType, width: Option<usize>) -> String {
    let title =
        if kind.summary.is_empty() { kind.name.clone() } else { format!("{}: {}", kind.name, kind.summary) };
    let mut text = format!("{}\n\nconfig:\n", printable(&title));
    text.push_str(&fields(&kind.config_schema, width));
    if let Some(docs) = &kind.docs {
        text.push('\n');
        text.push_str(printable(docs).trim_end());
        text.push('\n');
    }
    text
}

/// The fields of a config, as its JSON Schema describes them.
fn fields(schema: &Value, width: Option<usize>) -> String {
    let Some(properties) = schema.get("properties").and_then(Value::as_object).filter(|all| !all.is_empty())
    else {
        return "no fields\n".to_owned();
    };
    let required: Vec<&str> = schema
        .get("required")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    let mut table = Table::new(["field", "type", "", "description"].map(|name| (name, Align::Left)));
    for (name, field) in properties {
        let need = if required.contains(&name.as_str()) { "required" } else { "" };
        let description = field.get("description").and_then(Value::as_str).unwrap_or_default();
        table.row([name, &type_of(field), need, description]);
    }
    table.render(width)
}

fn type_of(field: &Value) -> String {
    let names = |value: &Value| match value {
        Value::String(name) => name.clone(),
        Value::Array(several) => several
            .iter()
            .map(|one| one.as_str().map_or_else(|| one.to_string(), str::to_owned))
            .collect::<Vec<_>>()
            .join(" | "),
        other => other.to_string(),
    };
    match (field.get("enum"), field.get("type")) {
        (Some(choices), _) => names(choices),
        (None, Some(kind)) if field.get("writeOnly") == Some(&Value::Bool(true)) => {
            format!("{}, secret", names(kind))
        }
        (None, Some(kind)) => names(kind),
        (None, None) => "any".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_type_is_shown_with_the_fields_of_its_config() {
        let kind: ConnectorType = serde_json::from_value(json!({
            "type": "files", "summary": "Files on the server's disk.", "accepts_push": false, "docs": "# Files\n\nReads files.\n",
            "config_schema": {"type": "object", "required": ["path"], "properties": {
                "path": {"type": "string", "description": "A path or a glob."},
                "format": {"type": "string", "enum": ["csv", "json"]},
                "password": {"type": "string", "writeOnly": true},
                "limit": {"type": ["integer", "null"]},
                "anything": {},
            }},
        }))
        .unwrap();
        insta::assert_snapshot!(page(&kind, None), @r"
        files: Files on the server's disk.

        config:
        field     type                      description
        anything  any
        format    csv | json
        limit     integer | null
        password  string, secret
        path      string          required  A path or a glob.

        # Files

        Reads files.
        ");
        let bare: ConnectorType = serde_json::from_value(json!({"type": "external_source"})).unwrap();
        insta::assert_snapshot!(page(&bare, None), @r"
        external_source

        config:
        no fields
        ");
    }
}
