//! The shape of a connector: the same files in every folder, small, and registered in one line.
//!
//! A connector is a folder of `crates/connectors/src/`. What each of its files is for stands in CONTRIBUTING.md.

use std::collections::BTreeSet;

use super::lexer::words;
use super::rust_file::RustFile;
use super::{Finding, Tree};

const FOLDER: &str = "crates/connectors/src";
const REGISTRY: &str = "crates/connectors/src/registry.rs";
const GUIDE: &str = "CONTRIBUTING.md";

/// The files of every connector.
const FILES: &[&str] = &["mod.rs", "config.rs", "streams.rs", "read.rs", "convert.rs", "tests.rs", "docs.md"];

/// The file in which a connector talks to its remote. One that has no remote has no such file.
const CLIENT: &str = "client.rs";

/// `mod.rs` only introduces: what is read, which limits, which capabilities.
const INTRODUCTION_LINES: usize = 60;

/// What one connector may have. Only numbers that fall are changed lightly.
struct Budget {
    connector: &'static str,
    /// True if it talks to another system over a network.
    remote: bool,
    /// Lines of Rust outside of test code.
    lines: usize,
    /// Rust files beside the set, outside of test code.
    extra_files: usize,
}

/// What a connector has that is not named in `BUDGETS`.
const USUAL: Budget = Budget { connector: "", remote: true, lines: 1200, extra_files: 3 };

const BUDGETS: &[Budget] = &[
    Budget { connector: "external_source", remote: false, ..USUAL },
    // Many formats, two compressions and the certified listing of folders.
    Budget { connector: "files", remote: false, lines: 1800, extra_files: 8 },
    // A protocol with TLS and login, every type there is, and the bound that passes no late commit.
    Budget { connector: "postgres", remote: true, lines: 4150, extra_files: 17 },
    // Three ways to get at a database without writing to it, the order of each kind of table, and asking by keys.
    Budget { connector: "sqlite", remote: false, lines: 2300, extra_files: 5 },
];

/// Every connector has its files, stays in its budget and is registered once; and the guide names these files.
pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for name in connector_names(tree) {
        let budget = BUDGETS.iter().find(|budget| budget.connector == name).unwrap_or(&USUAL);
        findings.extend(missing_files(tree, name, budget));
        findings.extend(needless_client(tree, name, budget));
        findings.extend(over_budget(tree, name, budget));
        findings.extend(registration(tree, name));
    }
    findings.extend(missing_in_guide(tree));
    findings
}

/// The folders of the connectors crate.
pub(crate) fn connector_names(tree: &Tree) -> Vec<&str> {
    let folders: BTreeSet<&str> =
        tree.below(FOLDER).filter_map(|path| Some(path.split_once('/')?.0)).collect();
    folders.into_iter().filter(|name| !matches!(*name, "tests" | "snapshots")).collect()
}

fn missing_files(tree: &Tree, name: &str, budget: &Budget) -> Vec<Finding> {
    let client = budget.remote.then_some(&CLIENT);
    let missing = FILES.iter().chain(client).map(|file| (file, format!("{FOLDER}/{name}/{file}")));
    let missing = missing.filter(|(_, path)| !tree.exists(path));
    missing.map(|(file, path)| Finding::new(path, 1, format!("connector `{name}` has no {file}"))).collect()
}

fn needless_client(tree: &Tree, name: &str, budget: &Budget) -> Option<Finding> {
    let path = format!("{FOLDER}/{name}/{CLIENT}");
    let message = format!("connector `{name}` has no remote, so no {CLIENT}: see BUDGETS");
    (!budget.remote && tree.exists(&path)).then(|| Finding::new(path, 1, message))
}

fn over_budget(tree: &Tree, name: &str, budget: &Budget) -> Vec<Finding> {
    let mut findings = Vec::new();
    let introduction = format!("{FOLDER}/{name}/mod.rs");
    let files: Vec<&RustFile> = shipped_files(tree, name).collect();
    let mut over = |path: &str, what: &str, is: usize, allowed: usize| {
        if is > allowed {
            findings.push(Finding::new(path, 1, format!("{is} {what}, allowed are {allowed}")));
        }
    };

    let introduction_lines = tree.rust_file(&introduction).map_or(0, RustFile::line_count);
    over(&introduction, "lines in mod.rs", introduction_lines, INTRODUCTION_LINES);
    let lines = files.iter().map(|file| file.shipped_line_count()).sum();
    over(&introduction, &format!("lines in connector `{name}`"), lines, budget.lines);
    let is_extra = |file: &&&RustFile| {
        let inside = file.path.strip_prefix(&format!("{FOLDER}/{name}/")).unwrap_or_default();
        inside != CLIENT && !FILES.contains(&inside)
    };
    let extra = files.iter().filter(is_extra).count();
    over(&introduction, &format!("files beside the usual in connector `{name}`"), extra, budget.extra_files);
    findings
}

/// A file that the guide's table of a connector's files leaves out.
fn missing_in_guide(tree: &Tree) -> Vec<Finding> {
    let Some(guide) = tree.markdown_files().iter().find(|file| file.path == GUIDE) else {
        return Vec::new();
    };
    let explained = |file: &str| guide.text.lines().any(|line| line.starts_with(&format!("| `{file}` |")));
    let missing = FILES.iter().chain([&CLIENT]).filter(|file| !explained(file));
    missing.map(|file| Finding::new(GUIDE, 1, format!("a connector's {file} is not explained"))).collect()
}

fn shipped_files<'a>(tree: &'a Tree, name: &str) -> impl Iterator<Item = &'a RustFile> {
    let folder = format!("{FOLDER}/{name}/");
    tree.rust_files().iter().filter(move |file| file.path.starts_with(&folder) && !file.is_test())
}

fn registration(tree: &Tree, name: &str) -> Option<Finding> {
    let lines: Vec<usize> = tree.rust_file(REGISTRY).map(|file| lines_naming(file, name)).unwrap_or_default();
    match lines.as_slice() {
        [_] => None,
        [] => Some(Finding::new(REGISTRY, 1, format!("connector `{name}` is not registered"))),
        [_, second, ..] => {
            let message = format!("connector `{name}` stands in {} lines, one is enough", lines.len());
            Some(Finding::new(REGISTRY, *second, message))
        }
    }
}

/// The lines of code that name the connector, but for the declaration of its module.
fn lines_naming(file: &RustFile, name: &str) -> Vec<usize> {
    let named = words(&file.code).filter(|(offset, word)| *word == name && !file.is_test_code(*offset));
    let mut lines: Vec<usize> = named
        .filter(|(offset, _)| !file.code[..*offset].trim_end().ends_with("mod"))
        .map(|(offset, _)| file.line_of(offset))
        .collect();
    lines.dedup();
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    const REGISTERED: &str =
        "//! All.\nmod mailbox;\nconst ALL: &[Entry] = &[\n    (\"mailbox\", mailbox::open),\n];\n";

    /// The messages about a connector of the usual files, with those replaced, added or (if `None`) removed.
    fn found(changes: &[(&str, Option<&str>)]) -> Vec<String> {
        let usual =
            FILES.iter().chain([&CLIENT]).map(|file| (format!("{FOLDER}/mailbox/{file}"), "//! Head.\n"));
        let mut files: Vec<(String, &str)> = usual.chain([(REGISTRY.to_owned(), REGISTERED)]).collect();
        for (path, text) in changes {
            files.retain(|(known, _)| known != path);
            files.extend(text.map(|text| ((*path).to_owned(), text)));
        }
        let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (path.as_str(), *text)).collect();
        check(&Tree::planted(&files)).into_iter().map(|finding| finding.message).collect()
    }

    #[test]
    fn a_connector_of_the_usual_files_passes() {
        assert_eq!(found(&[]), [""; 0]);
    }

    #[test]
    fn a_missing_file_is_caught() {
        let docs = "crates/connectors/src/mailbox/docs.md";
        assert_eq!(found(&[(docs, None)]), ["connector `mailbox` has no docs.md"]);
        let client = "crates/connectors/src/mailbox/client.rs";
        assert_eq!(found(&[(client, None)]), ["connector `mailbox` has no client.rs"]);
    }

    #[test]
    fn a_client_without_a_remote_is_caught() {
        let path = "crates/connectors/src/files/client.rs";
        let messages = found(&[(path, Some("//! Head.\n"))]);
        assert!(messages.iter().any(|message| message.contains("`files` has no remote")), "{messages:?}");
    }

    #[test]
    fn a_long_introduction_a_large_connector_and_scattered_files_are_caught() {
        let introduction = "//! Head.\n".repeat(61);
        let messages = found(&[("crates/connectors/src/mailbox/mod.rs", Some(&introduction))]);
        assert_eq!(messages, ["61 lines in mod.rs, allowed are 60"]);

        let large = "//! Head.\n".repeat(1200);
        let messages = found(&[("crates/connectors/src/mailbox/read.rs", Some(&large))]);
        assert_eq!(messages, ["1205 lines in connector `mailbox`, allowed are 1200"]);

        let extra = ["a", "b", "c", "d"].map(|name| format!("crates/connectors/src/mailbox/{name}.rs"));
        let changes: Vec<(&str, Option<&str>)> =
            extra.iter().map(|path| (path.as_str(), Some("//! X.\n"))).collect();
        assert_eq!(found(&changes), ["4 files beside the usual in connector `mailbox`, allowed are 3"]);
    }

    #[test]
    fn a_file_that_the_guide_leaves_out_is_caught() {
        let rows = FILES.iter().map(|file| format!("| `{file}` | explained |\n")).collect::<String>();
        assert_eq!(found(&[(GUIDE, Some(&rows))]), ["a connector's client.rs is not explained"]);
    }

    #[test]
    fn tests_and_fixtures_cost_nothing() {
        let tests = "//! Head.\n".repeat(5000);
        let messages = found(&[
            ("crates/connectors/src/mailbox/tests.rs", Some(&tests)),
            ("crates/connectors/src/mailbox/tests/golden.rs", Some(&tests)),
            ("crates/connectors/src/mailbox/fixtures/answer.json", Some("{}")),
        ]);
        assert_eq!(messages, [""; 0]);
    }

    #[test]
    fn a_connector_registered_nowhere_or_twice_is_caught() {
        let nowhere = "//! All.\nmod mailbox;\n// mailbox\n";
        assert_eq!(found(&[(REGISTRY, Some(nowhere))]), ["connector `mailbox` is not registered"]);
        let twice = format!("{REGISTERED}const AGAIN: Entry = mailbox::open;\n");
        assert_eq!(
            found(&[(REGISTRY, Some(&twice))]),
            ["connector `mailbox` stands in 2 lines, one is enough"]
        );
    }
}
