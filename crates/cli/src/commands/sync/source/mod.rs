//! What SOURCE means: a local path, a glob or a database's URL becomes the config of a connector.

mod database_url;
mod place;

use std::path::PathBuf;

use inlet_model::stream::StreamSettings;
use inlet_source::{Environment, ErrorKind, Source, SourceError, StreamSpec};
use serde_json::{Value, json};

use self::database_url::DatabaseUrl;
use self::place::Place;
use super::connector::ConnectorPlan;
use crate::args::{FormatArg, SyncArgs};
use crate::errors::{CommandError, bad_fields};
use crate::node;

/// The longest name of a connector.
const MAX_NAME: usize = 200;

/// Reads the arguments, and looks at the source itself: what cannot work is refused before anything is made.
pub(super) async fn read(args: &SyncArgs) -> Result<ConnectorPlan, CommandError> {
    let Origin { kind, name, shown, config } = Origin::of(args)?;
    let source = build(kind, &shown, config.clone())?;
    let takes_all = kind == node::FILES || args.streams.is_empty();
    let streams = if takes_all && args.keys.is_empty() && args.cursor.is_none() {
        source.check().await.map_err(|error| refused(&shown, &error))?;
        None
    } else {
        Some(chosen(&*source, &shown, args, takes_all).await?)
    };
    let name = name.chars().take(MAX_NAME).collect();
    Ok(ConnectorPlan { name, kind, config, streams })
}

/// What SOURCE turned out to be.
struct Origin {
    kind: &'static str,
    /// What a connector to it is called.
    name: String,
    /// How it is named to people: without secrets.
    shown: String,
    config: Value,
}

impl Origin {
    fn of(args: &SyncArgs) -> Result<Self, CommandError> {
        if let Some(url) = DatabaseUrl::of(&args.source)? {
            refuse_format(args)?;
            let DatabaseUrl { name, shown, config } = url;
            return Ok(Self { kind: node::POSTGRES, name, shown, config });
        }
        let place = Place::of(&args.source)?;
        let name = args.source.rsplit('/').find(|part| !part.is_empty()).unwrap_or(&args.source).to_owned();
        let (kind, config) = if place.is_database() {
            refuse_format(args)?;
            (node::SQLITE, json!({"path": place.path()}))
        } else {
            (node::FILES, of_files(args, &place)?)
        };
        Ok(Self { kind, name, shown: args.source.clone(), config })
    }
}

fn of_files(args: &SyncArgs, place: &Place) -> Result<Value, CommandError> {
    let mut config = json!({"path": place.pattern()});
    match args.streams.as_slice() {
        [] => {}
        [stream] => config["stream"] = json!(stream),
        _ => return Err(misplaced("--stream", "the files of a source are one stream", "say it once")),
    }
    if args.cursor.is_some() {
        let hint = "files that have not changed are not read again anyway";
        return Err(misplaced("--cursor", "files have no cursor field", hint));
    }
    if let Some(format) = args.format {
        config["format"] = json!(match format {
            FormatArg::Csv => "csv",
            FormatArg::Jsonl => "jsonl",
            FormatArg::Json => "json",
        });
    }
    Ok(config)
}

fn refuse_format(args: &SyncArgs) -> Result<(), CommandError> {
    match args.format {
        Some(_) => Err(misplaced("--format", "a database has no format to choose", "leave it out")),
        None => Ok(()),
    }
}

fn misplaced(option: &str, why: &str, hint: &str) -> CommandError {
    CommandError::input("input.option", format!("{option} does not fit: {why}")).hint(hint).into()
}

fn build(kind: &str, source: &str, config: Value) -> Result<Box<dyn Source>, CommandError> {
    let environment = Environment { files_roots: vec![PathBuf::from("/")], ..Environment::default() };
    let registry = node::registry();
    let kind = registry
        .get(kind)
        .map_err(|error| CommandError::failure("internal", "this build cannot read it").because(error))?;
    kind.build(config, &environment).map_err(|errors| {
        CommandError::input("input.source", format!("`{source}` cannot be read"))
            .fields(bad_fields(errors))
            .into()
    })
}

/// The source's streams as the arguments choose them.
async fn chosen(
    source: &dyn Source,
    shown: &str,
    args: &SyncArgs,
    takes_all: bool,
) -> Result<Vec<StreamSettings>, CommandError> {
    let mut found = source.discover().await.map_err(|error| refused(shown, &error))?;
    if !takes_all {
        refuse_unknown_streams(&found, &args.streams)?;
        found.retain(|stream| args.streams.iter().any(|name| name == stream.name.as_str()));
    }
    for stream in &found {
        refuse_unknown_fields(stream, &args.keys, "input.key")?;
        refuse_unknown_fields(stream, args.cursor.as_slice(), "input.cursor")?;
    }
    Ok(found.into_iter().map(|stream| settings(stream, args)).collect())
}

/// The stream as the arguments say it, else as discovery suggests it.
fn settings(stream: StreamSpec, args: &SyncArgs) -> StreamSettings {
    StreamSettings {
        name: stream.name,
        mode: Default::default(),
        write_mode: Default::default(),
        primary_key: if args.keys.is_empty() { stream.primary_key } else { args.keys.clone() },
        cursor_field: args.cursor.clone().or(stream.cursor_field),
        fields: None,
        masking: Default::default(),
    }
}

fn refuse_unknown_streams(found: &[StreamSpec], wanted: &[String]) -> Result<(), CommandError> {
    let is_unknown = |name: &&String| !found.iter().any(|stream| stream.name.as_str() == name.as_str());
    let unknown: Vec<String> = wanted.iter().filter(is_unknown).map(|name| format!("`{name}`")).collect();
    if unknown.is_empty() {
        return Ok(());
    }
    let names: Vec<String> = found.iter().map(|stream| format!("`{}`", stream.name)).collect();
    let hint = match names.as_slice() {
        [] => "the database has no tables that can be read".to_owned(),
        names => format!("the streams are {}", names.join(", ")),
    };
    Err(CommandError::input("input.stream", format!("there is no stream {}", unknown.join(", ")))
        .hint(hint)
        .into())
}

/// A key that the source does not show would reject every record.
fn refuse_unknown_fields(stream: &StreamSpec, keys: &[String], code: &str) -> Result<(), CommandError> {
    let Some(known) = stream.schema.get("properties").and_then(Value::as_object) else { return Ok(()) };
    let unknown: Vec<String> =
        keys.iter().filter(|key| !known.contains_key(*key)).map(|key| format!("`{key}`")).collect();
    if unknown.is_empty() || known.is_empty() {
        return Ok(());
    }
    let fields: Vec<String> = known.keys().map(|name| format!("`{name}`")).collect();
    let message = format!("the records of {} have no field {}", stream.name, unknown.join(", "));
    Err(CommandError::input(code, message).hint(format!("the fields are {}", fields.join(", "))).into())
}

fn refused(text: &str, error: &SourceError) -> CommandError {
    let failure = error.to_failure();
    let message = format!("`{text}` cannot be read: {}", failure.message);
    let complaint = match error.kind() {
        ErrorKind::Config | ErrorKind::NotFound | ErrorKind::Denied | ErrorKind::Format => {
            CommandError::input(failure.code, message)
        }
        _ => CommandError::failure(failure.code, message),
    };
    match failure.hint {
        Some(hint) => complaint.hint(hint).into(),
        None => complaint.into(),
    }
}
