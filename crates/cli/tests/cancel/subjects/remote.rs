//! A PostgreSQL server on the other side of a way on which nothing goes on.

use tokio::runtime::Runtime;
use tokio_postgres::Client;

use serde_json::{Value, json};

use super::{Calls, Faults, Place, ROWS, Subject, THIRD_COMMIT};
use crate::fault_proxy::{Fault, FaultProxy};
use crate::harness::{Home, until};
use crate::private_postgres::PrivatePostgres;

/// Bytes a second, so that there is time for several commits.
const SLOW: Fault = Fault::Slow { bytes_per_second: 2_500_000 };

/// How the table is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    /// From its beginning to its end.
    Listing,
    /// By a cursor: most of its rows are new since the last sync.
    Cursor,
}

/// Rows that the last sync has brought, where the table is read by a cursor.
const OLD: u64 = 1_000;

pub(super) struct Remote {
    place: Place,
    mode: Mode,
    made: Option<Made>,
    /// Connections before the sync that is to hang.
    connections: usize,
}

struct Made {
    // Ended before the runtime.
    proxy: FaultProxy,
    client: Client,
    runtime: Runtime,
    _server: PrivatePostgres,
}

impl Remote {
    pub(super) fn new(place: Place, mode: Mode) -> Self {
        Self { place, mode, made: None, connections: 0 }
    }

    fn made(&self) -> &Made {
        self.made.as_ref().unwrap()
    }

    fn insert(&self, rows: std::ops::RangeInclusive<u64>) {
        let (first, last) = rows.into_inner();
        let sql = format!(
            "INSERT INTO rows SELECT n, lpad(n::text, 180, '0'), n FROM generate_series({first}, {last}) n"
        );
        self.made().runtime.block_on(self.made().client.batch_execute(&sql)).unwrap();
    }
}

impl Subject for Remote {
    fn name(&self) -> &'static str {
        match self.mode {
            Mode::Listing => "postgres",
            Mode::Cursor => "postgres by a cursor",
        }
    }

    fn kind(&self) -> &'static str {
        "postgres"
    }

    fn prepare(&mut self, _home: &Home) {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let server = PrivatePostgres::start();
        let client = runtime.block_on(server.connect("postgres"));
        let table = "CREATE TABLE rows (id bigint PRIMARY KEY, note text NOT NULL, at bigint NOT NULL); CREATE INDEX ON rows (at)";
        runtime.block_on(client.batch_execute(table)).unwrap();
        let proxy = runtime.block_on(FaultProxy::start(([127, 0, 0, 1], server.port()).into()));
        self.made = Some(Made { proxy, client, runtime, _server: server });
        let there = if self.mode == Mode::Cursor { OLD } else { ROWS };
        self.insert(1..=there);
    }

    fn connector(&self) -> Value {
        let mut stream = json!({"name": "public.rows", "primary_key": ["id"]});
        if self.mode == Mode::Cursor {
            stream["cursor_field"] = json!("at");
        }
        json!({
            "name": "rows", "type": "postgres", "streams": [stream],
            "config": {"host": "127.0.0.1", "port": self.made().proxy.port(), "database": "postgres", "user": "postgres"},
        })
    }

    fn fill(&mut self, calls: &Calls, connector: &str) {
        if self.mode == Mode::Cursor {
            let sync = calls.post(&format!("{connector}/sync"), &json!({}));
            let path = format!("{connector}/sync/{}", sync["id"].as_str().unwrap());
            let ended = calls.until(&path, |sync| sync["finished_at"].is_string());
            assert_eq!((&ended["status"], &ended["counts"]["created"]), (&json!("succeeded"), &json!(OLD)));
            self.insert(OLD + 1..=ROWS);
        }
    }

    fn faults(&self) -> String {
        if self.place == Place::Commit { THIRD_COMMIT.to_owned() } else { String::new() }
    }

    fn break_before(&mut self) {
        self.connections = self.made().proxy.accepted();
        self.made().proxy.set(if self.place == Place::Connect { Fault::Stall } else { SLOW });
    }

    fn break_midway(&mut self) {
        if self.place == Place::Read {
            self.made().proxy.set(Fault::Stall);
        }
    }

    fn wait_until_it_hangs(&self, faults: &Faults, _calls: &Calls, _sync: &str) {
        match self.place {
            Place::Connect => until(|| self.made().proxy.accepted() > self.connections).unwrap(),
            Place::Read => {}
            Place::Commit => faults.wait_until_it_hangs(),
        }
    }

    fn heal(&mut self) {
        self.made().proxy.set(Fault::Healthy);
    }

    fn goes_on_midway(&self) -> bool {
        // Rows may still appear below those that were read by a cursor, so it moves when all are read.
        self.mode == Mode::Listing
    }

    fn rows_to_read(&self) -> u64 {
        if self.mode == Mode::Cursor { ROWS - OLD } else { ROWS }
    }
}
