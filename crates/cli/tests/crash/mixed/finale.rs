//! The end of the story: nothing goes wrong any more, all that was begun comes to its end, and everything is looked at.

use std::collections::BTreeMap;
use std::path::Path;

use reqwest::Method;
use rusqlite::Connection;
use serde_json::{Value, json};

use super::super::inspect;
use super::front::Front;
use super::receiver::Receiver;
use super::sources::difference;
use super::{COLLECTIONS, Connector};
use crate::harness::{Calls, Home, Schema, until};

/// What the collections hold: connector and stream, then key and data.
pub(super) type Held = BTreeMap<(String, String), BTreeMap<String, Value>>;

/// Syncs after which a source that has not changed since has been brought in whole. The first may only finish a listing that
/// was begun before; what changed meanwhile is for the second to find.
const LAST_SYNCS: usize = 2;

/// Looks at what the webhook was told between two times that the rest is sent again.
const LOOKS: u64 = 400;

/// Lets all syncs come to their ends, and each connector have a few more.
pub(super) fn settle(calls: &Calls, front: &Front, what: &str) {
    for connector in front.connectors().values() {
        let active = json!({"status": "active", "schedule": null});
        calls.call(Method::PATCH, &connector.path, Some(&active)).expect("the server answers");
    }
    for connector in front.connectors().values() {
        end_all(calls, connector, what);
    }
    for connector in front.connectors().values() {
        for _ in 0..LAST_SYNCS {
            let sync = calls.post(&format!("{}/sync", connector.path), &json!({}));
            end_all(calls, connector, what);
            let sync = calls.get(&format!("{}/sync/{}", connector.path, sync["id"].as_str().unwrap()));
            assert_eq!(sync["status"], "succeeded", "{what}: {sync}");
        }
    }
}

/// Waits until every sync of the connector has ended. One that asks is approved; one that waits for its source, perhaps for
/// minutes, is cancelled.
fn end_all(calls: &Calls, connector: &Connector, what: &str) {
    let open = format!("{}/sync?status=queued,running,waiting,needs_approval,cancelling", connector.path);
    let mut last = Value::Null;
    let ended = until(|| {
        last = calls.get(&open)["data"].clone();
        let syncs = last.as_array().unwrap();
        for sync in syncs {
            let act = match sync["status"].as_str().unwrap() {
                "needs_approval" => "approve",
                "waiting" => "cancel",
                _ => continue,
            };
            let path = format!("{}/sync/{}/{act}", connector.path, sync["id"].as_str().unwrap());
            calls.call(Method::POST, &path, None).expect("the server answers");
        }
        syncs.is_empty()
    });
    assert_eq!(ended, Ok(()), "{what}: stuck: {last}");
}

/// The records of all collections.
pub(super) fn records(calls: &Calls, what: &str) -> Held {
    let mut held = Held::new();
    for collection in COLLECTIONS {
        for mut record in calls.all(&format!("/v1/spaces/default/collections/{collection}/records")) {
            let text = |field: &str| record[field].as_str().unwrap().to_owned();
            let of = held.entry((text("connector_id"), text("stream"))).or_default();
            let earlier = of.insert(record["key"].to_string(), record["data"].take());
            assert_eq!(earlier, None, "{what}: {collection} holds {} twice", record["key"]);
        }
    }
    held
}

/// Fails unless whoever followed the feeds holds what the collections hold.
pub(super) fn assert_same(mirrored: &Held, held: &Held, what: &str) {
    for of in held.keys().chain(mirrored.keys()) {
        let (found, expected) = (mirrored.get(of), held.get(of));
        let told = difference(found, expected.unwrap_or(&BTreeMap::new()));
        assert!(found == expected, "{what}: the feed of {of:?}: {told}");
    }
}

/// Waits until the webhook was told of every sync what there is to tell, at least once; gives how often that was, in words.
pub(super) fn assert_told(calls: &Calls, front: &Front, receiver: &Receiver, what: &str) -> String {
    let expected: Vec<(String, String)> =
        front.connectors().values().flat_map(|connector| events(calls, connector)).collect();
    let (mut missing, mut looks) = (Vec::new(), 0_u64);
    let told = until(|| {
        missing = expected.iter().filter(|(sync, event)| !receiver.has_taken(sync, event)).collect();
        if !missing.is_empty() && looks.is_multiple_of(LOOKS) {
            send_again(calls, front);
        }
        looks += 1;
        missing.is_empty()
    });
    assert_eq!(told, Ok(()), "{what}: the webhook was never told: {missing:?}");
    let (deliveries, repeated) = receiver.deliveries();
    let events = expected.len();
    format!("{events} events of syncs; {deliveries} deliveries, {repeated} of them came more than once")
}

/// What is told of the syncs of a connector.
fn events(calls: &Calls, connector: &Connector) -> Vec<(String, String)> {
    let mut events = Vec::new();
    for sync in calls.all(&format!("{}/sync", connector.path)) {
        let id = sync["id"].as_str().unwrap().to_owned();
        if sync["started_at"].is_string() {
            events.push((id.clone(), "sync.started".to_owned()));
        }
        events.push((id, format!("sync.{}", sync["status"].as_str().unwrap())));
    }
    events
}

/// Has everything that waits for another attempt, perhaps for minutes, sent at once.
fn send_again(calls: &Calls, front: &Front) {
    for delivery in calls.all(&format!("{}/deliveries?state=waiting", front.webhook())) {
        let path = format!("{}/deliveries/{}/retry", front.webhook(), delivery["id"].as_str().unwrap());
        calls.call(Method::POST, &path, None).expect("the server answers");
    }
}

/// Looks at what is stored after the server has ended.
pub(super) fn assert_sound(home: &Home, what: &str) {
    let data = home.join("inlet-data");
    for collection in COLLECTIONS {
        match Schema::of(home.path()) {
            Some(schema) => inspect::assert_accounts_of(&schema, collection, what),
            None => inspect::assert_accounts(&data, collection, what),
        }
    }
    if Schema::of(home.path()).is_none() {
        assert_sound_files(home, &data, what);
    }
}

fn assert_sound_files(home: &Home, data: &Path, what: &str) {
    let doctor = home.inlet("doctor");
    assert_eq!(doctor.code, Some(0), "{what}: {doctor}");
    let collections = std::fs::read_dir(data.join("collections")).unwrap();
    let mut databases: Vec<_> = collections.map(|entry| entry.unwrap().path()).collect();
    databases.push(data.join("catalog.db"));
    databases.retain(|path| path.extension().is_some_and(|extension| extension == "db"));
    assert_eq!(databases.len(), COLLECTIONS.len() + 1, "{what}: {databases:?}");
    for database in databases {
        let connection = Connection::open(&database).unwrap();
        let found: String = connection.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
        assert_eq!(found, "ok", "{what}: {}", database.display());
    }
}
