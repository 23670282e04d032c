//! A file on a disk that does not answer: no regular file can be made to hang, so the reading of it is.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::{Place, ROWS, Subject, THIRD_COMMIT, line};
use crate::harness::Home;

pub(super) struct Lines(Place);

impl Lines {
    pub(super) fn new(place: Place) -> Self {
        Self(place)
    }
}

impl Subject for Lines {
    fn name(&self) -> &'static str {
        "files"
    }

    fn kind(&self) -> &'static str {
        "files"
    }

    fn prepare(&mut self, home: &Home) {
        let mut text = String::new();
        (1..=ROWS).for_each(|id| writeln!(text, "{}", line(id)).unwrap());
        home.write("rows.jsonl", &text);
    }

    fn connector(&self) -> Value {
        json!({
            "name": "rows", "type": "files", "config": {"path": "rows.jsonl"},
            "streams": [{"name": "rows", "primary_key": ["id"]}],
        })
    }

    fn faults(&self) -> String {
        match self.0 {
            Place::Connect => "source.open@1=sleep:2500".to_owned(),
            Place::Read => "source.read@6=sleep:2500,source.read@*=sleep:60".to_owned(),
            Place::Commit => format!("{THIRD_COMMIT},source.read@*=sleep:150"),
        }
    }
}
