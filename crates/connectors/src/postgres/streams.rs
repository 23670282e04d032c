//! Whether the database can be read, and which tables and views it has.

use std::time::Duration;

use inlet_model::StreamName;
use inlet_source::{ErrorKind, SourceError, StreamSpec};
use serde_json::{Value, json};

use super::client::Client;
use super::config::Settings;
use super::kinds::{Kind, nullable};
use super::tables::{self, Table, Wanted};
use crate::update_times::is_update_time;

/// How long the server may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// Whether the role can log in and read something.
pub(super) async fn check(settings: &Settings) -> Result<(), SourceError> {
    let found = within(found(settings)).await?;
    if found.is_empty() {
        let message = "there is no table or view that the role may read";
        return Err(SourceError::new(ErrorKind::Denied, "check database", message)
            .with("user", &settings.user)
            .with("database", &settings.database)
            .hint("GRANT USAGE ON SCHEMA … and GRANT SELECT ON ALL TABLES IN SCHEMA … let it, or choose other `schemas`"));
    }
    Ok(())
}

/// The tables and views that the role may read, by name.
pub(super) async fn discover(settings: &Settings) -> Result<Vec<StreamSpec>, SourceError> {
    let found = within(found(settings)).await?;
    Ok(found.iter().filter_map(spec).collect())
}

async fn found(settings: &Settings) -> Result<Vec<Table>, SourceError> {
    let mut client = Client::connect(settings).await?;
    tables::find(&mut client, &Wanted::All(settings.schemas.as_deref())).await
}

async fn within<T>(work: impl Future<Output = Result<T, SourceError>>) -> Result<T, SourceError> {
    tokio::time::timeout(PATIENCE, work).await.unwrap_or_else(|_| {
        Err(SourceError::new(
            ErrorKind::TimedOut,
            "read catalogs",
            "the server has not answered within a minute",
        ))
    })
}

/// A table as discovery shows it; one whose name is no stream's is left out.
fn spec(table: &Table) -> Option<StreamSpec> {
    Some(StreamSpec {
        name: StreamName::new(&table.stream()).ok()?,
        schema: schema(table),
        primary_key: table.key.clone(),
        cursor_field: cursor_field(table),
        estimated_records: table.estimate,
    })
}

/// A column that says when its row was last written and is indexed. A key that only grows is none: by it changes of
/// rows would stay unseen.
fn cursor_field(table: &Table) -> Option<String> {
    let is_time = |kind: &Kind| matches!(kind, Kind::Moment { .. } | Kind::Integer);
    let candidates =
        table.columns.iter().filter(|column| is_update_time(&column.name) && is_time(&column.kind));
    candidates.map(|column| &column.name).find(|name| table.indexed.contains(*name)).cloned()
}

fn schema(table: &Table) -> Value {
    let properties = table.columns.iter().map(|column| {
        let own = column.kind.schema();
        let mut schema = if column.is_not_null { own } else { nullable(own) };
        schema["description"] = json!(column.declared);
        (column.name.clone(), schema)
    });
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "properties": Value::Object(properties.collect()),
    })
}
