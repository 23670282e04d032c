//! Servers that share a database: any of them answers, whichever runs a sync.

use std::fmt::Write as _;
use std::io::{BufRead, BufReader};
use std::process::Stdio;

use reqwest::Method;
use serde_json::{Value, json};

use super::harness::{Calls, Home, Server};
use super::private_postgres::PrivatePostgres;

/// Records of the source: some dozens of commits.
const RECORDS: u64 = 200_000;
const KEY: &str = "4f6e65206b657920666f7220616c6c206e6f646573206f662061207465737421";

/// A database, a server that answers but runs nothing, and a connector whose source takes a while.
struct Shared {
    home: Home,
    database: PrivatePostgres,
    front: Server,
    calls: Calls,
    connector: String,
}

impl Shared {
    fn new() -> Self {
        let home = Home::new();
        let database = PrivatePostgres::start();
        let mut source = String::new();
        for id in 0..RECORDS {
            writeln!(source, r#"{{"id":{id},"name":"record {id}","note":"{:x}"}}"#, id * 0x9e37_79b9)
                .unwrap();
        }
        let path = home.write("source.jsonl", &source);
        let front = start(&home, &database, "api,scheduler");
        let calls = Calls::to(front.url());
        let connectors = "/v1/spaces/default/collections/default/connectors";
        let streams = json!([{"name": "source", "primary_key": ["id"]}]);
        let made = json!({"name": "Files", "type": "files", "config": {"path": path}, "streams": streams});
        let made = calls.post(connectors, &made);
        let connector = format!("{connectors}/{}", made["id"].as_str().unwrap());
        Self { home, database, front, calls, connector }
    }

    fn worker(&self) -> Server {
        start(&self.home, &self.database, "worker")
    }

    /// Asks for a sync, and gives where to read of it.
    fn begin(&self) -> String {
        let sync = self.calls.post(&format!("{}/sync", self.connector), &json!({}));
        format!("{}/sync/{}", self.connector, sync["id"].as_str().unwrap())
    }

    /// Waits until some of its records are there, and looks that the sync goes on.
    fn is_under_way(&self, sync: &str) {
        let seen = self.calls.until(sync, |sync| sync["counts"]["created"].as_u64() > Some(0));
        assert_eq!(seen["status"], "running", "the sync was too fast: {seen}");
    }

    /// Waits until it has succeeded, and looks that nothing of it was lost or doubled.
    fn succeeds(&self, sync: &str) -> Value {
        let ended = self.calls.until(sync, |sync| !sync["finished_at"].is_null());
        assert_eq!(ended["status"], "succeeded", "{ended}");
        assert_eq!(ended["counts"]["created"], RECORDS, "{ended}");
        let collection = self.calls.get("/v1/spaces/default/collections/default");
        assert_eq!((&collection["records"], &collection["last_change"]), (&json!(RECORDS), &json!(RECORDS)));
        ended
    }

    /// The nodes that run something: their statuses.
    fn at_work(&self) -> Vec<Value> {
        let nodes = self.calls.all("/v1/nodes");
        nodes.into_iter().filter(|node| node["sync_count"] != 0).collect()
    }
}

/// A server of these roles. Whoever is killed is soon given up.
fn start(home: &Home, database: &PrivatePostgres, roles: &str) -> Server {
    let mut command = home.command(["serve", "--listen", "127.0.0.1:0", "--auth", "none", "--lease", "5s"]);
    command.arg("--role").arg(roles).arg("--files-root").arg(home.path());
    command.env("INLET_DATABASE_URL", database.url("postgres")).env("INLET_ENCRYPTION_KEY", KEY);
    Server::of(command)
}

#[test]
fn a_server_that_runs_no_syncs_shows_what_another_does_and_cancels_it() {
    let shared = Shared::new();
    let worker = shared.worker();
    let sync = shared.begin();
    let id = sync.rsplit('/').next().unwrap();
    let words = ["syncs", "follow", "Files", id, "--url", shared.front.url()];
    let mut following = shared.home.command(words).stdout(Stdio::piped()).spawn().unwrap();
    let mut followed = BufReader::new(following.stdout.take().unwrap()).lines();
    shared.is_under_way(&sync);
    let [node] = &shared.at_work()[..] else { panic!("one node runs it") };
    assert_eq!((&node["roles"], &node["status"]), (&json!(["worker"]), &json!("active")));
    assert_eq!(node["syncs"][0]["id"], id);
    let (status, _) = shared.calls.call(Method::POST, &format!("{sync}/cancel"), Some(&json!({}))).unwrap();
    assert_eq!(status, 202);
    let ended = shared.calls.until(&sync, |sync| !sync["finished_at"].is_null());
    assert_eq!(ended["status"], "cancelled", "{ended}");
    assert!(ended["counts"]["created"].as_u64() < Some(RECORDS), "{ended}");
    let log = shared.calls.all(&format!("{sync}/logs"));
    assert!(log.iter().any(|line| line["code"] == "sync.begun"), "{log:?}");
    assert!(followed.any(|line| line.unwrap().contains("cancelled")), "whoever follows is told of the end");
    following.wait().unwrap();
    assert_eq!(shared.at_work(), Vec::<Value>::new());
    assert_eq!(worker.status("/v1/spaces", &[]), 404, "it answers for its health only");
}

#[test]
fn a_sync_of_a_server_that_was_killed_goes_on_at_another() {
    let shared = Shared::new();
    let killed = shared.worker();
    let sync = shared.begin();
    shared.is_under_way(&sync);
    drop(killed);
    let _another = shared.worker();
    assert_eq!(shared.succeeds(&sync)["attempt"], 2);
    let nodes = shared.calls.all("/v1/nodes");
    let lost = nodes.iter().filter(|node| node["status"] == "lost").count();
    assert_eq!((lost, nodes.len()), (1, 3), "{nodes:?}");
}

#[test]
fn a_server_that_is_told_to_end_gives_its_sync_to_another() {
    let shared = Shared::new();
    let ending = shared.worker();
    let sync = shared.begin();
    shared.is_under_way(&sync);
    let _another = shared.worker();
    let ended = ending.stop();
    assert_eq!(ended.code, Some(0), "{ended}");
    let done = shared.succeeds(&sync);
    assert_eq!(done["attempt"], 2);
    let causes: Vec<&str> =
        done["moves"].as_array().unwrap().iter().map(|moved| moved["cause"].as_str().unwrap()).collect();
    assert_eq!(causes, ["triggered", "claimed", "ended"], "giving it away is no move");
    assert_eq!(shared.calls.all("/v1/nodes").len(), 2, "it has left");
}
