//! What SOURCE means: a local path or glob becomes the config of a connector.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use inlet_model::stream::StreamSettings;
use inlet_source::{Environment, ErrorKind, Source, SourceError, StreamSpec};
use serde_json::{Value, json};

use super::connector::ConnectorPlan;
use crate::args::{FormatArg, SyncArgs};
use crate::errors::{CommandError, bad_fields};
use crate::node;

/// The longest name of a connector.
const MAX_NAME: usize = 200;

/// What a file that SQLite wrote begins with.
const SQLITE_HEADER: &[u8] = b"SQLite format 3\0";

/// Reads the arguments, and looks at the source itself: what cannot work is refused before anything is made.
pub(super) async fn read(args: &SyncArgs) -> Result<ConnectorPlan, CommandError> {
    let place = Place::of(&args.source)?;
    let (kind, config) = if place.is_database() {
        (node::SQLITE, of_database(args, &place)?)
    } else {
        (node::FILES, of_files(args, &place)?)
    };
    let source = build(kind, &args.source, config.clone())?;
    let takes_all = kind == node::FILES || args.streams.is_empty();
    let streams = if takes_all && args.keys.is_empty() && args.cursor.is_none() {
        source.check().await.map_err(|error| refused(&args.source, &error))?;
        None
    } else {
        Some(chosen(&*source, args, takes_all).await?)
    };
    let name = args.source.rsplit('/').find(|part| !part.is_empty()).unwrap_or(&args.source);
    let name = name.chars().take(MAX_NAME).collect();
    Ok(ConnectorPlan { name, kind, config, streams })
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

fn of_database(args: &SyncArgs, place: &Place) -> Result<Value, CommandError> {
    if args.format.is_some() {
        return Err(misplaced("--format", "a database has no format to choose", "leave it out"));
    }
    Ok(json!({"path": place.path()}))
}

fn misplaced(option: &str, why: &str, hint: &str) -> CommandError {
    CommandError::input("input.option", format!("{option} does not fit: {why}")).hint(hint).into()
}

fn build(kind: &str, source: &str, config: Value) -> Result<Box<dyn Source>, CommandError> {
    let environment = Environment { files_roots: vec![PathBuf::from("/")] };
    let registry = node::registry();
    let kind = registry
        .get(kind)
        .map_err(|error| CommandError::failure("internal", "this build reads no files").because(error))?;
    kind.build(config, &environment).map_err(|errors| {
        CommandError::input("input.source", format!("`{source}` cannot be read"))
            .fields(bad_fields(errors))
            .into()
    })
}

/// The source's streams as the arguments choose them.
async fn chosen(
    source: &dyn Source,
    args: &SyncArgs,
    takes_all: bool,
) -> Result<Vec<StreamSettings>, CommandError> {
    let mut found = source.discover().await.map_err(|error| refused(&args.source, &error))?;
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

/// Where the source lies: absolute, with links in its fixed directories resolved, so that one source has one spelling.
#[derive(Debug)]
struct Place {
    directory: String,
    name: String,
    /// What comes behind the first wildcard.
    below: String,
    /// The name of a file that is there is taken as it is, whatever characters it has.
    is_there: bool,
}

impl Place {
    fn of(source: &str) -> Result<Self, CommandError> {
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
        let (fixed, below) =
            if is_there || !is_glob(source) { (source, "") } else { at_first_wildcard(source) };
        let (directory, name) = match fixed.rsplit_once('/') {
            Some((directory, name)) => (if directory.is_empty() { "/" } else { directory }, name),
            None => (".", fixed),
        };
        let directory =
            Path::new(directory).canonicalize().map_err(|error| no_such(source, directory, error))?;
        let directory = directory.to_str().ok_or_else(|| {
            CommandError::input(
                "input.source",
                format!("the directory of `{source}` has a name that is not UTF-8"),
            )
        })?;
        let directory = directory.trim_end_matches('/').to_owned();
        Ok(Self { directory, name: name.to_owned(), below: below.to_owned(), is_there })
    }

    fn path(&self) -> String {
        format!("{}/{}", self.directory, self.name)
    }

    /// The path as `files` understands it.
    fn pattern(&self) -> String {
        let name = if self.is_there { escaped(&self.name) } else { self.name.clone() };
        format!("{}/{name}{}", escaped(&self.directory), self.below)
    }

    /// Whether it is a SQLite database, by its name or by how it begins.
    fn is_database(&self) -> bool {
        let is_pattern = !self.below.is_empty() || (!self.is_there && is_glob(&self.name));
        let ending = Path::new(&self.name).extension().and_then(|ending| ending.to_str()).unwrap_or_default();
        let is_named = ["db", "sqlite", "sqlite3"].iter().any(|known| ending.eq_ignore_ascii_case(known));
        !is_pattern && (is_named || begins_with(Path::new(&self.path()), SQLITE_HEADER))
    }
}

/// Whether a regular file begins with these bytes. To open anything else could wait for ever.
fn begins_with(path: &Path, start: &[u8]) -> bool {
    let mut found = vec![0; start.len()];
    path.is_file()
        && File::open(path).and_then(|mut file| file.read_exact(&mut found)).is_ok()
        && found == start
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
        let spelled = |text: &str| Place::of(&format!("{base}/{text}")).unwrap().pattern();
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
            assert!(Place::of(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_database_is_told_by_its_name_or_its_beginning() {
        let directory = tempfile::tempdir().unwrap();
        let base = directory.path().canonicalize().unwrap();
        std::fs::write(base.join("shop"), b"SQLite format 3\0and so on").unwrap();
        std::fs::write(base.join("a[1].csv"), "id\n1\n").unwrap();
        std::fs::write(base.join("b[1].db"), "").unwrap();
        let base = base.to_str().unwrap();
        let place = |text: &str| Place::of(&format!("{base}/{text}")).unwrap();
        for (source, expected) in [
            ("shop", true),
            ("new.db", true),
            ("new.SQLite3", true),
            ("b[1].db", true),
            ("a[1].csv", false),
            ("nowhere", false),
            ("*.db", false),
            ("db", false),
        ] {
            assert_eq!(place(source).is_database(), expected, "{source}");
        }
        assert_eq!(place("b[1].db").path(), format!("{base}/b[1].db"));
    }
}
