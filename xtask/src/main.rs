//! Chores of this repository, run as `cargo xtask NAME`.

mod tidy;

use std::process::ExitCode;

const USAGE: &str = "\
usage: cargo xtask tidy

  tidy   checks the rules of this tree: dependency directions, manifests, the file set of a connector,
         size budgets, names, attributes, links. `cargo nextest run -p xtask` runs the same checks.";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["tidy"] => tidy(),
        ["help" | "--help" | "-h"] => {
            say(USAGE);
            ExitCode::SUCCESS
        }
        _ => {
            complain(USAGE);
            ExitCode::from(2)
        }
    }
}

fn tidy() -> ExitCode {
    let tree = match tidy::Tree::of_this_workspace() {
        Ok(tree) => tree,
        Err(error) => {
            complain(&format!("tidy: {}", with_causes(&error)));
            return ExitCode::from(2);
        }
    };
    let offences = tidy::check(&tree);
    for offence in &offences {
        complain(&offence.to_string());
    }
    if offences.is_empty() {
        say(&format!("tidy: {} rules hold over {} files", tidy::RULES.len(), tree.file_count()));
        return ExitCode::SUCCESS;
    }
    complain(&format!("tidy: offences: {}", offences.len()));
    ExitCode::FAILURE
}

fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text.push_str(": ");
        text.push_str(&inner.to_string());
        cause = inner.source();
    }
    text
}

#[expect(clippy::print_stdout, reason = "a command answers on standard output")]
fn say(text: &str) {
    println!("{text}");
}

#[expect(clippy::print_stderr, reason = "a command complains on standard error")]
fn complain(text: &str) {
    eprintln!("{text}");
}
