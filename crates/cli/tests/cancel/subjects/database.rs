//! A SQLite database that another program keeps locked, or on a disk that does not answer.

use rusqlite::Connection;
use serde_json::{Value, json};

use super::{Calls, Faults, Place, ROWS, Subject, THIRD_COMMIT, note};
use crate::harness::Home;

pub(super) struct File {
    place: Place,
    other: Option<Connection>,
}

impl File {
    pub(super) fn new(place: Place) -> Self {
        Self { place, other: None }
    }

    fn other(&self) -> &Connection {
        self.other.as_ref().unwrap()
    }
}

impl Subject for File {
    fn name(&self) -> &'static str {
        "sqlite"
    }

    fn kind(&self) -> &'static str {
        "sqlite"
    }

    fn prepare(&mut self, home: &Home) {
        let mut other = Connection::open(home.join("rows.db")).unwrap();
        other.execute_batch("CREATE TABLE rows (id INTEGER PRIMARY KEY, note TEXT NOT NULL)").unwrap();
        let transaction = other.transaction().unwrap();
        for id in 1..=ROWS {
            transaction.execute("INSERT INTO rows VALUES (?1, ?2)", (id as i64, note(id))).unwrap();
        }
        transaction.commit().unwrap();
        self.other = Some(other);
    }

    fn connector(&self) -> Value {
        json!({
            "name": "rows", "type": "sqlite", "config": {"path": "rows.db"},
            "streams": [{"name": "rows", "primary_key": ["id"]}],
        })
    }

    fn faults(&self) -> String {
        match self.place {
            Place::Connect => String::new(),
            Place::Read => "source.read@4=sleep:2500,source.read@*=sleep:60".to_owned(),
            Place::Commit => format!("{THIRD_COMMIT},source.read@*=sleep:260"),
        }
    }

    fn break_before(&mut self) {
        if self.place == Place::Connect {
            self.other().execute_batch("BEGIN EXCLUSIVE").unwrap();
        }
    }

    fn wait_until_it_hangs(&self, faults: &Faults, calls: &Calls, sync: &str) {
        match self.place {
            Place::Connect => drop(calls.until(sync, |sync| sync["status"] == "running")),
            Place::Read | Place::Commit => faults.wait_until_it_hangs(),
        }
    }

    fn heal(&mut self) {
        if self.place == Place::Connect {
            self.other().execute_batch("ROLLBACK").unwrap();
        }
    }
}
