//! The rules this tree keeps, each one a function from the tree to its offences.
//!
//! `cargo xtask tidy` and the tests at the end of this file run the same table. Sources are read as text
//! by a small lexer, which is enough for what is asked here and builds in a second.

mod attributes;
mod backends;
mod budgets;
mod connectors;
mod directions;
mod functions;
mod lexer;
mod links;
mod manifests;
mod markdown;
mod names;
mod rust_file;
mod selects;
mod tree;

use std::fmt;

pub(crate) use tree::Tree;

/// One rule: its name in the output, and the check.
pub(crate) struct Rule {
    name: &'static str,
    check: fn(&Tree) -> Vec<Finding>,
}

/// Every rule of the tree.
pub(crate) const RULES: &[Rule] = &[
    Rule { name: "directions", check: directions::check },
    Rule { name: "manifests", check: manifests::check },
    Rule { name: "backends", check: backends::check },
    Rule { name: "connectors", check: connectors::check },
    Rule { name: "budgets", check: budgets::check },
    Rule { name: "names", check: names::check },
    Rule { name: "attributes", check: attributes::check },
    Rule { name: "links", check: links::check },
    Rule { name: "selects", check: selects::check },
];

/// What a rule found, and where.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Finding {
    path: String,
    line: usize,
    message: String,
}

impl Finding {
    fn new(path: impl Into<String>, line: usize, message: impl Into<String>) -> Self {
        Self { path: path.into(), line, message: message.into() }
    }
}

/// A finding with the name of the rule it offends.
#[derive(Debug)]
pub(crate) struct Offence {
    rule: &'static str,
    finding: Finding,
}

impl fmt::Display for Offence {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Finding { path, line, message } = &self.finding;
        write!(formatter, "{path}:{line}: {}: {message}", self.rule)
    }
}

/// Runs every rule and lists every offence, by rule, then by place.
pub(crate) fn check(tree: &Tree) -> Vec<Offence> {
    RULES.iter().flat_map(|rule| offences(rule, tree)).collect()
}

fn offences(rule: &Rule, tree: &Tree) -> Vec<Offence> {
    let mut findings = (rule.check)(tree);
    findings.sort();
    findings.dedup();
    findings.into_iter().map(|finding| Offence { rule: rule.name, finding }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Runs one rule over this repository and fails with every offence.
    fn holds(name: &str) {
        let rule = RULES.iter().find(|rule| rule.name == name).expect("a rule of the table");
        let tree = Tree::of_this_workspace().unwrap();
        let offences: Vec<String> = offences(rule, &tree).iter().map(ToString::to_string).collect();
        assert!(offences.is_empty(), "offences: {}\n{}", offences.len(), offences.join("\n"));
    }

    #[test]
    fn crates_depend_only_in_the_allowed_directions() {
        holds("directions");
    }

    #[test]
    fn every_crate_keeps_the_lints_and_the_one_table_of_versions() {
        holds("manifests");
    }

    #[test]
    fn only_the_cli_names_a_backend_or_a_connector() {
        holds("backends");
    }

    #[test]
    fn every_connector_has_the_same_files_within_its_budget() {
        holds("connectors");
    }

    #[test]
    fn files_and_functions_are_within_their_budgets() {
        holds("budgets");
    }

    #[test]
    fn names_say_something_and_every_file_says_what_it_is_for() {
        holds("names");
    }

    #[test]
    fn no_lint_is_allowed_and_no_test_ignored() {
        holds("attributes");
    }

    #[test]
    fn every_relative_link_of_the_documents_resolves() {
        holds("links");
    }

    #[test]
    fn the_engine_leaves_no_order_to_chance() {
        holds("selects");
    }

    #[test]
    fn an_offence_reads_as_place_rule_and_message() {
        let tree = Tree::planted(&[("crates/api/src/utils.rs", "//! Odds and ends.\n")]);
        let offences: Vec<String> = check(&tree).iter().map(ToString::to_string).collect();
        assert_eq!(
            offences,
            ["crates/api/src/utils.rs:1: names: `utils` says nothing: name the file after its one duty"]
        );
    }
}
