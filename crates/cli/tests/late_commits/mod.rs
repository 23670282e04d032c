//! Rows of PostgreSQL that appear later than their times say, while sync follows sync: none is missed.
//!
//! It takes 15 seconds; `INLET_TEST_LATE_COMMITS_SECONDS=120` goes on for two minutes, and holds transactions open for five seconds.

mod writers;

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep};

use super::harness::{Home, Server, http_client};
use super::private_postgres::PrivatePostgres;
use writers::{Pace, TABLE, WRITERS, write};

/// How often a sync is asked for.
const EVERY: Duration = Duration::from_millis(100);
/// How long is waited before it is looked again whether the last one has ended.
const PAUSE: Duration = Duration::from_millis(5);
/// No rows.
const NONE: [&str; 0] = [];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_row_is_missed_that_is_committed_late() {
    let stage = Stage::new(0).await;
    let follower = stage.follow("plain", json!({})).await;
    stage.writers_have_written().await;
    let syncs = follower.stop().await;
    assert!(syncs > 10, "only {syncs} syncs");
    assert_eq!(stage.missing("plain").await, NONE);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_that_programs_date_back_need_a_lag() {
    let stage = Stage::new(3).await;
    let without = stage.follow("without", json!({})).await;
    let with = stage.follow("with", json!({"cursor_lag": "60s"})).await;
    stage.writers_have_written().await;
    let syncs = with.stop().await.min(without.stop().await);
    assert!(syncs > 10, "only {syncs} syncs");
    assert_eq!(stage.missing("with").await, NONE);
    // No transaction tells of these. And it shows that the writers do what they are for.
    assert_ne!(stage.missing("without").await, NONE);
}

/// A server with a table and its writers, and an Inlet beside it.
struct Stage {
    postgres: PrivatePostgres,
    home: Home,
    inlet: Server,
    pace: Pace,
}

impl Stage {
    async fn new(dated_back: u32) -> Self {
        let postgres = PrivatePostgres::start();
        let client = postgres.connect("postgres").await;
        client.batch_execute(TABLE).await.unwrap();
        client.batch_execute("CREATE ROLE reader LOGIN PASSWORD 'pass'").await.unwrap();
        client.batch_execute("GRANT SELECT ON orders TO reader").await.unwrap();
        let home = Home::new();
        let inlet = Server::start(&home, "--auth none");
        let long = Duration::from_secs(seconds());
        let pace =
            Pace { hold: (long / 6).min(Duration::from_secs(5)), dated_back, until: Instant::now() + long };
        Self { postgres, home, inlet, pace }
    }

    /// Makes a collection with a connector that logs in as a role with nothing but SELECT, and syncs it again and again.
    async fn follow(&self, name: &str, settings: Value) -> Follower {
        let mut config = settings;
        for (field, value) in [
            ("host", json!("127.0.0.1")),
            ("port", json!(self.postgres.port())),
            ("database", json!("postgres")),
            ("user", json!("reader")),
            ("password", json!("pass")),
        ] {
            config[field] = value;
        }
        let streams = json!([{"name": "public.orders", "primary_key": ["id"], "cursor_field": "updated_at"}]);
        self.home.inlet_well(&format!("collections create --name {name} --id {name}"));
        let mut command = self.home.command(["connectors", "create", "--type", "postgres", "--name", name]);
        command.args(["--collection", name, "--output", "json", "--config", &config.to_string()]);
        let output = command.args(["--streams", &streams.to_string()]).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let connector: Value = serde_json::from_slice(&output.stdout).unwrap();
        let connector = connector["id"].as_str().unwrap();
        let syncs =
            format!("{}/v1/spaces/default/collections/{name}/connectors/{connector}/sync", self.inlet.url());
        Follower { syncs: syncs.clone(), task: tokio::spawn(sync_every(syncs)) }
    }

    /// Waits until the time is over and every transaction has ended.
    async fn writers_have_written(&self) {
        let mut writers = JoinSet::new();
        for (number, habit) in WRITERS.into_iter().enumerate() {
            writers.spawn(write(self.postgres.connect("postgres").await, number, habit, self.pace));
        }
        writers.join_all().await;
    }

    /// The rows that the collection lacks, or has otherwise than the table.
    async fn missing(&self, collection: &str) -> Vec<String> {
        let client = self.postgres.connect("postgres").await;
        let rows = client.query("SELECT id, note FROM orders", &[]).await.unwrap();
        let rows: BTreeMap<i64, String> = rows.iter().map(|row| (row.get(0), row.get(1))).collect();
        assert!(rows.len() > 100, "the writers wrote {} rows", rows.len());
        let exported = self.home.inlet_well(&format!("export {collection}"));
        let records =
            exported.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["data"].take());
        let held: BTreeMap<i64, String> = records
            .map(|data| (data["id"].as_i64().unwrap(), data["note"].as_str().unwrap().to_owned()))
            .collect();
        let wrong = rows.iter().filter(|(id, note)| held.get(id) != Some(*note));
        wrong.map(|(id, note)| format!("{id}: {note}, not {:?}", held.get(id))).collect()
    }
}

/// Who asks for one sync after the other.
struct Follower {
    syncs: String,
    task: JoinHandle<()>,
}

impl Follower {
    /// Stops asking, but for one last sync. How many there were; each must have succeeded.
    async fn stop(self) -> usize {
        self.task.abort();
        let http = http_client();
        let last = loop {
            let answer = http.post(&self.syncs).send().await.unwrap();
            match answer.status().as_u16() {
                202 => break answer.json::<Value>().await.unwrap(),
                409 => sleep(PAUSE).await,
                status => panic!("{status}"),
            }
        };
        let path = format!("{}/{}", self.syncs, last["id"].as_str().unwrap());
        loop {
            let sync: Value = http.get(&path).send().await.unwrap().json().await.unwrap();
            match sync["status"].as_str().unwrap() {
                "queued" | "running" => sleep(PAUSE).await,
                "succeeded" => break,
                _ => panic!("{sync}"),
            }
        }
        let failed = http.get(format!("{}?status=failed", self.syncs)).send().await.unwrap();
        let failed: Value = failed.json().await.unwrap();
        assert_eq!(failed["data"], json!([]));
        self.count().await
    }

    async fn count(&self) -> usize {
        let page = http_client().get(format!("{}?limit=200", self.syncs)).send().await.unwrap();
        page.json::<Value>().await.unwrap()["data"].as_array().unwrap().len()
    }
}

/// Asks for a sync ten times a second; one that still runs is in the way of the next.
async fn sync_every(syncs: String) {
    let http = http_client();
    let mut ticks = interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let status = http.post(&syncs).send().await.unwrap().status().as_u16();
        assert!(matches!(status, 202 | 409), "{status}");
    }
}

fn seconds() -> u64 {
    let wanted = std::env::var("INLET_TEST_LATE_COMMITS_SECONDS").ok();
    let usual = if std::env::var_os("INLET_TEST_QUICK").is_some() { 6 } else { 15 };
    wanted.map_or(usual, |seconds| seconds.parse().unwrap())
}
