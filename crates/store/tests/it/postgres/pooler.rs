//! PgBouncer between us and the server, which gives every transaction another of its connections.

use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use inlet_model::{SeededEntropy, SyncId};
use inlet_store::Signal;
use inlet_store::conformance::collection::Given;
use inlet_store::postgres::Postgres;
use tokio::time::{sleep, timeout};

use super::conformance::Schema;
use super::suites::{Places, failing_at};
use super::try_open;
use crate::private_postgres::{PrivatePostgres, Setup};

/// A pooler in transaction mode. It ends when it is dropped.
pub(super) struct Pooler {
    process: Child,
    port: u16,
}

impl Pooler {
    /// One before that server.
    pub(super) fn start(server: &PrivatePostgres) -> Self {
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port();
        let settings = format!(
            "[databases]\n* = host=127.0.0.1 port={} user=postgres\n[pgbouncer]\nlisten_addr=127.0.0.1\nlisten_port={port}\n\
             unix_socket_dir=\nauth_type=any\npool_mode=transaction\nmax_client_conn=500\ndefault_pool_size=4\nserver_idle_timeout=1\n",
            server.port()
        );
        let file = server.socket_folder().join("pgbouncer.ini");
        std::fs::write(&file, settings).unwrap();
        let mut command: Command = server.beside("pgbouncer");
        let mut process = command.arg(&file).stderr(Stdio::null()).spawn().expect(
            "PgBouncer is missing: apt-get install pgbouncer, and look that /usr/sbin is on the PATH",
        );
        let begun = Instant::now();
        while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err() {
            assert!(process.try_wait().unwrap().is_none(), "PgBouncer does not start");
            assert!(begun.elapsed() < Duration::from_secs(30), "PgBouncer does not listen");
            std::thread::yield_now();
        }
        Self { process, port }
    }

    /// The address of a database through it.
    pub(super) fn url(&self, database: &str) -> String {
        format!("postgres://postgres@127.0.0.1:{}/{database}", self.port)
    }
}

impl Drop for Pooler {
    fn drop(&mut self) {
        let _ended = self.process.kill();
        let _status = self.process.wait();
    }
}

fn places() -> Places {
    let server =
        PrivatePostgres::start_with(&Setup { settings: &["max_connections=300"], ..Setup::default() });
    let pooler = Pooler::start(&server);
    Places::Databases(server, pooler)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_catalog_passes_the_suite_through_a_pooler() {
    // One of three: what a pooler does to one behaviour it does to its neighbours.
    let behaviours = inlet_store::catalog_tests!(@list).into_iter().step_by(3).collect();
    let failed = failing_at(places(), behaviours, |url, behaviour| async move {
        behaviour(Arc::new(try_open(&url).await.unwrap())).await;
    });
    assert_eq!(failed.await, [""; 0]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_collections_pass_the_suite_through_a_pooler() {
    let behaviours = inlet_store::collection_tests!(@list).into_iter().step_by(3).collect();
    let failed = failing_at(places(), behaviours, |url, behaviour| async move {
        behaviour(Given::new(Schema::of(url)).await).await;
    });
    assert_eq!(failed.await, [""; 0]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn signals_are_prompt_only_without_a_pooler_between() {
    let server = PrivatePostgres::start();
    let pooler = Pooler::start(&server);
    let entropy = SeededEntropy::new(1);
    let direct = Postgres::new(&server.url("postgres")).unwrap().signals(&entropy);
    let pooled = Postgres::new(&pooler.url("postgres")).unwrap().signals(&SeededEntropy::new(2));
    let prompt = async {
        while !direct.is_prompt() {
            sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(Duration::from_secs(20), prompt).await.unwrap();
    // By now the one through the pooler would know as well.
    sleep(Duration::from_secs(3)).await;
    assert!(!pooled.is_prompt());
    // What it tells arrives all the same where somebody listens.
    let told = Signal::Sync(SyncId::from_u128(7));
    pooled.tell(told);
    let heard = async { while direct.next().await != told {} };
    timeout(Duration::from_secs(20), heard).await.unwrap();
}
