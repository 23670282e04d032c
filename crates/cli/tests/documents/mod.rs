//! Every command of the documents, run as written, against the output that the document shows.
//!
//! A block of the kind `console` holds commands behind `$ ` and what each prints. Ids, times and ports may differ; `…` stands for
//! any text, and alone on a line for any lines. A command with ` &` at its end is a server, and goes on until the document ends. An id
//! that a document shows once stands in its later commands for the id that was really given.

mod console;
mod matching;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::harness::{Home, Ran, Server, curl};
use console::Step;

#[test]
fn the_readme_is_true() {
    is_true("README.md");
}

#[test]
fn the_quickstart_is_true() {
    is_true("docs/quickstart.md");
}

#[test]
fn the_page_of_the_command_line_is_true() {
    is_true("docs/cli.md");
}

#[test]
fn the_page_of_metrics_is_true() {
    is_true("docs/metrics.md");
}

#[track_caller]
fn is_true(document: &str) {
    let text = std::fs::read_to_string(repository().join(document)).unwrap();
    let mut reader = Reader::new();
    let steps = console::steps(&text);
    assert!(!steps.is_empty(), "{document} has no commands");
    for step in steps {
        let shown = reader.follow(&step);
        assert!(
            matching::agree(&step.output, &shown),
            "{document}, line {}: $ {}\n--- the document says\n{}\n--- it printed\n{shown}",
            step.line,
            step.command,
            step.output
        );
    }
}

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

/// Somebody who follows a document, command by command.
struct Reader {
    home: Home,
    /// The server of the document, once it is started, and the address that the document knows.
    server: Option<Server>,
    /// The ids that the document shows, and those that were given.
    ids: BTreeMap<String, String>,
}

/// Where servers listen in the documents.
const ADDRESS: &str = "http://127.0.0.1:8080";

impl Reader {
    /// In a folder with the repository's examples.
    fn new() -> Self {
        let home = Home::new();
        std::os::unix::fs::symlink(repository().join("examples"), home.join("examples")).unwrap();
        Self { home, server: None, ids: BTreeMap::new() }
    }

    /// Runs a command, and gives what it printed, without what differs from run to run.
    fn follow(&mut self, step: &Step) -> String {
        let command = self.filled_in(&step.command);
        let printed = if let Some(command) = command.strip_suffix(" &") {
            let server = Server::of(self.shell(&format!("exec {command}")));
            let printed = format!("listening on {}\n", server.url());
            self.server = Some(server);
            printed
        } else if command.starts_with("curl ") {
            curl::run(&command).body
        } else {
            let ran = Ran::from(self.shell(&command).output().unwrap());
            format!("{}{}", ran.stdout, ran.stderr)
        };
        for (shown, given) in matching::ids(&step.output).into_iter().zip(matching::ids(&printed)) {
            self.ids.entry(shown).or_insert(given);
        }
        printed
    }

    /// The command with this run's ids and address.
    fn filled_in(&self, command: &str) -> String {
        let mut command = command.replace("cargo run --release -- ", "inlet ");
        for (shown, given) in &self.ids {
            command = command.replace(shown, given);
        }
        match &self.server {
            Some(server) => command.replace(ADDRESS, server.url()),
            None => command,
        }
    }

    fn shell(&self, command: &str) -> std::process::Command {
        let program = Path::new(env!("CARGO_BIN_EXE_inlet")).parent().unwrap();
        let path = format!("{}:{}", program.display(), std::env::var("PATH").unwrap());
        let mut shell = self.home.program("sh", ["-c", command]);
        // A free port, and no demo that goes on for ever.
        shell.env("PATH", path).env("INLET_LISTEN", "127.0.0.1:0").env("INLET_DEMO_NO_SERVE", "true");
        shell
    }
}
