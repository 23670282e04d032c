//! What commands print: tables for people, JSON for programs, progress while they wait.

pub(crate) mod json;
pub(crate) mod numbers;
pub(crate) mod object;
pub(crate) mod progress;
pub(crate) mod records;
pub(crate) mod table;

use std::io::{self, Write};

use clap::ValueEnum;

/// How a result is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum OutputFormat {
    /// For people
    Table,
    /// For programs, as the API gives it: one object a line
    Json,
}

/// Says something to the person who waits: a line on standard error. If nobody can read it, nobody needs it.
pub(crate) fn say(text: &str) {
    let _unread = writeln!(io::stderr().lock(), "{text}");
}

/// Prints a result on standard output, and hands it to the reader at once.
pub(crate) fn print(text: &str) -> io::Result<()> {
    print_bytes(text.as_bytes())
}

/// As [`print`], whatever it is.
pub(crate) fn print_bytes(bytes: &[u8]) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(bytes)?;
    stdout.flush()
}

/// A text of several lines without other control characters, which could move the cursor or colour what follows.
pub(crate) fn printable(text: &str) -> String {
    text.chars().filter(|character| *character == '\n' || !character.is_control()).collect()
}
