//! Somebody who pushes records, each until it is acknowledged.

use std::collections::BTreeMap;

use reqwest::Method;
use serde_json::{Value, json};

use super::super::Draw;
use super::Connector;
use super::finale::Held;
use super::front::{Caller, Front};
use super::sources::difference;

/// The greatest key of the records that have one.
const KEYS: u64 = 40;

/// What was acknowledged.
#[derive(Debug, Default)]
pub(super) struct Pushed {
    /// The last record of each key.
    keyed: BTreeMap<String, Value>,
    /// Records without a key: each counts.
    unkeyed: Vec<u64>,
}

/// Pushes, one after the other: what was not answered is sent again, under the key that makes it count once.
pub(super) fn push_all_the_while(front: &Front, mut draw: Draw) -> Pushed {
    let mut caller = Caller::new(front);
    let mut pushed = Pushed::default();
    for number in 0_u64.. {
        if front.is_over() {
            break;
        }
        let path = &front.pushed().path;
        let has_key = draw.below(2) == 0;
        let (record, path) = if has_key {
            let id = draw.below(KEYS);
            (json!({"id": id, "number": number}), format!("{path}/records?stream=keyed&key_field=id"))
        } else {
            (json!({"number": number}), format!("{path}/records?stream=unkeyed"))
        };
        let key = format!("push {number}");
        let body = json!([record]);
        loop {
            match caller.call_once(Method::POST, &path, Some(&body), Some(&key)) {
                Some((202, _)) => break,
                Some((409, _)) | None => super::pause(),
                // It was complained of.
                Some(_) => return pushed,
            }
        }
        match has_key {
            true => drop(pushed.keyed.insert(record["id"].to_string(), record)),
            false => pushed.unkeyed.push(number),
        }
        super::pause();
    }
    pushed
}

impl Pushed {
    /// Fails unless each acknowledged push is in the collection, and once.
    pub(super) fn assert_equal(self, held: &Held, connector: &Connector, what: &str) {
        let of = |stream: &str| held.get(&(connector.id.clone(), stream.to_owned()));
        let found = of("keyed");
        assert!(found == Some(&self.keyed), "{what}: pushed: {}", difference(found, &self.keyed));
        let mut numbers: Vec<u64> =
            of("unkeyed").unwrap().values().map(|data| data["number"].as_u64().unwrap()).collect();
        numbers.sort_unstable();
        assert_eq!(numbers, self.unkeyed, "{what}: pushed without a key");
    }
}
