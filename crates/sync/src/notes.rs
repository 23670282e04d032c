//! Lines of a run's log that wait for its next write.

use std::sync::{Mutex, MutexGuard};

use inlet_model::log::NewLogLine;

use crate::lines;

/// More lines do not wait.
const MAX: usize = 1_000;

/// The lines that wait.
#[derive(Debug, Default)]
pub(crate) struct Notes(Mutex<Waiting>);

#[derive(Debug, Default, Clone)]
struct Waiting {
    lines: Vec<NewLogLine>,
    untold: u64,
}

impl Waiting {
    fn told(self) -> Vec<NewLogLine> {
        let Self { mut lines, untold } = self;
        lines.extend((untold > 0).then(|| lines::untold(untold)));
        lines
    }
}

impl Notes {
    /// Adds a line. Of very many that come at once only the number is kept.
    pub(crate) fn add(&self, line: NewLogLine) {
        let mut waiting = self.lock();
        if waiting.lines.len() < MAX {
            waiting.lines.push(line);
        } else {
            waiting.untold += 1;
        }
    }

    /// The lines, which wait no more.
    pub(crate) fn take(&self) -> Vec<NewLogLine> {
        std::mem::take(&mut *self.lock()).told()
    }

    /// The lines, which go on waiting: for a write that may have to be done again.
    pub(crate) fn copy(&self) -> Vec<NewLogLine> {
        self.lock().clone().told()
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.0.lock().expect("no holder panics")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_is_counted_and_not_kept() {
        let notes = Notes::default();
        for number in 0..MAX + 5 {
            notes.add(lines::warning(number.to_string()));
        }
        assert_eq!(notes.copy().len(), MAX + 1);
        let taken = notes.take();
        assert!(taken.last().unwrap().message().starts_with("5 lines"));
        assert_eq!(notes.take(), []);
    }
}
