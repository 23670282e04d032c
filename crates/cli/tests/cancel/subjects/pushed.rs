//! Pushed records: they lie in the collection itself, whose reading hangs.

use serde_json::{Value, json};

use super::{Calls, Place, ROWS, Subject, THIRD_COMMIT, line};
use crate::harness::Home;

/// Records of one push: several pushes are a batch.
const PUSHED_AT_ONCE: u64 = 1_000;

pub(super) struct Pushed(Place);

impl Pushed {
    pub(super) fn new(place: Place) -> Self {
        Self(place)
    }
}

impl Subject for Pushed {
    fn name(&self) -> &'static str {
        "pushed"
    }

    fn kind(&self) -> &'static str {
        "external_source"
    }

    fn prepare(&mut self, _home: &Home) {}

    fn connector(&self) -> Value {
        json!({"name": "rows", "type": "external_source"})
    }

    fn fill(&mut self, calls: &Calls, connector: &str) {
        for first in (1..=ROWS).step_by(PUSHED_AT_ONCE as usize) {
            let records: Vec<Value> = (first..first + PUSHED_AT_ONCE).map(line).collect();
            calls.post(&format!("{connector}/records?stream=rows&key_field=id"), &json!(records));
        }
    }

    fn faults(&self) -> String {
        // The first look is at which streams there are.
        match self.0 {
            Place::Connect => "inbox.read@1=sleep:2500".to_owned(),
            Place::Read => "inbox.read@4=sleep:2500,inbox.read@*=sleep:60".to_owned(),
            Place::Commit => format!("{THIRD_COMMIT},inbox.read@*=sleep:260"),
        }
    }
}
