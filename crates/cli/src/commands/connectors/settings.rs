//! What the arguments say of a connector, as the API takes it.

use serde_json::{Map, Value, json};

use crate::args::{ConnectorsCommand, CreateConnector, SettingsArgs, UpdateConnector};
use crate::commands::json_input::{assign, object, put, value};
use crate::errors::CommandError;

/// The body of the request that makes or changes a connector; nothing for all others.
pub(super) type Settings = Value;

/// Reads what the command says.
pub(super) fn of(command: &ConnectorsCommand) -> Result<Settings, CommandError> {
    match command {
        ConnectorsCommand::Create(create) => of_new(create),
        ConnectorsCommand::Update(update) => of_change(update),
        _ => Ok(Value::Null),
    }
}

fn of_new(create: &CreateConnector) -> Result<Value, CommandError> {
    let mut body = read(&create.settings, &[])?;
    body.insert("name".to_owned(), json!(create.name));
    body.insert("type".to_owned(), json!(create.kind));
    Ok(Value::Object(body))
}

fn of_change(update: &UpdateConnector) -> Result<Value, CommandError> {
    let mut body = read(&update.settings, &update.unset)?;
    if let Some(name) = &update.name {
        body.insert("name".to_owned(), json!(name));
    }
    if body.is_empty() {
        return Err(CommandError::input("input.nothing", "nothing is said that could be changed")
            .hint("say --name, --set, --unset, --config, --streams, --schedule or --policy")
            .into());
    }
    Ok(Value::Object(body))
}

fn read(settings: &SettingsArgs, unset: &[String]) -> Result<Map<String, Value>, CommandError> {
    let texts = [&settings.config, &settings.streams, &settings.schedule, &settings.policy];
    if texts.into_iter().flatten().filter(|text| *text == "-").count() > 1 {
        return Err(
            CommandError::input("input.json", "standard input can be read for one option only").into()
        );
    }
    let mut body = Map::new();
    let mut config = match &settings.config {
        Some(text) => object("--config", text)?,
        None => Map::new(),
    };
    for assignment in &settings.set {
        assign(&mut config, assignment)?;
    }
    for field in unset {
        put(&mut config, field, Value::Null).map_err(|message| CommandError::input("input.set", message))?;
    }
    if settings.config.is_some() || !config.is_empty() {
        body.insert("config".to_owned(), Value::Object(config));
    }
    if let Some(text) = &settings.streams {
        body.insert("streams".to_owned(), value("--streams", text)?);
    }
    if let Some(text) = &settings.schedule {
        body.insert("schedule".to_owned(), value("--schedule", text)?);
    }
    if let Some(text) = &settings.policy {
        body.insert("policy".to_owned(), value("--policy", text)?);
    }
    Ok(body)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::{Command, parse};

    fn body(words: &[&str]) -> Result<Value, CommandError> {
        let line = ["inlet", "connectors"].iter().chain(words);
        let Command::Connectors(args) = parse(line.map(Into::into)).unwrap().command else { panic!() };
        of(&args.command)
    }

    #[test]
    fn a_new_connector_has_what_was_said_and_no_more() {
        let bare = body(&["create", "--name", "A", "--type", "t"]).unwrap();
        assert_eq!(bare, json!({"name": "A", "type": "t"}));
        let full = body(&[
            "create",
            "--name",
            "A",
            "--type",
            "t",
            "--config",
            r#"{"path": "a", "keep": 1}"#,
            "--set",
            "path=b",
            "--streams",
            r#"[{"name": "s"}]"#,
            "--schedule",
            "null",
            "--policy",
            r#"{"max_rejected": 5}"#,
        ]);
        let expected = json!({"name": "A", "type": "t", "config": {"path": "b", "keep": 1}, "streams": [{"name": "s"}],
            "schedule": null, "policy": {"max_rejected": 5}});
        assert_eq!(full.unwrap(), expected);
    }

    #[test]
    fn a_change_is_a_merge_patch_of_what_was_said() {
        let patch =
            body(&["update", "c", "--set", "auth.user=a", "--unset", "format", "--unset", "auth.token"])
                .unwrap();
        assert_eq!(patch, json!({"config": {"auth": {"user": "a", "token": null}, "format": null}}));
        assert_eq!(body(&["update", "c", "--name", "B"]).unwrap(), json!({"name": "B"}));
        assert!(body(&["update", "c"]).is_err());
    }

    #[test]
    fn standard_input_is_read_once() {
        assert!(body(&["update", "c", "--config", "-", "--streams", "-"]).is_err());
    }
}
