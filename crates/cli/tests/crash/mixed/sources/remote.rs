//! Tables of a PostgreSQL server behind a bad way.

use std::fmt::Write as _;
use std::sync::Arc;

use serde_json::{Value, json};
use tokio::runtime::Runtime;
use tokio_postgres::Client;

use super::super::edits::{Edit, Rows};
use super::super::way::Way;
use super::Place;
use crate::private_postgres::PrivatePostgres;

/// The server.
pub(super) struct Remote {
    way: Arc<Way>,
    link: Arc<Link>,
    _server: PrivatePostgres,
}

/// Whoever writes to the tables.
struct Link {
    client: Client,
    runtime: Runtime,
}

impl Remote {
    pub(super) fn start() -> Self {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let server = PrivatePostgres::start();
        let client = runtime.block_on(server.connect("postgres"));
        let way = Way::to(([127, 0, 0, 1], server.port()).into());
        Self { way, link: Arc::new(Link { client, runtime }), _server: server }
    }

    pub(super) fn heal(&self) {
        self.way.heal();
    }

    /// A new table; one that is followed is read by its revisions, and asked what is gone.
    pub(super) fn table(&self, name: &'static str, is_followed: bool) -> Table {
        let table = Table { name, is_followed, port: self.way.port(), link: Arc::clone(&self.link) };
        table.say(&format!(
            "CREATE TABLE {name} (id bigint PRIMARY KEY, note text NOT NULL, revision bigint NOT NULL); CREATE INDEX ON {name} (revision)"
        ));
        table
    }
}

pub(super) struct Table {
    name: &'static str,
    is_followed: bool,
    port: u16,
    link: Arc<Link>,
}

impl Table {
    fn say(&self, sql: &str) {
        self.link.runtime.block_on(self.link.client.batch_execute(sql)).unwrap();
    }
}

impl Place for Table {
    fn kind(&self) -> &'static str {
        "postgres"
    }

    fn config(&self) -> Value {
        json!({
            "host": "127.0.0.1", "port": self.port, "database": "postgres", "user": "postgres",
            "detect_deletes": self.is_followed,
        })
    }

    fn stream(&self) -> Value {
        let mut stream = json!({"name": format!("public.{}", self.name), "primary_key": ["id"]});
        if self.is_followed {
            stream["cursor_field"] = json!("revision");
        }
        stream
    }

    fn write(&mut self, _rows: &Rows, edits: &[Edit]) {
        let name = self.name;
        let mut sql = "BEGIN;".to_owned();
        for edit in edits {
            match edit {
                Edit::Put(id, row) => write!(
                    sql,
                    "INSERT INTO {name} VALUES ({id}, '{0}', {1}) ON CONFLICT (id) DO UPDATE SET note = '{0}', revision = {1};",
                    row.note, row.revision
                ),
                Edit::Gone(id) => write!(sql, "DELETE FROM {name} WHERE id = {id};"),
            }
            .unwrap();
        }
        self.say(&(sql + "COMMIT"));
    }
}
