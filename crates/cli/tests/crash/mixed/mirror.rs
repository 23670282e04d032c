//! A copy of a collection that somebody keeps by following its change feed.

use serde_json::Value;

use super::finale::Held;
use super::front::{Caller, Front};
use crate::harness::Calls;

/// The copy, and how far the feed was followed.
#[derive(Debug)]
pub(super) struct Mirror {
    collection: &'static str,
    cursor: String,
    last: u64,
    held: Held,
}

impl Mirror {
    pub(super) fn of(collection: &'static str) -> Self {
        Self { collection, cursor: "0".to_owned(), last: 0, held: Held::new() }
    }

    /// Follows the feed from wherever it is, until nobody need call any more.
    pub(super) fn follow(mut self, front: &Front) -> Self {
        let mut caller = Caller::new(front);
        while !front.is_over() {
            match caller.get(&self.path()) {
                Some(page) => self.take(&page).unwrap_or_else(|wrong| front.complain(wrong)),
                None => super::pause(),
            }
        }
        self
    }

    /// Follows the feed to its end, and gives what it has led to.
    pub(super) fn caught_up(mut self, calls: &Calls, what: &str) -> Held {
        loop {
            let page = calls.get(&self.path());
            if page["data"].as_array().unwrap().is_empty() {
                break;
            }
            self.take(&page).unwrap_or_else(|wrong| panic!("{what}: {wrong}"));
        }
        self.held.retain(|_, records| !records.is_empty());
        self.held
    }

    fn path(&self) -> String {
        format!("/v1/spaces/default/collections/{}/changes?limit=200&cursor={}", self.collection, self.cursor)
    }

    fn take(&mut self, page: &Value) -> Result<(), String> {
        for change in page["data"].as_array().unwrap() {
            let number = change["change"].as_u64().unwrap();
            if number != self.last + 1 {
                return Err(format!("{}: {number} comes behind {}", self.collection, self.last));
            }
            self.last = number;
            let text = |field: &str| change[field].as_str().unwrap().to_owned();
            let records = self.held.entry((text("connector_id"), text("stream"))).or_default();
            let key = change["key"].to_string();
            let before = match &change["data"] {
                Value::Null => records.remove(&key),
                data => records.insert(key, data.clone()),
            };
            if before.is_none() != (change["op"] == "created") {
                return Err(format!("{}: {change} comes after {before:?}", self.collection));
            }
        }
        page["next_cursor"].as_str().unwrap().clone_into(&mut self.cursor);
        Ok(())
    }
}
