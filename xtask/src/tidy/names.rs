//! Names that say what a file is for, and a head that says it in a sentence.

use super::rust_file::RustFile;
use super::{Finding, Tree};

/// Names under which anything may gather.
const EMPTY_NAMES: &[&str] =
    &["base", "common", "core", "helper", "helpers", "manager", "misc", "shared", "types", "util", "utils"];

/// Every Rust file and folder has a telling name, and every file starts with `//!`.
pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    tree.rust_files().iter().flat_map(|file| empty_names(file).chain(missing_head(file))).collect()
}

fn empty_names(file: &RustFile) -> impl Iterator<Item = Finding> {
    let parts = file.path.trim_end_matches(".rs").split('/');
    parts.filter(|part| EMPTY_NAMES.contains(part)).map(|part| {
        let message = format!("`{part}` says nothing: name the file after its one duty");
        Finding::new(&file.path, 1, message)
    })
}

fn missing_head(file: &RustFile) -> Option<Finding> {
    let first = file.text.lines().next().unwrap_or_default();
    let says_something = first.strip_prefix("//!").is_some_and(|head| !head.trim().is_empty());
    (!says_something).then(|| {
        Finding::new(
            &file.path,
            1,
            "no head: the first line is `//! ` and what the file is for, in a sentence",
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(path: &str, text: &str) -> Vec<String> {
        check(&Tree::planted(&[(path, text)])).into_iter().map(|finding| finding.message).collect()
    }

    #[test]
    fn a_name_that_says_nothing_is_caught_in_a_file_and_in_a_folder() {
        assert_eq!(found("crates/sync/src/helpers.rs", "//! Help.\n").len(), 1);
        assert_eq!(found("crates/common/src/lib.rs", "//! All.\n").len(), 1);
        assert_eq!(found("crates/sync/src/connector_types.rs", "//! The types of connector.\n"), [""; 0]);
    }

    #[test]
    fn a_missing_or_empty_head_is_caught() {
        for text in ["", "use std::fmt;\n", "//!\n//! Late.\n", "// A plain comment.\n"] {
            assert_eq!(found("crates/sync/src/plan.rs", text).len(), 1, "{text}");
        }
        assert_eq!(found("crates/sync/src/plan.rs", "//! Which streams a sync reads.\n"), [""; 0]);
    }
}
