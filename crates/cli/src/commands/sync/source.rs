//! What SOURCE means: a local path or glob becomes the config of a connector.

use std::path::{Path, PathBuf};

use inlet_model::StreamName;
use inlet_model::stream::StreamSettings;
use inlet_source::{Environment, ErrorKind, Source, SourceError, StreamSpec};
use serde_json::{Value, json};

use super::connector::ConnectorPlan;
use crate::args::{FormatArg, SyncArgs};
use crate::errors::{CommandError, bad_fields};
use crate::node;

/// The longest name of a connector.
const MAX_NAME: usize = 200;

/// Reads the arguments, and looks at the source itself: what cannot work is refused before anything is made.
pub(super) async fn read(args: &SyncArgs) -> Result<ConnectorPlan, CommandError> {
    let path = absolute(&args.source)?;
    let mut config = json!({"path": path});
    if let Some(stream) = &args.stream {
        config["stream"] = json!(stream);
    }
    if let Some(format) = args.format {
        config["format"] = json!(match format {
            FormatArg::Csv => "csv",
            FormatArg::Jsonl => "jsonl",
            FormatArg::Json => "json",
        });
    }
    let source = build(&args.source, config.clone())?;
    let streams = match args.keys.as_slice() {
        [] => {
            source.check().await.map_err(|error| refused(&args.source, &error))?;
            None
        }
        keys => Some(keyed(&*source, &args.source, keys).await?),
    };
    let name = args.source.rsplit('/').find(|part| !part.is_empty()).unwrap_or(&args.source);
    let name = name.chars().take(MAX_NAME).collect();
    Ok(ConnectorPlan { name, kind: node::FILES, config, streams })
}

fn build(source: &str, config: Value) -> Result<Box<dyn Source>, CommandError> {
    let environment = Environment { files_roots: vec![PathBuf::from("/")] };
    let registry = node::registry();
    let kind = registry
        .get(node::FILES)
        .map_err(|error| CommandError::failure("internal", "this build reads no files").because(error))?;
    kind.build(config, &environment).map_err(|errors| {
        CommandError::input("input.source", format!("`{source}` cannot be read"))
            .fields(bad_fields(errors))
            .into()
    })
}

/// The source's streams with this key.
async fn keyed(
    source: &dyn Source,
    text: &str,
    keys: &[String],
) -> Result<Vec<StreamSettings>, CommandError> {
    let found = source.discover().await.map_err(|error| refused(text, &error))?;
    for stream in &found {
        refuse_unknown_keys(stream, keys)?;
    }
    Ok(found.into_iter().map(|stream| with_key(stream.name, keys)).collect())
}

fn with_key(name: StreamName, keys: &[String]) -> StreamSettings {
    StreamSettings {
        name,
        mode: Default::default(),
        write_mode: Default::default(),
        primary_key: keys.to_vec(),
        cursor_field: None,
        fields: None,
    }
}

/// A key that the source does not show would reject every record.
fn refuse_unknown_keys(stream: &StreamSpec, keys: &[String]) -> Result<(), CommandError> {
    let Some(known) = stream.schema.get("properties").and_then(Value::as_object) else { return Ok(()) };
    let unknown: Vec<String> =
        keys.iter().filter(|key| !known.contains_key(*key)).map(|key| format!("`{key}`")).collect();
    if unknown.is_empty() || known.is_empty() {
        return Ok(());
    }
    let fields: Vec<String> = known.keys().map(|name| format!("`{name}`")).collect();
    let message = format!("the records of {} have no field {}", stream.name, unknown.join(", "));
    Err(CommandError::input("input.key", message)
        .hint(format!("the fields are {}", fields.join(", ")))
        .into())
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

/// The path of a config: absolute, with links in its fixed directories resolved, so that one source has one spelling. The name
/// of a file that is there is taken as it is, whatever characters it has.
fn absolute(source: &str) -> Result<String, CommandError> {
    if let Some((scheme, _)) = source.split_once("://") {
        return Err(CommandError::input(
            "input.source",
            format!("a source over {scheme} cannot be read yet"),
        )
        .hint("say a path, or a glob in quotes")
        .into());
    }
    let path = Path::new(source);
    if path.is_dir() {
        return Err(CommandError::input("input.source", format!("`{source}` is a directory"))
            .hint(format!("to read the files in it, say '{}/*'", source.trim_end_matches('/')))
            .into());
    }
    let is_there = path.symlink_metadata().is_ok();
    let (fixed, below) = if is_there || !is_glob(source) { (source, "") } else { at_first_wildcard(source) };
    let (directory, name) = match fixed.rsplit_once('/') {
        Some((directory, name)) => (if directory.is_empty() { "/" } else { directory }, name),
        None => (".", fixed),
    };
    let directory = Path::new(directory).canonicalize().map_err(|error| no_such(source, directory, error))?;
    let directory = directory.to_str().ok_or_else(|| {
        CommandError::input(
            "input.source",
            format!("the directory of `{source}` has a name that is not UTF-8"),
        )
    })?;
    let name = if is_there { escaped(name) } else { name.to_owned() };
    Ok(format!("{}/{name}{below}", escaped(directory.trim_end_matches('/'))))
}

fn no_such(source: &str, directory: &str, error: std::io::Error) -> CommandError {
    CommandError::input(
        "source.not_found",
        format!("`{source}` cannot be read: its directory `{directory}` cannot be opened"),
    )
    .because(error)
    .into()
}

const WILDCARDS: [char; 4] = ['*', '?', '[', '{'];

fn is_glob(text: &str) -> bool {
    text.contains(WILDCARDS)
}

/// The text up to and with the last slash before the first wildcard, and the rest.
fn at_first_wildcard(text: &str) -> (&str, &str) {
    let first = text.find(WILDCARDS).unwrap_or(text.len());
    text.split_at(text[..first].rfind('/').map_or(0, |slash| slash + 1))
}

/// The name as a pattern that matches only it.
fn escaped(name: &str) -> String {
    let mut pattern = String::with_capacity(name.len());
    for character in name.chars() {
        if WILDCARDS.contains(&character) || character == '\\' {
            pattern.push('\\');
        }
        pattern.push(character);
    }
    pattern
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_has_one_spelling() {
        let directory = tempfile::tempdir().unwrap();
        let base = directory.path().canonicalize().unwrap();
        std::fs::create_dir(base.join("real[1]")).unwrap();
        std::fs::write(base.join("real[1]/a*.csv"), "").unwrap();
        std::os::unix::fs::symlink(base.join("real[1]"), base.join("link")).unwrap();
        let base = base.to_str().unwrap();
        let spelled = |text: &str| absolute(&format!("{base}/{text}")).unwrap();
        assert_eq!(
            spelled("link/a*.csv"),
            format!("{base}/real\\[1]/a\\*.csv"),
            "the name of a file that is there"
        );
        assert_eq!(spelled("link/*.csv"), format!("{base}/real\\[1]/*.csv"));
        assert_eq!(spelled("link/../link/./**/*.csv"), format!("{base}/real\\[1]/**/*.csv"));
        assert_eq!(spelled("link/new.csv"), format!("{base}/real\\[1]/new.csv"));
    }

    #[test]
    fn what_is_no_file_or_glob_is_refused() {
        for bad in ["https://example.com/a.csv", "/", ".", "/no/such/directory/a.csv", "/no/such/*/a.csv"] {
            assert!(absolute(bad).is_err(), "{bad}");
        }
    }
}
