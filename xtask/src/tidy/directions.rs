//! Which crate may depend on which.

use super::tree::{Dependency, Package};
use super::{Finding, Tree};

/// Each crate of the workspace, without the `inlet-`, and those it may know. The guide shows the same table.
///
/// `store` and `source` do not know each other; `sync` and `api` never see a connector, they are given a
/// registry of sources; only `cli` knows all.
const MAY_KNOW: &[(&str, &[&str])] = &[
    ("model", &[]),
    ("source", &["model"]),
    ("tls", &[]),
    ("connectors", &["model", "source", "tls"]),
    ("store", &["model", "tls"]),
    ("sync", &["model", "source", "store"]),
    ("webhooks", &["model", "source", "store"]),
    ("api", &["model", "source", "store", "sync", "webhooks"]),
    ("cli", &["model", "source", "connectors", "store", "sync", "webhooks", "api"]),
    ("xtask", &[]),
];

const GUIDE: &str = "CONTRIBUTING.md";

/// Every dependency between two crates of the workspace goes in an allowed direction. What only tests use
/// (dev-dependencies) is free: a test of the API may well run it over a real connector.
pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    tree.packages().iter().flat_map(|package| of_package(tree, package)).chain(wrong_in_guide(tree)).collect()
}

/// A row of the guide's table that does not say what is allowed here.
fn wrong_in_guide(tree: &Tree) -> Vec<Finding> {
    let Some(guide) = tree.markdown_files().iter().find(|file| file.path == GUIDE) else {
        return Vec::new();
    };
    let crates = MAY_KNOW.iter().filter(|(name, _)| *name != "xtask");
    let rows = crates.map(|(name, allowed)| {
        (name, format!("| `crates/{name}` | "), format!(" | {} |", in_words(allowed)))
    });
    let is_shown = |start: &str, end: &str| {
        guide.text.lines().any(|line| line.starts_with(start) && line.ends_with(end))
    };
    let wrong = rows.filter(|(_, start, end)| !is_shown(start, end));
    wrong
        .map(|(name, _, end)| Finding::new(GUIDE, 1, format!("the row of `{name}` must end with `{end}`")))
        .collect()
}

fn in_words(allowed: &[&str]) -> String {
    if allowed.is_empty() { "nothing".to_owned() } else { allowed.join(", ") }
}

fn of_package(tree: &Tree, package: &Package) -> Vec<Finding> {
    let name = short(&package.name);
    let Some((_, allowed)) = MAY_KNOW.iter().find(|(known, _)| *known == name) else {
        let message =
            format!("crate `{name}` is not in the table of directions in xtask/src/tidy/directions.rs");
        return vec![Finding::new(&package.manifest_path, 1, message)];
    };
    let shipped = package.dependencies.iter().filter(|dependency| dependency.kind.as_deref() != Some("dev"));
    shipped
        .filter(|dependency| tree.packages().iter().any(|package| package.name == dependency.name))
        .filter(|dependency| !allowed.contains(&short(&dependency.name)))
        .map(|dependency| {
            let line = line_of_dependency(tree, package, dependency);
            let message = format!("`{name}` must not know `{}`", short(&dependency.name));
            Finding::new(&package.manifest_path, line, message)
        })
        .collect()
}

fn short(name: &str) -> &str {
    name.strip_prefix("inlet-").unwrap_or(name)
}

fn line_of_dependency(tree: &Tree, package: &Package, dependency: &Dependency) -> usize {
    let declares = |line: &str| {
        let rest = line.trim_start().strip_prefix(dependency.name.as_str());
        rest.is_some_and(|rest| rest.starts_with(['.', ' ', '=']))
    };
    let manifest = tree.manifest(&package.manifest_path);
    manifest.and_then(|file| file.text.lines().position(declares)).map_or(1, |index| index + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree_where_sync_knows(dependency: &str, kind: Option<&str>) -> Tree {
        let manifest =
            format!("[package]\nname = \"inlet-sync\"\n[dependencies]\n{dependency}.workspace = true\n");
        Tree::planted(&[("crates/sync/Cargo.toml", &manifest)])
            .with_package("inlet-connectors", &[])
            .with_package("inlet-store", &[])
            .with_package("inlet-sync", &[(dependency, kind), ("tokio", None)])
    }

    #[test]
    fn a_forbidden_direction_is_caught_where_it_is_written() {
        let expected = Finding::new("crates/sync/Cargo.toml", 4, "`sync` must not know `connectors`");
        assert_eq!(check(&tree_where_sync_knows("inlet-connectors", None)), [expected]);
        assert_eq!(check(&tree_where_sync_knows("inlet-connectors", Some("build"))).len(), 1);
    }

    #[test]
    fn an_allowed_direction_and_a_dev_dependency_pass() {
        assert_eq!(check(&tree_where_sync_knows("inlet-store", None)), []);
        assert_eq!(check(&tree_where_sync_knows("inlet-connectors", Some("dev"))), []);
    }

    #[test]
    fn store_and_source_do_not_know_each_other() {
        let tree = Tree::planted(&[])
            .with_package("inlet-store", &[("inlet-source", None)])
            .with_package("inlet-source", &[("inlet-store", None)]);
        assert_eq!(check(&tree).len(), 2);
    }

    #[test]
    fn a_guide_that_says_otherwise_is_caught() {
        let row = |(name, allowed): &(&str, &[&str])| {
            format!("| `crates/{name}` | what it is | {} |\n", in_words(allowed))
        };
        let guide: String = MAY_KNOW.iter().map(row).collect();
        assert_eq!(check(&Tree::planted(&[(GUIDE, &guide)])), []);
        let guide = guide.replace("| model, source, tls |", "| model, store, tls |");
        let expected =
            Finding::new(GUIDE, 1, "the row of `connectors` must end with ` | model, source, tls |`");
        assert_eq!(check(&Tree::planted(&[(GUIDE, &guide)])), [expected]);
    }

    #[test]
    fn a_crate_that_nobody_placed_is_caught() {
        let tree = Tree::planted(&[]).with_package("inlet-shiny", &[]);
        assert!(check(&tree)[0].message.contains("`shiny` is not in the table"));
    }
}
