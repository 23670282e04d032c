//! Every command of the documents, run as written, against what the document says of it.
//!
//! All Markdown files of the repository are read. A block of the kind `console` holds commands behind `$ ` and what each prints.
//! Ids, times and ports may differ; `…` stands for any text, and alone on a line for any lines. A block of the kind `sh` holds
//! commands that succeed; a `json` block directly behind it shows the fields of the last one's answer. Comments of one line directly
//! above a block say more of it:
//!
//! - `<!-- not run: WHY -->`: it is left out. Nothing else is.
//! - `<!-- any answer: WHY -->`: what it asks for may be refused.
//! - `<!-- before: COMMAND -->`: what must be so that it works, and does not belong on the page.
//!
//! `inlet serve` goes on until the document ends; a document that calls a server without starting one finds one there. An id that a
//! document shows once stands in its later commands for the id that was really given. `$connector`, `$sync`, `$key` and `$webhook` are what was
//! made last and not deleted since, `$C` is that connector's address, `$INLET` the server's.

mod blocks;
mod matching;
mod reader;

use std::path::{Path, PathBuf};

use blocks::{Check, Step};
use reader::Reader;

#[test]
fn every_document_is_true() {
    let documents = documents(&repository());
    assert!(documents.iter().any(|document| document.ends_with("docs/cli.md")), "{documents:?}");
    let faults: Vec<String> = std::thread::scope(|scope| {
        let checks: Vec<_> = documents.iter().map(|document| scope.spawn(|| check(document))).collect();
        checks.into_iter().flat_map(|check| check.join().unwrap()).collect()
    });
    assert!(faults.is_empty(), "\n{}", faults.join("\n\n"));
}

/// What is not true in the document. A later command may build on an earlier one: the first fault is the last that is looked for.
fn check(document: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(document).unwrap();
    let name = document.strip_prefix(repository()).unwrap().display().to_string();
    let steps = match blocks::steps(&text) {
        Ok(steps) => steps,
        Err(faults) => return faults.into_iter().map(|fault| format!("{name}, {fault}")).collect(),
    };
    let mut reader = Reader::new(&repository());
    let fault = steps.iter().find_map(|step| {
        let fault = reader.follow(step)?;
        Some(format!("{name}, line {}: $ {}\n{fault}", step.line, step.command))
    });
    fault.into_iter().collect()
}

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

/// Folders that hold no documents of ours.
const FOREIGN: &[&str] = &["target", "node_modules"];

/// All Markdown files under `folder`.
fn documents(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut entries: Vec<_> = std::fs::read_dir(folder).unwrap().map(Result::unwrap).collect();
    entries.sort_by_key(std::fs::DirEntry::path);
    for entry in entries {
        let name = entry.file_name().into_string().unwrap();
        if entry.file_type().unwrap().is_dir() {
            if !name.starts_with('.') && !FOREIGN.contains(&name.as_str()) {
                found.extend(documents(&entry.path()));
            }
        } else if name.ends_with(".md") {
            found.push(entry.path());
        }
    }
    found
}
