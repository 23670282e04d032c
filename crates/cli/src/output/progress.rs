//! How a sync comes on: one moving line on a terminal, or a line for each step.

use std::cell::RefCell;
use std::io::{self, IsTerminal};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use inlet_model::Counts;

use super::OutputFormat;
use super::numbers;

/// The line: what is read, how much of it so far, and how fast.
#[derive(Debug)]
pub(crate) struct Progress {
    bar: ProgressBar,
    started: Instant,
    /// What was said last, where lines are wanted.
    lines: Option<RefCell<Step>>,
}

/// A step of a sync that was told.
#[derive(Debug, Default)]
struct Step {
    status: String,
    counts: Counts,
    told: Option<Instant>,
}

/// A running sync is told of this often at most.
const BETWEEN_LINES: Duration = Duration::from_secs(1);

impl Step {
    /// Whether this is news that is worth a line by now.
    fn is_behind(&self, status: &str, counts: &Counts, now: Instant) -> bool {
        let is_due = self.told.is_none_or(|told| now.duration_since(told) >= BETWEEN_LINES);
        self.status != status || (self.counts != *counts && is_due)
    }
}

impl Progress {
    /// A line for `what`. It shows only if standard error is a terminal and a person reads the result.
    pub(crate) fn start(what: &str, output: OutputFormat) -> Self {
        let is_shown = output == OutputFormat::Table && io::stderr().is_terminal();
        let target =
            if is_shown { ProgressDrawTarget::stderr_with_hz(10) } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target(None, target);
        let style = ProgressStyle::with_template("{spinner} {prefix}  {wide_msg}");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
        bar.set_prefix(what.chars().filter(|character| !character.is_control()).collect::<String>());
        if is_shown {
            bar.enable_steady_tick(Duration::from_millis(100));
        }
        Self { bar, started: Instant::now(), lines: None }
    }

    /// As [`start`](Self::start), but where no terminal shows the line, each step is said.
    pub(crate) fn start_told(what: &str, output: OutputFormat) -> Self {
        let progress = Self::start(what, output);
        let is_told = output == OutputFormat::Table && progress.bar.is_hidden();
        Self { lines: is_told.then(RefCell::default), ..progress }
    }

    /// Shows how the sync stands.
    pub(crate) fn show(&self, status: &str, counts: &Counts) {
        if !self.bar.is_hidden() {
            self.bar.set_message(line(status, counts, self.started.elapsed()));
        }
        if let Some(lines) = &self.lines {
            let (mut step, now) = (lines.borrow_mut(), Instant::now());
            if step.is_behind(status, counts, now) {
                super::say(&line(status, counts, self.started.elapsed()));
                *step = Step { status: status.to_owned(), counts: *counts, told: Some(now) };
            }
        }
    }

    /// What lets another thread change what the line says.
    pub(crate) fn line(&self) -> impl Fn(String) + Send + 'static {
        let bar = self.bar.clone();
        move |text| bar.set_message(text)
    }

    /// Says something above the line, or where the line would be.
    pub(crate) fn say(&self, text: &str) {
        self.bar.suspend(|| super::say(text));
    }

    /// Removes the line.
    pub(crate) fn end(self) {
        self.bar.finish_and_clear();
    }
}

fn line(status: &str, counts: &Counts, elapsed: Duration) -> String {
    let seen = counts.read.saturating_add(counts.deleted);
    let mut parts = vec![status.to_owned(), numbers::counted(seen, "record")];
    if seen == 0 {
        return status.to_owned();
    }
    if let Some(rate) = numbers::per_second(seen, elapsed) {
        parts.push(format!("{} records/s", numbers::count(rate)));
    }
    parts.push(numbers::bytes(counts.bytes));
    if counts.rejected > 0 {
        parts.push(format!("{} rejected", numbers::count(counts.rejected)));
    }
    parts.join("  ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_has_records_speed_and_bytes() {
        let counts = Counts { read: 12_000, bytes: 3_400_000, rejected: 2, ..Counts::default() };
        assert_eq!(
            line("running", &counts, Duration::from_secs(2)),
            "running  12,000 records  6,000 records/s  3.4 MB  2 rejected"
        );
    }

    #[test]
    fn a_step_is_told_when_it_is_new_and_not_too_often() {
        let counts = |read| Counts { read, ..Counts::default() };
        let now = Instant::now();
        let step = Step { status: "running".to_owned(), counts: counts(1), told: Some(now) };
        let soon = now + BETWEEN_LINES / 2;
        let later = now + BETWEEN_LINES;
        assert!(step.is_behind("cancelling", &counts(1), soon), "another status");
        assert!(!step.is_behind("running", &counts(2), soon), "so soon");
        assert!(step.is_behind("running", &counts(2), later));
        assert!(!step.is_behind("running", &counts(1), later), "nothing new");
        assert!(Step::default().is_behind("queued", &counts(0), now));
    }
}
