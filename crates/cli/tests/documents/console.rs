//! Finds the commands of a document.

/// A command, and what the document says it prints.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Step {
    pub(super) line: usize,
    pub(super) command: String,
    pub(super) output: String,
}

/// The commands of the document's `console` blocks, in order. One goes on in the next line after a `\` at its end.
pub(super) fn steps(text: &str) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    let (mut inside, mut goes_on) = (false, false);
    for (index, line) in text.lines().enumerate() {
        if line.starts_with("```") {
            inside = line == "```console";
        } else if inside && let Some(command) = line.strip_prefix("$ ") {
            steps.push(Step { line: index + 1, command: command.to_owned(), output: String::new() });
            goes_on = command.ends_with('\\');
        } else if inside && let Some(step) = steps.last_mut() {
            let text = if goes_on { &mut step.command } else { &mut step.output };
            if goes_on {
                text.push('\n');
            }
            text.push_str(line);
            if !goes_on {
                text.push('\n');
            }
            goes_on &= line.ends_with('\\');
        }
    }
    steps
}

#[test]
fn only_console_blocks_hold_commands() {
    let text = "# A\n```sh\n$ no\n```\n```console\n$ one \\\n  more\nout\nput\n$ two\n```\n$ text\n";
    let step = |line, command: &str, output: &str| Step {
        line,
        command: command.to_owned(),
        output: output.to_owned(),
    };
    assert_eq!(steps(text), [step(6, "one \\\n  more", "out\nput\n"), step(10, "two", "")]);
}
