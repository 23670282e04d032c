//! `inlet sync postgres://…`: a PostgreSQL database, and no server of ours.

use std::process::Command;

use tokio_postgres::Client;

use super::harness::{Home, json};
use super::private_postgres::PrivatePostgres;

/// A server, what writes to it, and a folder to run the binary in.
struct Sandbox {
    server: PrivatePostgres,
    client: Client,
    runtime: tokio::runtime::Runtime,
    home: Home,
}

impl Sandbox {
    fn with(sql: &str) -> Self {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let server = PrivatePostgres::start();
        let client = runtime.block_on(server.connect("postgres"));
        let sandbox = Self { server, client, runtime, home: Home::new() };
        sandbox.write(sql);
        sandbox
    }

    fn write(&self, sql: &str) {
        self.runtime.block_on(self.client.batch_execute(sql)).unwrap();
    }

    /// The rows of `t` as the server itself writes them to JSON.
    fn rows(&self) -> Vec<serde_json::Value> {
        let rows = self
            .runtime
            .block_on(self.client.query("SELECT to_jsonb(t)::text FROM t ORDER BY id", &[]))
            .unwrap();
        rows.iter().map(|row| json(row.get(0))).collect()
    }

    fn sync(&self, more: &str) -> Command {
        let url = self.server.url("postgres");
        let line = format!("sync {url} --into shop --stream public.t --output json {more}");
        self.home.command(line.split_whitespace())
    }

    /// Syncs, and gives the counts.
    fn counts(&self, more: &str) -> serde_json::Value {
        let output = self.sync(more).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        json(&String::from_utf8(output.stdout).unwrap())["counts"].clone()
    }

    /// The records of the collection, by their key.
    fn records(&self) -> Vec<serde_json::Value> {
        let mut records: Vec<_> = self.home.inlet_well("export shop").lines().map(json).collect();
        records.sort_by_key(|record| record["key"].as_i64());
        records.into_iter().map(|record| record["data"].clone()).collect()
    }
}

#[test]
fn a_table_is_read_whole_then_what_is_new_then_found_as_it_is() {
    let sandbox = Sandbox::with(
        "CREATE TABLE t (id int PRIMARY KEY, name text, updated_at timestamp NOT NULL DEFAULT now()); CREATE INDEX ON t (updated_at);
         INSERT INTO t SELECT n, 'name ' || n FROM generate_series(1, 1000) n",
    );
    assert_eq!(sandbox.counts("")["created"], 1000);
    sandbox.write(
        "UPDATE t SET name = 'other', updated_at = now() WHERE id <= 10; INSERT INTO t VALUES (1001, NULL)",
    );
    let counts = sandbox.counts("");
    assert_eq!(
        (&counts["created"], &counts["updated"], &counts["deleted"]),
        (&1.into(), &10.into(), &0.into())
    );
    sandbox.write("DELETE FROM t WHERE id > 990");
    let counts = sandbox.counts("--mode full_refresh");
    assert_eq!(
        (&counts["read"], &counts["unchanged"], &counts["deleted"]),
        (&990.into(), &990.into(), &11.into())
    );
}

#[test]
fn rows_that_are_gone_are_deleted_by_incremental_syncs_that_look_for_them() {
    let sandbox = Sandbox::with(
        "CREATE TABLE t (id int PRIMARY KEY, at int NOT NULL); INSERT INTO t SELECT n, n FROM generate_series(1, 3000) n",
    );
    let port = sandbox.server.port();
    let settings = format!(
        "--set host=127.0.0.1 --set port={port} --set database=postgres --set user=postgres --set detect_deletes=true"
    );
    let stream = r#"[{"name":"public.t","primary_key":["id"],"cursor_field":"at"}]"#;
    let mut create = sandbox
        .home
        .command(format!("connectors create --name T --type postgres {settings}").split_whitespace());
    let made = create.args(["--streams", stream]).output().unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let sync = || json(&sandbox.home.inlet_well("syncs trigger T --wait --output json"))["counts"].clone();
    assert_eq!(sync()["created"], 3000);
    sandbox.write("DELETE FROM t WHERE id % 100 = 0; UPDATE t SET at = 5000 WHERE id = 1; INSERT INTO t VALUES (3001, 3001)");
    let counts = sync();
    assert_eq!(
        (&counts["created"], &counts["updated"], &counts["deleted"]),
        (&1.into(), &1.into(), &30.into()),
        "{counts}"
    );
    assert!(counts["read"].as_u64().unwrap() < 10, "{counts}");
}

#[test]
fn another_password_reaches_the_same_connector() {
    let sandbox = Sandbox::with(
        "CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1); CREATE ROLE reader LOGIN PASSWORD 'one'; GRANT SELECT ON t TO reader",
    );
    let sync = |password: &str| {
        let url = format!("postgres://reader@127.0.0.1:{}/postgres", sandbox.server.port());
        let line = format!("sync {url} --into shop --output json");
        let output =
            sandbox.home.command(line.split_whitespace()).env("PGPASSWORD", password).output().unwrap();
        (
            output.status.code(),
            String::from_utf8(output.stdout).unwrap(),
            String::from_utf8(output.stderr).unwrap(),
        )
    };
    let (code, first, said) = sync("one");
    assert_eq!(code, Some(0), "{said}");
    let (code, _, said) = sync("two");
    assert_eq!(code, Some(2));
    assert!(
        said.contains("source.denied")
            && said.contains("check `user` and `password`")
            && !said.contains("two"),
        "{said}"
    );
    sandbox.write("ALTER ROLE reader PASSWORD 'three'");
    let (code, again, said) = sync("three");
    assert_eq!(code, Some(0), "{said}");
    assert_eq!(json(&first)["connector_id"], json(&again)["connector_id"]);
}

/// How often a first load is killed, and what happens to the table between two attempts.
const KILLS: u64 = 6;

#[test]
fn a_first_load_that_is_killed_again_and_again_ends_with_what_the_table_holds() {
    let sandbox = Sandbox::with(
        "CREATE TABLE t (id int PRIMARY KEY, name text NOT NULL, at timestamptz NOT NULL DEFAULT now());
         INSERT INTO t SELECT n * 2, repeat(md5(n::text), 8) FROM generate_series(1, 60000) n",
    );
    let kills = std::env::var("INLET_TEST_SEEDS").ok().and_then(|seeds| seeds.parse().ok()).unwrap_or(KILLS);
    for attempt in 0..kills {
        let mut running = sandbox
            .sync("")
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null())
            .spawn()
            .unwrap();
        // Spread over the time a load takes, in an order that looks like none.
        let moment = std::time::Duration::from_millis(20 + attempt * 7919 % 1500);
        sandbox.runtime.block_on(async { tokio::time::sleep(moment).await });
        let _ended = running.kill();
        let _status = running.wait().unwrap();
        sandbox.write(&format!(
            "INSERT INTO t SELECT n * 2 + 1, 'late {attempt}' FROM generate_series({attempt} * 1000, {attempt} * 1000 + 99) n ON CONFLICT DO NOTHING;
             UPDATE t SET name = 'changed {attempt}', at = now() WHERE id % 997 = {attempt}; DELETE FROM t WHERE id % 1009 = {attempt}"
        ));
    }
    sandbox.counts("");
    sandbox.counts("--mode full_refresh");
    assert_eq!(sandbox.counts("--mode full_refresh")["unchanged"], sandbox.rows().len());
    let without_times = |mut rows: Vec<serde_json::Value>| {
        rows.iter_mut().for_each(|row| drop(row.as_object_mut().unwrap().remove("at")));
        rows
    };
    assert!(
        without_times(sandbox.records()) == without_times(sandbox.rows()),
        "the collection equals the table"
    );
}
