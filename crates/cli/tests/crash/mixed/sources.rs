//! The sources of the story, as they change, and what the collections must hold of them.

mod databases;
mod files;
mod remote;

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::super::Draw;
use super::edits::{Edit, Rows};
use super::{Connectors, connect};
use crate::harness::{Calls, Home};

/// The name of the connector that takes pushes.
pub(super) const PUSHED: &str = "pushed";

/// Where a source's rows are.
trait Place {
    fn kind(&self) -> &'static str;

    fn config(&self) -> Value;

    fn stream(&self) -> Value;

    /// Brings the place to these rows.
    fn write(&mut self, rows: &Rows, edits: &[Edit]);
}

struct Source {
    name: &'static str,
    collection: &'static str,
    schedule: Value,
    /// Whether most of it may go at once.
    changes_much: bool,
    rows: Rows,
    place: Box<dyn Place>,
}

/// All of them.
pub(super) struct Sources {
    sources: Vec<Source>,
    server: remote::Remote,
}

impl Sources {
    pub(super) fn make(home: &Home, draw: &mut Draw) -> Self {
        let server = remote::Remote::start();
        let place: [(&'static str, &'static str, Box<dyn Place>); 6] = [
            ("lines", "one", Box::new(files::Lines::in_folder(home))),
            ("table", "one", Box::new(databases::Table::in_file(home))),
            ("csv", "two", Box::new(files::Csv::at(home))),
            ("remote", "two", Box::new(server.table("listed", false))),
            ("followed", "two", Box::new(server.table("followed", true))),
            ("packed", "one", Box::new(files::Packed::at(home))),
        ];
        let source = |(name, collection, mut place): (&'static str, &'static str, Box<dyn Place>)| {
            let rows = Rows::new(draw);
            let edits: Vec<Edit> = rows.iter().map(|(id, row)| Edit::Put(id, row.clone())).collect();
            place.write(&rows, &edits);
            let schedule = if name == "csv" { json!({"every": "1m"}) } else { Value::Null };
            Source { name, collection, schedule, changes_much: name == "csv", rows, place }
        };
        Self { sources: place.into_iter().map(source).collect(), server }
    }

    /// Makes their connectors, and one that takes pushes.
    pub(super) fn connect(&self, calls: &Calls) -> Connectors {
        let mut connectors = Connectors::new();
        for source in &self.sources {
            // One follows another, so that a sync that succeeds queues the next.
            let schedule = match source.name {
                "table" => json!({"after": connectors["lines"].id}),
                _ => source.schedule.clone(),
            };
            let connector = json!({
                "name": source.name, "type": source.place.kind(), "config": source.place.config(),
                "streams": [source.place.stream()], "schedule": schedule,
                "policy": {"pause_after_failures": 0, "approve_deletes_over": {"percent": 20, "records": 30}},
            });
            connectors.insert(source.name.to_owned(), connect(calls, source.collection, &connector));
        }
        let pushed = json!({"name": PUSHED, "type": "external_source"});
        connectors.insert(PUSHED.to_owned(), connect(calls, "one", &pushed));
        connectors
    }

    /// Changes some of them.
    pub(super) fn change(&mut self, draw: &mut Draw) {
        for source in &mut self.sources {
            let edits = match draw.below(12) {
                0..=2 => continue,
                3..=7 if source.changes_much => source.rows.change_most(draw),
                _ => source.rows.change(draw),
            };
            source.place.write(&source.rows, &edits);
        }
    }

    /// Lets the way to PostgreSQL be a good one.
    pub(super) fn heal(&self) {
        self.server.heal();
    }

    /// Fails unless the collections hold what the sources hold.
    pub(super) fn assert_equal(
        &self,
        held: &BTreeMap<(String, String), BTreeMap<String, Value>>,
        connectors: &Connectors,
        what: &str,
    ) {
        for source in &self.sources {
            let stream = source.place.stream()["name"].as_str().unwrap().to_owned();
            let found = held.get(&(connectors[source.name].id.clone(), stream));
            let expected = source.rows.records();
            assert!(found == Some(&expected), "{what}: {}: {}", source.name, difference(found, &expected));
        }
    }
}

/// The first few keys of which something else is held.
pub(super) fn difference(
    found: Option<&BTreeMap<String, Value>>,
    expected: &BTreeMap<String, Value>,
) -> String {
    let empty = BTreeMap::new();
    let found = found.unwrap_or(&empty);
    let keys = found.keys().chain(expected.keys()).filter(|key| found.get(*key) != expected.get(*key));
    let wrong: Vec<_> = keys.map(|key| (key, found.get(key), expected.get(key))).take(5).collect();
    format!("{} are held, {} expected; key, held, expected: {wrong:?}", found.len(), expected.len())
}
