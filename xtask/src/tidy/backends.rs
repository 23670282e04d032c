//! Only the command line names a backend or a connector; the engine and the API are given them.

use super::connectors::connector_names;
use super::lexer::words;
use super::rust_file::RustFile;
use super::{Finding, Tree};

/// The crates that must work with any backend and any connector.
const NEUTRAL: &[&str] =
    &["crates/model/", "crates/source/", "crates/sync/", "crates/webhooks/", "crates/api/"];

/// How the name of a backend, or of its driver, begins.
const BACKENDS: &[&str] = &["sqlite", "rusqlite", "postgres", "tokio_postgres"];

/// No neutral crate names one of them outside of its tests.
pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let connectors = connector_names(tree);
    let neutral = |file: &&RustFile| NEUTRAL.iter().any(|folder| file.path.starts_with(folder));
    let files = tree.rust_files().iter().filter(neutral);
    files.flat_map(|file| named_backends(file).chain(named_connectors(file, &connectors))).collect()
}

fn named_backends(file: &RustFile) -> impl Iterator<Item = Finding> {
    let names = words(&file.code).filter(|(offset, word)| is_backend(word) && !file.is_test_code(*offset));
    names.map(|(offset, word)| {
        let message = format!("`{word}` names a backend: take a trait of `store`, the command line chooses");
        Finding::new(&file.path, file.line_of(offset), message)
    })
}

fn is_backend(word: &str) -> bool {
    let word = word.to_ascii_lowercase();
    BACKENDS.iter().any(|backend| word.starts_with(backend))
}

fn named_connectors(file: &RustFile, connectors: &[&str]) -> impl Iterator<Item = Finding> {
    let is_connector = |text: &str| connectors.contains(&text);
    let strings = file.strings.iter().filter(move |literal| is_connector(&literal.text));
    strings.filter(|literal| !file.is_test_code(literal.offset)).map(|literal| {
        let message = format!("\"{}\" names a connector: ask the source for its capabilities", literal.text);
        Finding::new(&file.path, file.line_of(literal.offset), message)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(path: &str, text: &str) -> Vec<usize> {
        let tree =
            Tree::planted(&[(path, text), ("crates/connectors/src/mailbox/mod.rs", "//! A mailbox.\n")]);
        check(&tree).iter().map(|finding| finding.line).collect()
    }

    #[test]
    fn a_backend_named_by_a_neutral_crate_is_caught() {
        let text = "//! Head.\nuse inlet_store::sqlite::Catalog;\nfn open() -> SqliteStore {}\n";
        assert_eq!(lines("crates/sync/src/run.rs", text), [2, 3]);
        assert_eq!(lines("crates/api/src/auth.rs", "use tokio_postgres::Row;\n"), [1]);
    }

    #[test]
    fn a_connector_named_by_a_neutral_crate_is_caught() {
        assert_eq!(lines("crates/api/src/auth.rs", "const A: &str = \"mailbox\";\n"), [1]);
        assert_eq!(lines("crates/api/src/auth.rs", "const A: &str = \"a mailbox\";\n"), [0; 0]);
    }

    #[test]
    fn tests_comments_and_the_command_line_may_name_them() {
        let text =
            "// sqlite\n#[cfg(test)]\nmod tests { use inlet_store::sqlite; const A: &str = \"mailbox\"; }\n";
        assert_eq!(lines("crates/sync/src/run.rs", text), [0; 0]);
        assert_eq!(lines("crates/cli/src/serve.rs", "use inlet_store::sqlite;\n"), [0; 0]);
    }
}
