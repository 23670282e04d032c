//! Size budgets: a file or a function that passes them has more than one duty.

use super::functions::functions;
use super::{Finding, Tree};

const FILE_LINES: usize = 600;
const FUNCTION_LINES: usize = 70;

/// No file is over its budget, and no function outside of test code is.
pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in tree.rust_files() {
        let lines = file.line_count();
        if lines > FILE_LINES {
            let message = format!("{lines} lines, allowed are {FILE_LINES}: split it by duty");
            findings.push(Finding::new(&file.path, FILE_LINES + 1, message));
        }
        for function in functions(&file.code) {
            if function.lines > FUNCTION_LINES && !file.is_test_code(function.offset) {
                let message = format!(
                    "`fn {}` has {} lines, allowed are {FUNCTION_LINES}: move its steps into functions",
                    function.name, function.lines
                );
                findings.push(Finding::new(&file.path, file.line_of(function.offset), message));
            }
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    fn function_of(lines: usize) -> String {
        format!("fn long() {{\n{}}}\n", "    step();\n".repeat(lines - 2))
    }

    fn found(text: &str) -> Vec<(usize, String)> {
        let tree = Tree::planted(&[("crates/sync/src/plan.rs", text)]);
        check(&tree).into_iter().map(|finding| (finding.line, finding.message)).collect()
    }

    #[test]
    fn a_function_of_71_lines_is_caught_and_one_of_70_is_not() {
        assert_eq!(found(&format!("//! Head.\n{}", function_of(70))), []);
        let caught = found(&format!("//! Head.\n{}", function_of(71)));
        assert_eq!(caught.len(), 1);
        assert_eq!(caught[0].0, 2);
        assert!(caught[0].1.starts_with("`fn long` has 71 lines"), "{}", caught[0].1);
    }

    #[test]
    fn a_long_function_in_test_code_passes_but_a_long_file_does_not() {
        assert_eq!(found(&format!("#[cfg(test)]\nmod tests {{\n{}}}\n", function_of(100))), []);
        assert_eq!(found(&"// a line\n".repeat(600)), []);
        assert_eq!(found(&"// a line\n".repeat(601))[0].0, 601);
    }
}
