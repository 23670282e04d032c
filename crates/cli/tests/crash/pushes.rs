//! A kill around the commit of a push: what was acknowledged is there, and a push sent again is there once.

use serde_json::{Value, json};

use crate::harness::{Home, Server, http_client};

const CONNECTORS: &str = "/v1/spaces/default/collections/default/connectors";

#[test]
fn a_push_that_a_crash_left_unanswered_can_be_sent_again_and_counts_once() {
    for point in ["push.before", "push.after"] {
        let home = Home::new();
        let server = start(&home, "");
        let created = post(&server, CONNECTORS, &json!({"name": "pushed", "type": "external_source"}));
        let connector = format!("{CONNECTORS}/{}", created.unwrap()["id"].as_str().unwrap());
        let first =
            post(&server, &format!("{connector}/records?key_field=id"), &json!([{"id": 1}, {"id": 2}]));
        assert!(first.is_some());
        server.stop();

        // Without a key, so that the records themselves would count twice if the push did.
        let unkeyed = format!("{connector}/records?stream=log");
        let server = start(&home, &format!("{point}@1=kill"));
        assert_eq!(
            post(&server, &unkeyed, &json!([{"line": "a"}])),
            None,
            "{point}: killed before the answer"
        );
        drop(server);

        let server = start(&home, "");
        assert!(post(&server, &unkeyed, &json!([{"line": "a"}])).is_some());
        let sync = post(&server, &format!("{connector}/sync"), &json!({})).unwrap();
        let counts =
            counts_at_the_end(&server, &format!("{connector}/sync/{}", sync["id"].as_str().unwrap()));
        assert_eq!(counts["created"], 3, "{point}: {counts}");
        let records = server.get("/v1/spaces/default/collections/default/records");
        assert_eq!(records["data"].as_array().unwrap().len(), 3, "{point}: {records}");
    }
}

pub(super) fn start(home: &Home, faults: &str) -> Server {
    let mut command = home.command(["serve", "--listen", "127.0.0.1:0", "--auth", "none"]);
    command.env("INLET_FAULTS", faults);
    Server::of(command)
}

/// The answer to a POST that carries an idempotency key; `None` if the connection broke.
pub(super) fn post(server: &Server, path: &str, body: &Value) -> Option<Value> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let http = http_client();
        let request = http
            .post(format!("{}{path}", server.url()))
            .header("Idempotency-Key", path.rsplit_once('/').map_or(path, |(_, last)| last))
            .json(body);
        let response = request.send().await.ok()?;
        assert!(response.status().is_success(), "{path}: {}", response.status());
        Some(response.json().await.unwrap())
    })
}

#[expect(clippy::disallowed_methods, reason = "the test waits for another process")]
pub(super) fn counts_at_the_end(server: &Server, path: &str) -> Value {
    for _ in 0..1000 {
        let sync = server.get(path);
        if sync["finished_at"].is_string() {
            assert_eq!(sync["status"], "succeeded", "{sync}");
            return sync["counts"].clone();
        }
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    panic!("the sync does not end");
}
