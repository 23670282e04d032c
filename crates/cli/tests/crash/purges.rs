//! A kill in the middle of a removal of records: after the restart it goes on, and nothing is left.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::harness::{Home, Server, http_client};

use super::pushes::{counts_at_the_end, post, start};

const COLLECTION: &str = "/v1/spaces/default/collections/default";

/// So many that their removal takes several steps.
const RECORDS: u64 = 25_000;

/// Before and after each step of the removal, and before it is forgotten.
const FAULTS: &[&str] = &[
    "purge.before@1=kill",
    "purge.after@1=kill",
    "purge.before@3=kill",
    "purge.after@3=kill",
    "engine.purged@1=kill",
];

#[test]
fn a_connector_that_is_deleted_with_its_records_leaves_none_though_the_server_is_killed() {
    for fault in FAULTS {
        let home = Home::new();
        let (connector, _) = filled(&home);
        let server = start(&home, fault);
        let answer = delete(&server, &format!("{connector}?records=delete"));
        // The answer came before the kill, or the kill took it; the wish was durable before either.
        assert!(answer.is_none_or(|status| status == 204), "{fault}: {answer:?}");
        wait_for_the_kill(server, fault);

        let server = start(&home, "");
        assert_eq!(server.status(&connector, &[]), 404, "{fault}");
        assert_all_removed(&server, fault);
    }
}

#[test]
fn a_removal_goes_on_after_a_kill_and_the_next_sync_begins_behind_it() {
    for fault in FAULTS {
        let home = Home::new();
        let (connector, records) = filled(&home);
        let server = start(&home, fault);
        let answer = delete(&server, &format!("{COLLECTION}/records"));
        assert!(answer.is_none_or(|status| status == 202), "{fault}: {answer:?}");
        wait_for_the_kill(server, fault);

        let server = start(&home, "");
        let again = json!([{"id": 1}, {"id": 2}]);
        let pushing = format!("{connector}/records?stream=records&key_field=id");
        assert!(post(&server, &pushing, &again).is_some());
        let (_, sync) = send(&server, reqwest::Method::POST, &format!("{connector}/sync")).unwrap();
        let sync: Value = serde_json::from_str(&sync).unwrap();
        let path = format!("{connector}/sync/{}", sync["id"].as_str().unwrap());
        let counts = counts_at_the_end(&server, &path);
        assert_eq!(counts["created"], 2, "{fault}: it met none of the old records: {counts}");
        let collection = server.get(COLLECTION);
        assert_eq!((&collection["records"], &collection["removing"]), (&json!(2), &json!(false)), "{fault}");
        assert_eq!(collection["last_change"], 2 * records + 2, "{fault}");
    }
}

#[test]
fn an_id_that_is_used_again_shows_no_old_data_wherever_the_delete_was_killed() {
    for nth in 1..=6 {
        for when in ["before", "after"] {
            let fault = format!("catalog.write.{when}@{nth}=kill");
            let home = Home::new();
            filled(&home);
            let mut command = home.command(["serve", "--listen", "127.0.0.1:0", "--auth", "none"]);
            command.env("INLET_FAULTS", &fault);
            // The first writes are those of the start: then there is no server to ask.
            if let Ok(server) = Server::started(command) {
                delete(&server, &format!("{COLLECTION}?cascade=true"));
            }
            let server = start(&home, "");
            match server.try_get(COLLECTION) {
                // All or nothing.
                Some(collection) => assert_eq!(collection["records"], RECORDS, "{fault}"),
                None => {
                    let anew = json!({"name": "anew", "id": "default"});
                    assert!(post(&server, "/v1/spaces/default/collections", &anew).is_some(), "{fault}");
                    let collection = server.get(COLLECTION);
                    assert_eq!((&collection["records"], &collection["last_change"]), (&json!(0), &json!(0)));
                    assert_eq!(server.get(&format!("{COLLECTION}/connectors"))["data"], json!([]), "{fault}");
                }
            }
        }
    }
}

/// A connector that has brought the records, in a data directory whose server was stopped; and how many changes there are.
fn filled(home: &Home) -> (String, u64) {
    let server = start(home, "");
    let connectors = format!("{COLLECTION}/connectors");
    let created = post(&server, &connectors, &json!({"name": "full", "type": "external_source"})).unwrap();
    let connector = format!("{connectors}/{}", created["id"].as_str().unwrap());
    let records: Vec<Value> = (0..RECORDS).map(|id| json!({"id": id, "note": "about to go"})).collect();
    assert!(post(&server, &format!("{connector}/records?key_field=id"), &json!(records)).is_some());
    let sync = post(&server, &format!("{connector}/sync"), &json!({})).unwrap();
    let path = format!("{connector}/sync/{}", sync["id"].as_str().unwrap());
    assert_eq!(counts_at_the_end(&server, &path)["created"], RECORDS);
    server.stop();
    (connector, RECORDS)
}

/// The status of the answer; `None` if the connection broke.
fn delete(server: &Server, path: &str) -> Option<u16> {
    send(server, reqwest::Method::DELETE, path).map(|(status, _)| status)
}

/// Status and body of the answer to a request without a body; `None` if the connection broke.
fn send(server: &Server, method: reqwest::Method, path: &str) -> Option<(u16, String)> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let http = http_client();
        let response = http.request(method, format!("{}{path}", server.url())).send().await.ok()?;
        Some((response.status().as_u16(), response.text().await.ok()?))
    })
}

/// Waits until the fault has killed the server.
fn wait_for_the_kill(server: Server, fault: &str) {
    let ran = server.ended();
    assert_eq!(ran.code, None, "{fault}: a signal ended it\n{}", ran.stderr);
}

#[expect(clippy::disallowed_methods, reason = "the test waits for another process")]
fn assert_all_removed(server: &Server, fault: &str) {
    let mut tries = 0;
    while server.get(COLLECTION)["removing"] == json!(true) {
        tries += 1;
        assert!(tries < 3000, "{fault}: the removal does not end");
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    assert_eq!(server.get(COLLECTION)["records"], 0, "{fault}");
    assert_eq!(server.get(&format!("{COLLECTION}/records"))["data"], json!([]), "{fault}");
    let (mut held, mut last, mut cursor) = (BTreeMap::new(), 0, "0".to_owned());
    loop {
        let page = server.get(&format!("{COLLECTION}/changes?limit=1000&cursor={cursor}"));
        let changes = page["data"].as_array().unwrap();
        if changes.is_empty() {
            break;
        }
        for change in changes {
            let number = change["change"].as_u64().unwrap();
            assert_eq!(number, last + 1, "{fault}: a change number is missing or twice");
            last = number;
            let key = change["key"].as_u64().unwrap();
            if change["op"] == "deleted" {
                assert_eq!(change["sync_id"], Value::Null, "{fault}");
                assert!(held.remove(&key).is_some(), "{fault}: {key} is deleted twice");
            } else {
                held.insert(key, ());
            }
        }
        cursor = page["next_cursor"].as_str().unwrap().to_owned();
    }
    assert!(held.is_empty() && last == 2 * RECORDS, "{fault}: the feed does not tell of every delete");
}
