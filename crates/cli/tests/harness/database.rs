//! A database in place of data directories, where `INLET_TEST_DATABASE_URL` names one: each home has a schema of its own.

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

/// Some key, the same for each server.
const ENCRYPTION_KEY: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

/// The schema of a home.
#[derive(Debug, Clone)]
pub(crate) struct Schema {
    database: String,
    name: String,
}

impl Schema {
    /// The one of this home, made if it is not there; `None` where there is no database.
    pub(crate) fn of(home: &Path) -> Option<Self> {
        let database = std::env::var("INLET_TEST_DATABASE_URL").ok()?;
        let mut name = "of_".to_owned();
        for byte in home.file_name().unwrap().as_encoded_bytes() {
            write!(name, "{byte:02x}").unwrap();
        }
        let schema = Self { database, name };
        schema.run(&format!("CREATE SCHEMA IF NOT EXISTS {}", schema.name));
        Some(schema)
    }

    /// The URL by which a server has it.
    pub(crate) fn url(&self) -> String {
        format!("{}?options=-csearch_path%3D{}", self.database, self.name)
    }

    /// Lets a server keep everything there. Its leases are short: whoever is killed is soon forgotten.
    pub(crate) fn serves(&self, command: &mut Command) {
        command
            .env("INLET_DATABASE_URL", self.url())
            .env("INLET_ENCRYPTION_KEY", ENCRYPTION_KEY)
            .env("INLET_LEASE", "5s");
    }

    /// Removes it with all it holds.
    pub(crate) fn drop(&self) {
        self.run(&format!("DROP SCHEMA {} CASCADE", self.name));
    }

    fn run(&self, sql: &str) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let (client, connection) =
                tokio_postgres::connect(&self.database, tokio_postgres::NoTls).await.unwrap();
            tokio::spawn(connection);
            client.batch_execute(sql).await.unwrap();
        });
    }
}
