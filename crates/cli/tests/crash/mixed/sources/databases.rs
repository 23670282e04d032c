//! A SQLite database that is written to beside its being read.

use std::time::Duration;

use rusqlite::Connection;
use serde_json::{Value, json};

use super::super::edits::{Edit, Rows};
use super::Place;
use crate::harness::Home;

/// How long a write waits for those who read.
const PATIENCE: Duration = Duration::from_secs(30);

pub(super) struct Table(Connection);

impl Table {
    pub(super) fn in_file(home: &Home) -> Self {
        let connection = Connection::open(home.join("shop.db")).unwrap();
        connection.busy_timeout(PATIENCE).unwrap();
        let table =
            "CREATE TABLE items (id INTEGER PRIMARY KEY, note TEXT NOT NULL, revision INTEGER NOT NULL)";
        connection.execute_batch(table).unwrap();
        Self(connection)
    }
}

impl Place for Table {
    fn kind(&self) -> &'static str {
        "sqlite"
    }

    fn config(&self) -> Value {
        json!({"path": "shop.db"})
    }

    fn stream(&self) -> Value {
        json!({"name": "items", "primary_key": ["id"]})
    }

    fn write(&mut self, _rows: &Rows, edits: &[Edit]) {
        let transaction = self.0.transaction().unwrap();
        for edit in edits {
            let put = "INSERT OR REPLACE INTO items VALUES (?1, ?2, ?3)";
            match edit {
                Edit::Put(id, row) => transaction.execute(put, (id, &row.note, row.revision)).unwrap(),
                Edit::Gone(id) => transaction.execute("DELETE FROM items WHERE id = ?1", [id]).unwrap(),
            };
        }
        transaction.commit().unwrap();
    }
}
