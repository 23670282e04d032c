//! Finds the commands of a document, and leaves no block out in silence.

/// A command, and what the document says of it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Step {
    pub(super) line: usize,
    pub(super) command: String,
    pub(super) check: Check,
}

/// What must come of a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Check {
    /// It prints this.
    Prints(String),
    /// It succeeds; if there is an answer of JSON behind it, the real one has its fields.
    Succeeds { answer: Option<String> },
    /// It is answered: the document says why it may be refused.
    IsAnswered,
}

/// The kinds of blocks that hold no commands.
const OTHERS: &[&str] = &["json", "rust", "text", "toml", "sql", "csv", "yaml", "typescript", "python"];

/// The steps of the document in order, or what is wrong with its blocks.
pub(super) fn steps(text: &str) -> Result<Vec<Step>, Vec<String>> {
    let lines: Vec<&str> = text.lines().collect();
    let (mut steps, mut faults) = (Vec::new(), Vec::new());
    let mut at = 0;
    while at < lines.len() {
        let line = lines[at].trim_start();
        if !line.starts_with("```") && !line.starts_with("~~~") {
            at += 1;
            continue;
        }
        let end = (at + 1..lines.len()).find(|end| lines[*end].trim() == "```").unwrap_or(lines.len());
        let inside = &lines[at + 1..end];
        match read(&lines, at, inside, &lines[(end + 1).min(lines.len())..]) {
            Ok(found) => steps.extend(found),
            Err(fault) => faults.push(format!("line {}: {fault}", at + 1)),
        }
        at = end + 1;
    }
    if faults.is_empty() { Ok(steps) } else { Err(faults) }
}

/// The steps of the block that begins in line `at`.
fn read(lines: &[&str], at: usize, inside: &[&str], behind: &[&str]) -> Result<Vec<Step>, String> {
    let kind = match lines[at] {
        "```console" | "```sh" => &lines[at][3..],
        other if OTHERS.iter().any(|kind| other.trim_start() == format!("```{kind}")) => {
            return Ok(Vec::new());
        }
        other => {
            return Err(format!(
                "`{other}` opens a block whose commands nobody runs: use console or sh for commands, unindented, and else one of {}",
                OTHERS.join(", ")
            ));
        }
    };
    let notes = Notes::above(&lines[..at])?;
    if notes.is_not_run {
        return Ok(Vec::new());
    }
    let mut steps = notes.before;
    steps.extend(match kind {
        "console" => console(at + 2, inside)?,
        _ => script(at + 2, inside, answer(behind)),
    });
    if notes.is_answered {
        steps.iter_mut().for_each(|step| step.check = Check::IsAnswered);
    }
    Ok(steps)
}

/// What comments directly above a block say of it.
struct Notes {
    is_not_run: bool,
    is_answered: bool,
    before: Vec<Step>,
}

/// A reason in fewer letters is none.
const SHORTEST_REASON: usize = 15;

impl Notes {
    fn above(lines: &[&str]) -> Result<Self, String> {
        let first = lines.iter().rposition(|line| !line.starts_with("<!-- ")).map_or(0, |last| last + 1);
        let mut notes = Self { is_not_run: false, is_answered: false, before: Vec::new() };
        for (index, line) in lines.iter().enumerate().skip(first) {
            let Some(note) = line.strip_prefix("<!-- ").and_then(|line| line.strip_suffix(" -->")) else {
                return Err(format!("`{line}` is not a comment of one line"));
            };
            match note.split_once(": ") {
                Some(("not run" | "any answer", reason)) if reason.len() < SHORTEST_REASON => {
                    return Err(format!("`{reason}` is no reason"));
                }
                Some(("not run", _)) => notes.is_not_run = true,
                Some(("any answer", _)) => notes.is_answered = true,
                Some(("before", command)) => notes.before.push(Step {
                    line: index + 1,
                    command: command.to_owned(),
                    check: Check::Succeeds { answer: None },
                }),
                _ => {
                    return Err(format!(
                        "`{note}` is not `not run:`, `any answer:` or `before:` with what belongs to it"
                    ));
                }
            }
        }
        Ok(notes)
    }
}

/// Commands behind `$ `, each with what it prints.
fn console(first: usize, lines: &[&str]) -> Result<Vec<Step>, String> {
    let mut steps: Vec<(usize, String, String)> = Vec::new();
    for (index, line) in lines.iter().enumerate() {
        match (steps.last_mut(), line.strip_prefix("$ ")) {
            (Some((_, command, _)), _) if goes_on(command) => {
                command.push('\n');
                command.push_str(line);
            }
            (_, Some(command)) => steps.push((first + index, command.to_owned(), String::new())),
            (Some((_, _, output)), None) => {
                output.push_str(line);
                output.push('\n');
            }
            (None, None) => return Err("the block does not begin with a command behind `$ `".to_owned()),
        }
    }
    let step = |(line, command, output)| Step { line, command, check: Check::Prints(output) };
    Ok(steps.into_iter().map(step).collect())
}

/// Commands one a line; an answer of JSON is that of the last one.
fn script(first: usize, lines: &[&str], answer: Option<String>) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    for (index, line) in lines.iter().enumerate() {
        match steps.last_mut() {
            Some(step) if goes_on(&step.command) => {
                step.command.push('\n');
                step.command.push_str(line);
            }
            _ if line.trim().is_empty() || line.starts_with('#') => {}
            _ => {
                let check = Check::Succeeds { answer: None };
                steps.push(Step { line: first + index, command: (*line).to_owned(), check });
            }
        }
    }
    if let Some(last) = steps.last_mut() {
        last.check = Check::Succeeds { answer };
    }
    steps
}

/// Whether the next line still belongs to the command: after a `\` at its end, or within quotes.
fn goes_on(command: &str) -> bool {
    let mut quote = None;
    for letter in command.chars() {
        match quote {
            Some(open) if letter == open => quote = None,
            None if letter == '"' || letter == '\'' => quote = Some(letter),
            _ => {}
        }
    }
    quote.is_some() || command.ends_with('\\')
}

/// The JSON block that follows at once.
fn answer(behind: &[&str]) -> Option<String> {
    let (first, rest) = behind.split_first()?;
    (*first == "```json")
        .then(|| rest.iter().take_while(|line| **line != "```").copied().collect::<Vec<_>>().join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(line: usize, command: &str, check: Check) -> Step {
        Step { line, command: command.to_owned(), check }
    }

    fn prints(output: &str) -> Check {
        Check::Prints(output.to_owned())
    }

    const SUCCEEDS: Check = Check::Succeeds { answer: None };

    #[test]
    fn a_console_block_has_commands_and_what_they_print() {
        let text =
            "# A\n```text\n$ no\n```\n```console\n$ one \\\n  more\nout\nput\n$ two 'a\nb'\n```\n$ text\n";
        let expected = [step(6, "one \\\n  more", prints("out\nput\n")), step(10, "two 'a\nb'", prints(""))];
        assert_eq!(steps(text).unwrap(), expected);
    }

    #[test]
    fn a_script_has_commands_and_the_last_may_have_an_answer() {
        let text = "```sh\n# why\none\n\ntwo \\\n  more\n```\n```json\n{\"a\":\n 1}\n```\n```sh\nthree\n```\n\n```json\n{}\n```\n";
        let answer = Check::Succeeds { answer: Some("{\"a\":\n 1}".to_owned()) };
        let expected =
            [step(3, "one", SUCCEEDS), step(5, "two \\\n  more", answer), step(13, "three", SUCCEEDS)];
        assert_eq!(steps(text).unwrap(), expected);
    }

    #[test]
    fn a_block_is_left_out_only_with_a_reason() {
        let text = |note: &str| format!("text\n{note}\n```sh\none\n```\n");
        assert_eq!(steps(&text("<!-- not run: it would build this very program -->")).unwrap(), []);
        assert_eq!(steps(&text("")).unwrap().len(), 1);
        for bad in
            ["<!-- not run: why -->", "<!-- not run -->", "<!-- no run: it would build this very program -->"]
        {
            assert!(steps(&text(bad)).is_err(), "{bad}");
        }
    }

    #[test]
    fn notes_prepare_a_block_and_excuse_it() {
        let text = "<!-- before: zero -->\n<!-- any answer: it may have ended by then -->\n```sh\none\n```\n";
        assert_eq!(
            steps(text).unwrap(),
            [step(1, "zero", Check::IsAnswered), step(4, "one", Check::IsAnswered)]
        );
    }

    #[test]
    fn a_block_that_nobody_would_run_is_a_fault() {
        for bad in [
            "```\none\n```\n",
            "```bash\none\n```\n",
            "  ```sh\n  one\n  ```\n",
            "~~~sh\none\n~~~\n",
            "```console\none\n```\n",
        ] {
            assert!(steps(bad).is_err(), "{bad}");
        }
        assert_eq!(steps("```json\n{}\n```\n").unwrap(), []);
    }
}
