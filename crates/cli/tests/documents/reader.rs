//! Somebody who follows a document, command by command.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use super::{Check, Step, matching};
use crate::harness::{Home, Ran, Server, curl};

/// Where servers listen in the documents.
const ADDRESS: &str = "http://127.0.0.1:8080";

/// What a document calls things of each kind, by the prefix of their ids.
const NAMES: &[(&str, &str)] = &[("con", "connector"), ("syn", "sync"), ("key", "key"), ("whk", "webhook")];

/// The reader, in a folder with the repository's examples.
pub(super) struct Reader {
    home: Home,
    /// The server of the document, once there is one.
    server: Option<Server>,
    /// The ids that the document shows, and those that were given.
    ids: BTreeMap<String, String>,
    /// What was made, the newest last.
    made: Vec<Made>,
    /// What the document has called by a name.
    variables: BTreeMap<String, String>,
}

/// A thing that was made by a call.
struct Made {
    name: &'static str,
    id: String,
    address: String,
}

/// What a command gave.
struct Outcome {
    /// On standard output.
    printed: String,
    /// On standard error.
    said: String,
    is_success: bool,
    is_answered: bool,
}

impl Outcome {
    fn fine(printed: String) -> Self {
        Self { printed, said: String::new(), is_success: true, is_answered: true }
    }
}

impl Reader {
    pub(super) fn new(repository: &Path) -> Self {
        let home = Home::new();
        std::os::unix::fs::symlink(repository.join("examples"), home.join("examples")).unwrap();
        Self { home, server: None, ids: BTreeMap::new(), made: Vec::new(), variables: BTreeMap::new() }
    }

    /// Runs the command of a step, and gives what is not as the document says.
    pub(super) fn follow(&mut self, step: &Step) -> Option<String> {
        let outcome = self.run(&step.command);
        let Outcome { is_success, is_answered, .. } = outcome;
        let printed = format!("{}{}", outcome.printed, outcome.said);
        match &step.check {
            Check::Prints(expected) => {
                for (shown, given) in matching::ids(expected).into_iter().zip(matching::ids(&printed)) {
                    self.ids.entry(shown).or_insert(given);
                }
                // A terminal shows both, in the order in which they are written.
                let said_first = format!("{}{}", outcome.said, outcome.printed);
                let is_true =
                    [&printed, &said_first].into_iter().any(|shown| matching::agree(expected, shown));
                (!is_true).then(|| format!("--- the document says\n{expected}\n--- it printed\n{printed}"))
            }
            Check::IsAnswered => (!is_answered).then(|| format!("--- it was not answered\n{printed}")),
            Check::Succeeds { .. } if !is_success => Some(format!("--- it failed\n{printed}")),
            Check::Succeeds { answer: None } => None,
            Check::Succeeds { answer: Some(answer) } => fields_missing(answer, &printed),
        }
    }

    fn run(&mut self, command: &str) -> Outcome {
        let command = command.replace("cargo run --release -- ", "inlet ");
        let is_server = without_environment(&command).starts_with("inlet serve");
        // On an address that is not the loopback one it does not start.
        if is_server && !command.contains("0.0.0.0") {
            return self.serve(&format!("exec env {}", command.strip_suffix(" &").unwrap_or(&command)));
        }
        if command.contains("curl ") && self.server.is_none() {
            self.serve("exec inlet serve --auth none");
        }
        let command = self.filled_in(&command);
        if let Some((name, value)) = assignment(&command) {
            self.variables.insert(name.to_owned(), value.to_owned());
            return Outcome::fine(String::new());
        }
        if command.starts_with("curl ") {
            return self.call(&command);
        }
        let ran = Ran::from(self.shell(&command).output().unwrap());
        let (is_success, is_answered) = (ran.code == Some(0), ran.code.is_some());
        Outcome { printed: ran.stdout, said: ran.stderr, is_success, is_answered }
    }

    fn serve(&mut self, command: &str) -> Outcome {
        // The one before goes first: both would have the same data directory.
        self.server = None;
        let server = Server::of(self.shell(command));
        let printed = format!("listening on {}\n", server.url());
        self.server = Some(server);
        Outcome::fine(printed)
    }

    fn call(&mut self, command: &str) -> Outcome {
        let answer = curl::run(command);
        match answer.status {
            201 | 202 => self.remember(&answer.body),
            204 => self.made.retain(|made| !deletes(command, &made.id)),
            _ => {}
        }
        Outcome {
            printed: answer.body,
            said: String::new(),
            is_success: (200..300).contains(&answer.status),
            is_answered: answer.status < 500,
        }
    }

    fn remember(&mut self, body: &str) {
        let Ok(body) = serde_json::from_str::<Value>(body) else { return };
        let Some(id) = body["id"].as_str() else { return };
        let Some((_, name)) = NAMES.iter().find(|(prefix, _)| id.starts_with(&format!("{prefix}_"))) else {
            return;
        };
        let part = |field: &str| body[field].as_str().unwrap_or_default().to_owned();
        let address = format!(
            "{}/v1/spaces/{}/collections/{}/connectors/{id}",
            self.url(),
            part("space_id"),
            part("collection_id")
        );
        self.made.push(Made { name, id: id.to_owned(), address });
    }

    fn url(&self) -> String {
        self.server.as_ref().map_or_else(String::new, |server| server.url().to_owned())
    }

    /// The command with this run's ids, names and address.
    fn filled_in(&self, command: &str) -> String {
        let mut variables = self.variables.clone();
        for made in &self.made {
            variables.insert(made.name.to_owned(), made.id.clone());
            if made.name == "connector" {
                variables.insert("C".to_owned(), made.address.clone());
            }
        }
        variables.insert("INLET".to_owned(), self.url());
        let mut command = command.to_owned();
        // The longest first: one name may be the start of another.
        let mut names: Vec<_> = variables.into_iter().collect();
        names.sort_by_key(|(name, _)| std::cmp::Reverse(name.len()));
        for (name, value) in names {
            command = command.replace(&format!("${name}"), &value);
        }
        for (shown, given) in &self.ids {
            command = command.replace(shown, given);
        }
        match &self.server {
            Some(server) => command.replace(ADDRESS, server.url()),
            None => command,
        }
    }

    fn shell(&self, command: &str) -> Command {
        let program = Path::new(env!("CARGO_BIN_EXE_inlet")).parent().unwrap();
        let path = format!("{}:{}", program.display(), std::env::var("PATH").unwrap());
        let mut shell = self.home.program("sh", ["-c", command]);
        // A free port, and no demo that goes on for ever.
        shell.env("PATH", path).env("INLET_LISTEN", "127.0.0.1:0").env("INLET_DEMO_NO_SERVE", "true");
        shell
    }
}

/// Whether the call deletes the thing with this id, and not only something that it has.
fn deletes(command: &str, id: &str) -> bool {
    let behind = command.split_once(id).map(|(_, behind)| behind);
    command.contains("-X DELETE") && behind.is_some_and(|behind| !behind.starts_with('/'))
}

/// The command without the variables that stand in front of it.
fn without_environment(mut command: &str) -> &str {
    while let Some((first, rest)) = command.split_once(' ')
        && assignment(first).is_some()
    {
        command = rest;
    }
    command
}

/// `name=value`, and nothing else.
fn assignment(command: &str) -> Option<(&str, &str)> {
    let (name, value) = command.split_once('=')?;
    let is_name = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    (is_name && !value.contains(char::is_whitespace)).then_some((name, value))
}

/// Which fields of the documented answer the real one does not have.
fn fields_missing(documented: &str, printed: &str) -> Option<String> {
    let Ok(documented) = serde_json::from_str::<Value>(documented) else {
        return Some(format!("--- the answer behind it is not JSON\n{documented}"));
    };
    let Ok(real) = serde_json::from_str::<Value>(printed) else {
        return Some(format!("--- it printed no JSON\n{printed}"));
    };
    let mut missing = Vec::new();
    compare(&documented, &real, "", &mut missing);
    (!missing.is_empty()).then(|| format!("--- its answer has no {}\n{printed}", missing.join(", ")))
}

fn compare(documented: &Value, real: &Value, place: &str, missing: &mut Vec<String>) {
    match (documented, real) {
        (Value::Object(fields), Value::Object(_)) => {
            for (name, value) in fields {
                let place = format!("{place}/{name}");
                match real.get(name) {
                    Some(real) => compare(value, real, &place, missing),
                    None => missing.push(place),
                }
            }
        }
        (Value::Array(documented), Value::Array(real)) => match (documented.first(), real.first()) {
            (Some(documented), Some(real)) => compare(documented, real, &format!("{place}/0"), missing),
            // A page that shows an item has one; smaller lists depend on what it is about.
            (Some(_), None) if place.ends_with("/data") => missing.push(format!("{place}/0")),
            (None, _) | (_, None) => {}
        },
        // What may be null is shown either way.
        (Value::Null, _) | (_, Value::Null) => {}
        (documented, real) if std::mem::discriminant(documented) == std::mem::discriminant(real) => {}
        _ => missing.push(format!("{place} of that type")),
    }
}

#[test]
fn an_answer_must_have_the_fields_that_are_shown() {
    let missing = |documented: &str, real: &str| fields_missing(documented, real).is_some();
    let documented = r#"{"data": [{"b": "…", "list": [1]}], "n": null}"#;
    assert!(!missing(documented, r#"{"data": [{"b": "x", "c": 1, "list": []}], "n": {"m": 1}, "more": 1}"#));
    for real in [
        "{}",
        r#"{"data": []}"#,
        r#"{"data": [{"list": []}]}"#,
        r#"{"data": [{"b": 5, "list": []}]}"#,
        "none",
    ] {
        assert!(missing(documented, real), "{real}");
    }
}
