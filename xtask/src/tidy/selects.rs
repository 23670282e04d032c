//! What the simulation of the engine needs: the same seed leads to the same order of events.

use super::lexer::words;
use super::rust_file::RustFile;
use super::{Finding, Tree};

/// The crates whose code the simulation runs.
const SIMULATED: &[&str] = &["crates/sync/", "crates/source/"];

/// Every `select!` of the engine, and of what sources send through, looks at its branches in the order they stand in.
pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let simulated = |file: &&RustFile| SIMULATED.iter().any(|folder| file.path.starts_with(folder));
    tree.rust_files().iter().filter(simulated).flat_map(drawn).collect()
}

/// The places where chance decides which branch is looked at first.
fn drawn(file: &RustFile) -> Vec<Finding> {
    let selects = words(&file.code).filter(|(_, word)| *word == "select");
    let drawn = selects.filter(|(offset, word)| {
        let behind = file.code[offset + word.len()..].strip_prefix('!');
        behind.is_some_and(|behind| words(behind).next().is_none_or(|(_, word)| word != "biased"))
    });
    let message = "chance decides which branch is first: say `biased;`, and put the branches into an order";
    drawn.map(|(offset, _)| Finding::new(&file.path, file.line_of(offset), message)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(path: &str, text: &str) -> Vec<usize> {
        check(&Tree::planted(&[(path, text)])).iter().map(|finding| finding.line).collect()
    }

    #[test]
    fn a_select_that_throws_dice_is_caught_where_the_simulation_runs() {
        let text = "//! Head.\ntokio::select! {\n    a = b => {}\n}\nselect! {\n    // biased;\n    c = d => {}\n}\n";
        assert_eq!(lines("crates/sync/src/run.rs", text), [2, 5]);
        assert_eq!(lines("crates/source/src/outlet.rs", text), [2, 5]);
        assert_eq!(lines("crates/webhooks/src/work.rs", text), [0; 0]);
    }

    #[test]
    fn a_select_with_an_order_passes_and_so_does_a_mere_name() {
        let text =
            "tokio::select! {\n    biased;\n    a = b => {}\n}\nfn select(biased: bool) {}\nselect(true);\n";
        assert_eq!(lines("crates/sync/src/run.rs", text), [0; 0]);
    }
}
