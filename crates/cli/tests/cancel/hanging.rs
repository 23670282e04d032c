//! What hangs within the server, by its fault points.

use std::path::PathBuf;
use std::process::Command;

use crate::harness::{Home, until};

/// The faults of one server, and what it tells of them.
#[derive(Debug)]
pub(super) struct Faults {
    faults: String,
    log: PathBuf,
}

impl Faults {
    pub(super) fn new(home: &Home, faults: &str) -> Self {
        Self { faults: faults.to_owned(), log: home.join("faults.log") }
    }

    pub(super) fn none(home: &Home) -> Self {
        Self::new(home, "")
    }

    pub(super) fn apply_to(&self, command: &mut Command) {
        command.env("INLET_FAULTS", &self.faults).env("INLET_FAULTS_LOG", &self.log);
    }

    /// Waits until the server hangs where the first of the faults says.
    pub(super) fn wait_until_it_hangs(&self) {
        let hangs = self.first();
        self.wait_for(hangs);
    }

    /// Waits until what hung goes on.
    pub(super) fn wait_until_over(&self) {
        if !self.faults.is_empty() {
            self.wait_for(&format!("{} over", self.first()));
        }
    }

    fn first(&self) -> &str {
        self.faults.split('=').next().unwrap()
    }

    fn wait_for(&self, line: &str) {
        let is_there = || {
            let log = std::fs::read_to_string(&self.log).unwrap_or_default();
            log.lines().any(|found| found == line)
        };
        until(is_there).unwrap_or_else(|()| panic!("the server does not pass {line}"));
    }
}
