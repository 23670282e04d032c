//! `inlet connectors push`: records from a file or standard input to a connector.

mod records;

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use serde::Deserialize;
use serde_json::json;
use tokio::sync::mpsc;

use self::records::Part;
use super::Connectors;
use crate::args::PushArgs;
use crate::client::{CallError, Query};
use crate::errors::CommandError;
use crate::output::numbers::counted;
use crate::output::{OutputFormat, print};

const LINES: &str = "application/x-ndjson";
const ENVELOPES: &str = "application/vnd.inlet.envelope+x-ndjson";

/// What a server took.
#[derive(Debug, Deserialize)]
struct Accepted {
    accepted: u64,
    stream: String,
}

/// Pushes all records, part by part. The next part is read while one is on its way.
pub(super) async fn run(connectors: &Connectors<'_>, args: &PushArgs) -> Result<(), CommandError> {
    let query = query(args)?;
    let input = open(args.file.as_deref())?;
    let path = query.of(&format!("{}/records", connectors.path(&args.connector.connector).await?));
    let media_type = if args.envelope { ENVELOPES } else { LINES };
    let (sender, mut parts) = mpsc::channel(1);
    // Not waited for: at an error it may hang in a read of standard input.
    let _reader = tokio::task::spawn_blocking(move || {
        records::read(input, |part| sender.blocking_send(part).is_ok());
    });
    let mut taken = Accepted { accepted: 0, stream: String::new() };
    while let Some(part) = parts.recv().await {
        let Part { lines, .. } = part.map_err(|error| unreadable(&error, taken.accepted))?;
        let answer = connectors.client.post_as(&path, media_type, lines.into()).await;
        let accepted: Accepted = answer.map_err(|error| refused(error, taken.accepted))?.read()?;
        taken = Accepted { accepted: taken.accepted + accepted.accepted, stream: accepted.stream };
    }
    if taken.stream.is_empty() {
        return Err(CommandError::input("input.records", "there are no records to push").into());
    }
    match connectors.output {
        OutputFormat::Json => {
            print(&format!("{}\n", json!({"accepted": taken.accepted, "stream": taken.stream})))?;
        }
        OutputFormat::Table => {
            let line = format!("{} taken into stream {}", counted(taken.accepted, "record"), taken.stream);
            print(&format!("{line}; the connector's next sync brings them in\n"))?;
        }
    }
    Ok(())
}

fn query(args: &PushArgs) -> Result<Query, CommandError> {
    if let Some(field) = args.key_fields.iter().find(|field| field.contains(',')) {
        let complaint = CommandError::input(
            "input.key_field",
            format!("the field `{field}` cannot be named here, for its comma"),
        );
        return Err(complaint.hint("name it as `primary_key` in the connector's streams").into());
    }
    let key_field = (!args.key_fields.is_empty()).then(|| args.key_fields.join(","));
    Ok(Query::default().with("stream", args.stream.as_deref()).with("key_field", key_field.as_deref()))
}

fn open(file: Option<&Path>) -> Result<Box<dyn Read + Send>, CommandError> {
    match file.filter(|path| *path != Path::new("-")) {
        None => Ok(Box::new(io::stdin())),
        Some(path) => match File::open(path) {
            Ok(file) => Ok(Box::new(file)),
            Err(error) => {
                let message = format!("`{}` cannot be read", path.display());
                Err(CommandError::input("input.file", message).because(error).into())
            }
        },
    }
}

fn unreadable(error: &records::Unreadable, taken: u64) -> CommandError {
    let complaint = CommandError::input("input.records", error.to_string());
    complaint.hint(stays(taken)).into()
}

/// The server's own words; if it took parts before, these are said to stay.
fn refused(error: CallError, taken: u64) -> CommandError {
    match CommandError::from(error) {
        CommandError::Complaint(complaint) if taken > 0 => {
            let hint = format!("{}; the numbers of records count from there", stays(taken));
            CommandError::Complaint(Box::new(complaint.hint(hint)))
        }
        other => other,
    }
}

fn stays(taken: u64) -> String {
    match taken {
        0 => "nothing was pushed".to_owned(),
        1 => "the first record was taken and stays".to_owned(),
        taken => format!("the first {} were taken and stay", counted(taken, "record")),
    }
}
