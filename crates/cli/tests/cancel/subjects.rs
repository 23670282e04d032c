//! A source of each type, and how it is made to hang at each place.

mod database;
mod files;
mod pushed;
mod remote;

use serde_json::{Value, json};

use super::Place;
use super::hanging::Faults;
use crate::harness::{Calls, Home, json as parsed};

/// So many that they are several batches, and with a slowed source several commits.
pub(super) const ROWS: u64 = 20_000;

/// One source with the same rows, and one place where it hangs.
pub(super) trait Subject {
    /// How it is called in tables.
    fn name(&self) -> &'static str;

    /// The type of its connector.
    fn kind(&self) -> &'static str;

    /// Makes the source.
    fn prepare(&mut self, home: &Home);

    /// What its connector is made of.
    fn connector(&self) -> Value;

    /// Fills it by the API, or reads a part of it, while nothing is wrong yet.
    fn fill(&mut self, _calls: &Calls, _connector: &str) {}

    /// The faults of the server: first what hangs, then what slows it down before that.
    fn faults(&self) -> String;

    /// Breaks the source from outside, before it is read …
    fn break_before(&mut self) {}

    /// … or once something of it was committed.
    fn break_midway(&mut self) {}

    fn wait_until_it_hangs(&self, faults: &Faults, _calls: &Calls, _sync: &str) {
        faults.wait_until_it_hangs();
    }

    fn heal(&mut self) {}

    /// How many rows the sync that is cancelled has before it.
    fn rows_to_read(&self) -> u64 {
        ROWS
    }

    /// Whether a checkpoint lies between its rows: else what was brought is found unchanged.
    fn goes_on_midway(&self) -> bool {
        true
    }

    /// All rows.
    fn rows(&self) -> Vec<(u64, String)> {
        (1..=ROWS).map(|id| (id, note(id))).collect()
    }

    /// The row that a line of the export is.
    fn row(&self, line: &str) -> (u64, String) {
        let data = &parsed(line)["data"];
        (data["id"].as_u64().unwrap(), data["note"].as_str().unwrap().to_owned())
    }
}

pub(super) fn all_subjects(place: Place) -> Vec<Box<dyn Subject>> {
    vec![
        Box::new(pushed::Pushed::new(place)),
        Box::new(files::Lines::new(place)),
        Box::new(remote::Remote::new(place, remote::Mode::Listing)),
        Box::new(remote::Remote::new(place, remote::Mode::Cursor)),
        Box::new(database::File::new(place)),
    ]
}

/// What a row says; long, so that the rows do not all go at once.
fn note(id: u64) -> String {
    format!("{id:0>180}")
}

fn line(id: u64) -> Value {
    json!({"id": id, "note": note(id)})
}

/// The third commit hangs: those before it have records.
const THIRD_COMMIT: &str = "commit.before@3=sleep:2500";
