//! Links between the documents of this tree.

use super::markdown::{anchors, code_spans, links};
use super::tree::TextFile;
use super::{Finding, Tree};

/// Documents that say how things were.
const HISTORY: &[&str] = &["CHANGELOG.md", "docs/decisions/"];

/// The folders in which paths begin that the documents name.
const FOLDERS: &[&str] = &["bench/", "crates/", "docs/", "examples/", "xtask/"];

/// Every link to a file, a folder or a heading of this tree leads there, and so does every path in code, such as
/// `docs/logging.md`. Only what is history may name what is gone.
pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in tree.markdown_files() {
        for link in links(&file.text) {
            if let Some(message) = broken(tree, file, &link.target) {
                findings.push(Finding::new(&file.path, link.line, message));
            }
        }
        if !HISTORY.iter().any(|history| file.path.starts_with(history)) {
            findings.extend(broken_paths(tree, file));
        }
    }
    findings
}

fn broken_paths(tree: &Tree, file: &TextFile) -> Vec<Finding> {
    let paths = code_spans(&file.text).filter(|(_, span)| is_path_of_this_tree(span));
    let gone = paths.filter(|(_, path)| !tree.exists(path.trim_end_matches('/')));
    gone.map(|(line, path)| Finding::new(&file.path, line, format!("{path} does not exist"))).collect()
}

/// True for `crates/api`, not for `crates/<name>` nor for `cat docs/api.md`.
fn is_path_of_this_tree(span: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_-./".contains(&byte);
    FOLDERS.iter().any(|folder| span.starts_with(folder)) && span.bytes().all(is_plain)
}

fn broken(tree: &Tree, from: &TextFile, target: &str) -> Option<String> {
    if leads_outside(target) {
        return None;
    }
    let (path, anchor) = target.split_once('#').unwrap_or((target, ""));
    let path = if path.is_empty() { from.path.clone() } else { resolved(&from.path, path)? };
    if !tree.exists(&path) {
        return Some(format!("`{target}` leads to {path}, which does not exist"));
    }
    let document = tree.markdown_files().iter().find(|file| file.path == path)?;
    let missing = !anchor.is_empty() && !anchors(&document.text).iter().any(|known| known == anchor);
    missing.then(|| format!("`{target}`: {path} has no heading for #{anchor}"))
}

/// True for a scheme (`https:`), a place on a server (`/docs`) and nothing at all.
fn leads_outside(target: &str) -> bool {
    let scheme = target.split_once(':').is_some_and(|(scheme, _)| {
        !scheme.is_empty()
            && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
    });
    scheme || target.starts_with('/') || target.is_empty()
}

/// The path from the root of the tree; a link that climbs above the root resolves to a path that never exists.
fn resolved(from: &str, target: &str) -> Option<String> {
    let mut parts: Vec<&str> = from.split('/').collect();
    parts.pop()?;
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_none_or(|last| *last == "..") => parts.push(".."),
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<String> {
        let tree = Tree::planted(&[
            ("docs/api.md", text),
            ("docs/logging.md", "# What is never logged\n"),
            ("README.md", "# Inlet\n"),
        ]);
        check(&tree).into_iter().map(|finding| finding.message).collect()
    }

    #[test]
    fn a_link_to_nothing_is_caught() {
        assert_eq!(found("[a](gone.md)"), ["`gone.md` leads to docs/gone.md, which does not exist"]);
        assert_eq!(found("[a](../../README.md)").len(), 1);
        assert_eq!(
            found("[a](logging.md#gone)"),
            ["`logging.md#gone`: docs/logging.md has no heading for #gone"]
        );
        assert_eq!(found("[a](#gone)").len(), 1);
    }

    #[test]
    fn a_path_in_code_that_is_gone_is_caught() {
        assert_eq!(found("See `docs/gone.md`."), ["docs/gone.md does not exist"]);
        assert_eq!(found("`docs/logging.md` `docs/` `docs/<page>.md` `cat docs/gone.md` `gone.md`"), [""; 0]);
    }

    #[test]
    fn links_that_lead_somewhere_pass() {
        let text =
            "# Here\n[a](logging.md#what-is-never-logged) [b](../README.md) [c](./) [d](#here) [e](..)\n";
        assert_eq!(found(text), [""; 0]);
        assert_eq!(found("[a](https://example.com/x.md) [b](mailto:a@b.c) [c](/docs)"), [""; 0]);
    }
}
