//! A server with empty databases.

use std::sync::atomic::{AtomicU32, Ordering};

use tokio_postgres::Client;

use crate::private_postgres::PrivatePostgres;

/// A server, of which each schema stands for a database.
pub(super) struct Databases {
    server: PrivatePostgres,
    made: AtomicU32,
}

impl Databases {
    pub(super) fn start() -> Self {
        Self { server: PrivatePostgres::start(), made: AtomicU32::new(0) }
    }

    /// The URL of an empty one.
    pub(super) async fn empty(&self) -> String {
        let schema = format!("empty_{}", self.made.fetch_add(1, Ordering::Relaxed));
        self.server
            .connect("postgres")
            .await
            .batch_execute(&format!("CREATE SCHEMA {schema}"))
            .await
            .unwrap();
        format!("{}?options=-csearch_path%3D{schema}", self.server.url("postgres"))
    }
}

/// A connection to one of them.
pub(super) async fn connect(url: &str) -> Client {
    crate::private_postgres::connect(url).await
}

/// The number in the first column of the first row.
pub(super) async fn number(url: &str, sql: &str) -> i64 {
    connect(url).await.query_one(sql, &[]).await.unwrap().get(0)
}
