//! A server whose database goes away, and comes back.

use std::fmt::Write as _;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::{Value, json};

use super::fault_proxy::{Fault, FaultProxy};
use super::harness::{Calls, Home, Server, http_client, until};
use super::private_postgres::{PrivatePostgres, Setup};

/// Records of the source: some dozens of commits.
const RECORDS: usize = 300_000;
const KEY: &str = "4f6e65206b657920666f7220616c6c206e6f646573206f662061207465737421";

/// A PostgreSQL that loses nothing in a crash.
fn database() -> PrivatePostgres {
    PrivatePostgres::start_with(&Setup { settings: &["synchronous_commit=on"], ..Setup::default() })
}

/// A server over the database of that URL, and a connector whose source takes a while.
struct Stage {
    _home: Home,
    server: Option<Server>,
    calls: Calls,
    connector: String,
}

impl Stage {
    fn new(url: &str) -> Self {
        let home = Home::new();
        let mut source = String::with_capacity(64 * RECORDS);
        for id in 0..RECORDS {
            writeln!(source, r#"{{"id":{id},"name":"record {id}","note":"{:x}"}}"#, id * 0x9e37_79b9)
                .unwrap();
        }
        let path = home.write("source.jsonl", &source);
        let mut command = home.command(["serve", "--listen", "127.0.0.1:0", "--auth", "none"]);
        command.arg("--files-root").arg(home.path());
        command.env("INLET_DATABASE_URL", url).env("INLET_ENCRYPTION_KEY", KEY).env("INLET_LOG", "info");
        let server = Server::of(command);
        let calls = Calls::to(server.url());
        let connectors = "/v1/spaces/default/collections/default/connectors";
        let config = json!({"path": path.to_str().unwrap()});
        let streams = json!([{"name": "source", "primary_key": ["id"]}]);
        let made = json!({"name": "Files", "type": "files", "config": config, "streams": streams});
        let made = calls.post(connectors, &made);
        let connector = format!("{connectors}/{}", made["id"].as_str().unwrap());
        Self { _home: home, server: Some(server), calls, connector }
    }

    fn server(&self) -> &Server {
        self.server.as_ref().unwrap()
    }

    /// Begins a sync, and gives where to read of it.
    fn begin(&self) -> String {
        let sync = self.calls.post(&format!("{}/sync", self.connector), &json!({}));
        format!("{}/sync/{}", self.connector, sync["id"].as_str().unwrap())
    }

    /// Waits until it has committed so many records, or more.
    fn until_created(&self, sync: &str, created: u64) -> u64 {
        let created_by = |sync: &Value| sync["counts"]["created"].as_u64().unwrap_or_default();
        created_by(
            &self.calls.until(sync, |sync| created_by(sync) >= created || sync["status"] == "succeeded"),
        )
    }

    /// Waits until it has succeeded, and looks that nothing of it was lost, doubled, or called a failure.
    fn succeeds(&self, sync: &str) -> Value {
        let ended = |sync: &Value| !sync["finished_at"].is_null();
        let deadline = Instant::now() + Duration::from_secs(120);
        let mut sync_now = Value::Null;
        while !ended(&sync_now) && Instant::now() < deadline {
            let _late = until(|| {
                sync_now = self.calls.call(Method::GET, sync, None).map_or(Value::Null, |(_, body)| body);
                ended(&sync_now)
            });
        }
        assert_eq!(sync_now["status"], "succeeded", "{sync_now}");
        let counts = &sync_now["counts"];
        assert_eq!((&counts["created"], &counts["updated"]), (&json!(RECORDS), &json!(0)), "{sync_now}");
        let moves = sync_now["moves"].as_array().unwrap();
        assert!(moves.iter().all(|moved| moved["to"] != "failed"), "{sync_now}");
        let collection = self.calls.get("/v1/spaces/default/collections/default");
        let (records, changes) = (&collection["records"], &collection["last_change"]);
        assert_eq!((records, changes), (&json!(RECORDS), &json!(RECORDS)), "{collection}");
        let again = self.begin();
        let again = self.calls.until(&again, ended);
        assert_eq!(again["counts"]["created"], 0, "{again}");
        sync_now
    }

    /// Status and `Retry-After` of a call, which must come in time.
    fn refused(&self, method: Method, path: &str, patience: Duration) -> (u16, bool) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let begun = Instant::now();
        let url = format!("{}{path}", self.server().url());
        let sending = async { http_client().request(method, url).json(&json!({})).send().await.unwrap() };
        let response = runtime.block_on(sending);
        assert!(begun.elapsed() < patience, "{path} after {:?}", begun.elapsed());
        (response.status().as_u16(), response.headers().contains_key("retry-after"))
    }

    /// What the server logs of itself, and not of calls, above the usual: in all and of the database.
    fn log(mut self) -> Log {
        let ran = self.server.take().unwrap().stop();
        let lines: Vec<Value> =
            ran.stderr.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
        let message = |line: &Value| line["message"].as_str().unwrap_or_default().to_owned();
        let of = |text: &str| lines.iter().filter(|line| message(line).contains(text)).count();
        let loud = lines.iter().filter(|line| line["level"] != "INFO" && line["level"] != "info");
        let loud: Vec<String> = loud.map(ToString::to_string).collect();
        Log { lost: of("the database is lost"), back: of("the database is back"), loud }
    }
}

struct Log {
    lost: usize,
    back: usize,
    loud: Vec<String>,
}

#[test]
fn a_sync_goes_on_when_the_database_that_crashed_is_back() {
    let mut database = database();
    let stage = Stage::new(&database.url("postgres"));
    let sync = stage.begin();
    let before = stage.until_created(&sync, 20_000);
    assert!(before < RECORDS as u64, "the sync was faster than its outage");
    database.crash();
    let soon = Duration::from_secs(2);
    let lost = Instant::now();
    while lost.elapsed() < Duration::from_secs(4) {
        assert_eq!(stage.refused(Method::GET, "/readyz", soon), (503, true));
        assert_eq!(stage.server().status("/healthz", &[]), 200);
        for path in
            ["/v1/spaces", "/v1/nodes", sync.as_str(), "/v1/spaces/default/collections/default/records"]
        {
            assert_eq!(stage.refused(Method::GET, path, soon), (503, true), "{path}");
        }
        for path in ["/v1/spaces", &format!("{}/sync", stage.connector), &format!("{sync}/cancel")] {
            assert!(matches!(stage.refused(Method::POST, path, soon), (503, true) | (422, false)), "{path}");
        }
    }
    database.start_again();
    let is_ready = || stage.server().status("/readyz", &[]) == 200;
    until(is_ready).unwrap();
    stage.succeeds(&sync);
    let log = stage.log();
    assert_eq!((log.lost, log.back), (1, 1), "{:#?}", log.loud);
    assert!(log.loud.len() <= 3, "{:#?}", log.loud);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn commits_whose_outcome_nobody_learns_are_neither_lost_nor_done_twice() {
    let database = database();
    let target = SocketAddr::from((Ipv4Addr::LOCALHOST, database.port()));
    let proxy = FaultProxy::start(target).await;
    let url = format!("postgres://postgres@127.0.0.1:{}/postgres", proxy.port());
    let working = tokio::task::spawn_blocking(move || {
        let stage = Stage::new(&url);
        let sync = stage.begin();
        for cut in 1..=5 {
            stage.until_created(&sync, cut * 10_000);
            proxy.set(Fault::CutBehind(b"COMMIT\0"));
            let struck = || tokio::runtime::Handle::current().block_on(proxy.wait_for(Fault::Healthy));
            struck();
        }
        stage.succeeds(&sync);
    });
    working.await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_starts_waits_while_reads_are_answered_and_commits_are_not() {
    let database = database();
    let url = database.url("postgres");
    let start = move || {
        let home = Home::new();
        let mut command = home.command(["serve", "--listen", "127.0.0.1:0", "--auth", "none"]);
        command.env("INLET_DATABASE_URL", &url).env("INLET_ENCRYPTION_KEY", KEY);
        (Server::of(command), home)
    };
    // The first makes the tables.
    let (first, _home) = tokio::task::spawn_blocking(start.clone()).await.unwrap();
    drop(first);
    let admin = database.connect("postgres").await;
    let wait_for = async |standby: &str| {
        let sql = format!("ALTER SYSTEM SET synchronous_standby_names = '{standby}'");
        admin.batch_execute(&sql).await.unwrap();
        admin.batch_execute("SELECT pg_reload_conf()").await.unwrap();
    };
    wait_for("nobody").await;
    let starting = tokio::task::spawn_blocking(start);
    let end = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE wait_event = 'SyncRep' AND pid <> pg_backend_pid()";
    for _ in 0..2 {
        while admin.query(end, &[]).await.unwrap().is_empty() {
            assert!(!starting.is_finished(), "it has ended");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
    wait_for("").await;
    let (server, _home) = starting.await.unwrap();
    let status = tokio::task::spawn_blocking(move || server.status("/readyz", &[])).await.unwrap();
    assert_eq!(status, 200);
}
