//! The rows of a source, as they should be, and how they change.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::super::Draw;

/// Rows that a source begins with.
const ROWS: u64 = 120;
/// Of ten rows so many go in a change that asks for approval.
const MANY: u64 = 6;

/// A row without its id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) note: String,
    /// Greater than any before: a cursor, for those who read by one.
    pub(super) revision: i64,
}

/// What happens to one row.
#[derive(Debug)]
pub(super) enum Edit {
    Put(i64, Row),
    Gone(i64),
}

/// All rows of one source.
#[derive(Debug, Default)]
pub(super) struct Rows {
    rows: BTreeMap<i64, Row>,
    revision: i64,
    next_id: i64,
}

impl Rows {
    pub(super) fn new(draw: &mut Draw) -> Self {
        let mut rows = Self { next_id: 1, ..Self::default() };
        (0..ROWS).for_each(|_| drop(rows.insert(draw)));
        rows
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (i64, &Row)> {
        self.rows.iter().map(|(id, row)| (*id, row))
    }

    /// Some rows come, some change, some go.
    pub(super) fn change(&mut self, draw: &mut Draw) -> Vec<Edit> {
        let mut edits: Vec<Edit> = (0..draw.below(5)).map(|_| self.insert(draw)).collect();
        let ids: Vec<i64> = self.rows.keys().copied().collect();
        for id in ids {
            match draw.below(40) {
                0 => edits.push(self.remove(id)),
                1..=3 => edits.push(self.put(id, draw)),
                _ => {}
            }
        }
        edits
    }

    /// Most rows go, and as many come: so many deletes are asked about.
    pub(super) fn change_most(&mut self, draw: &mut Draw) -> Vec<Edit> {
        let ids: Vec<i64> = self.rows.keys().copied().collect();
        let mut edits = Vec::new();
        for id in ids {
            if draw.below(10) < MANY {
                edits.push(self.remove(id));
                edits.push(self.insert(draw));
            }
        }
        edits
    }

    /// What a collection should hold of them, by key.
    pub(super) fn records(&self) -> BTreeMap<String, Value> {
        let record = |(id, row): (i64, &Row)| (id.to_string(), as_json(id, row));
        self.iter().map(record).collect()
    }

    fn insert(&mut self, draw: &mut Draw) -> Edit {
        let id = self.next_id;
        self.next_id += 1;
        self.put(id, draw)
    }

    fn put(&mut self, id: i64, draw: &mut Draw) -> Edit {
        self.revision += 1;
        let row = Row { note: format!("note {}", draw.below(1_000_000)), revision: self.revision };
        self.rows.insert(id, row.clone());
        Edit::Put(id, row)
    }

    fn remove(&mut self, id: i64) -> Edit {
        self.rows.remove(&id);
        Edit::Gone(id)
    }
}

pub(super) fn as_json(id: i64, row: &Row) -> Value {
    json!({"id": id, "note": row.note, "revision": row.revision})
}
