//! Checking a connection: what is wrong, and what to do about it.

use std::net::TcpListener;
use std::time::Duration;

use inlet_source::{Egress, ErrorKind};

use super::*;

fn build(config: Value) -> Arc<dyn Source> {
    Arc::from(Postgres::default().build(config, &Environment::default()).unwrap())
}

/// The kind, and the hint.
async fn refusal(source: Arc<dyn Source>) -> (ErrorKind, String) {
    let error = source.check().await.unwrap_err();
    let failure = error.to_failure();
    (error.kind(), format!("{} | {}", failure.message, failure.hint.unwrap_or_default()))
}

#[tokio::test]
async fn each_cause_has_its_kind_and_its_hint() {
    let sandbox = Sandbox::with(
        "CREATE ROLE reader LOGIN PASSWORD 'pass'; CREATE ROLE nobody; CREATE TABLE t (id int)",
    )
    .await;
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    for (settings, kind, hint) in [
        (json!({"port": free}), ErrorKind::Unavailable, "listen_addresses"),
        (json!({"host": "no-such-host.invalid"}), ErrorKind::NotFound, "check `host`"),
        (json!({"host": "/no/such/directory"}), ErrorKind::NotFound, "check `host`"),
        (json!({"host": "169.254.169.254"}), ErrorKind::Denied, "--egress"),
        (json!({"ssl_mode": "require"}), ErrorKind::Denied, "set `ssl_mode` to disable"),
        (json!({"user": "reader"}), ErrorKind::Denied, "set `password`"),
        (json!({"user": "reader", "password": "wrong"}), ErrorKind::Denied, "check `user` and `password`"),
        (json!({"user": "nobody", "password": "x"}), ErrorKind::Denied, "check `user`"),
        (json!({"database": "nowhere"}), ErrorKind::NotFound, "check `database`"),
        (json!({"user": "reader", "password": "pass"}), ErrorKind::Denied, "GRANT"),
        (json!({"schemas": ["nowhere"]}), ErrorKind::Denied, "GRANT"),
    ] {
        let (found, text) = refusal(sandbox.source_with(settings.clone())).await;
        assert_eq!(found, kind, "{settings}: {text}");
        assert!(text.contains(hint), "{settings}: {text}");
    }
    sandbox.source().check().await.unwrap();
    let by_socket = json!({"host": sandbox.server.socket_folder(), "port": sandbox.server.port(), "database": "postgres", "user": "postgres"});
    build(by_socket).check().await.unwrap();
}

#[tokio::test]
async fn where_only_public_addresses_are_allowed_this_machine_is_not_reached() {
    let environment = Environment { egress: Egress::Public, ..Environment::default() };
    let config = json!({"host": "localhost", "database": "d", "user": "u"});
    let source = Postgres::default().build(config, &environment).unwrap();
    assert_eq!(source.check().await.unwrap_err().kind(), ErrorKind::Denied);
}

#[tokio::test]
async fn every_mode_of_tls_does_what_it_says() {
    let server = PrivatePostgres::start_with(&Setup {
        tls: true,
        access: "hostnossl all tls_only 127.0.0.1/32 reject",
        ..Setup::default()
    });
    let authority = server.authority().to_owned();
    let sandbox = Sandbox::on(server).await;
    sandbox.write("CREATE ROLE tls_only LOGIN PASSWORD 'pass'; CREATE TABLE t (id int); GRANT SELECT ON t TO tls_only").await;
    let with = |settings: Value| {
        let mut all = json!({"user": "tls_only", "password": "pass"});
        for (name, value) in settings.as_object().unwrap() {
            all[name] = value.clone();
        }
        sandbox.source_with(all)
    };
    for good in [
        json!({}),
        json!({"ssl_mode": "prefer"}),
        json!({"ssl_mode": "require"}),
        json!({"ssl_mode": "verify-ca", "ssl_root_cert": authority}),
        json!({"ssl_mode": "verify-full", "ssl_root_cert": authority, "host": "localhost"}),
    ] {
        with(good.clone()).check().await.unwrap_or_else(|error| panic!("{good}: {error}"));
    }
    let (kind, text) = refusal(with(json!({"ssl_mode": "disable"}))).await;
    assert_eq!((kind, text.contains("ssl_mode")), (ErrorKind::Denied, true), "{text}");
    let (kind, text) = refusal(with(json!({"ssl_mode": "verify-full", "ssl_root_cert": authority}))).await;
    assert_eq!((kind, text.contains("for another host")), (ErrorKind::Denied, true), "{text}");
    let (kind, text) = refusal(with(json!({"ssl_mode": "verify-full", "host": "localhost"}))).await;
    assert_eq!((kind, text.contains("`ssl_root_cert`")), (ErrorKind::Denied, true), "{text}");
}

#[tokio::test]
async fn what_is_no_postgresql_is_told() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let _answered =
                    tokio::io::AsyncWriteExt::write_all(&mut stream, b"HTTP/1.1 400 Bad Request\r\n\r\n")
                        .await;
                tokio::time::sleep(Duration::from_secs(5)).await;
            });
        }
    });
    for mode in ["disable", "prefer", "require"] {
        let (kind, text) = refusal(build(
            json!({"host": "127.0.0.1", "port": port, "database": "d", "user": "u", "ssl_mode": mode}),
        ))
        .await;
        assert!(matches!(kind, ErrorKind::Config | ErrorKind::Denied), "{mode}: {text}");
    }
}

#[tokio::test]
async fn no_more_connections_than_allowed_stand_at_once() {
    let sandbox = Sandbox::with(
        "CREATE TABLE s (id int); INSERT INTO s VALUES (1); CREATE VIEW v AS SELECT id, pg_sleep(60) IS NULL AS slept FROM s",
    )
    .await;
    let kind = Postgres::default();
    let build = |most: u64| -> Arc<dyn Source> {
        let mut config = sandbox.config();
        config["max_connections"] = json!(most);
        Arc::from(kind.build(config, &Environment::default()).unwrap())
    };
    let subject = sandbox.subject_of(build(1), &["public.v"]).await;
    let reading = tokio::spawn(async move { sync(&subject, &mut Collection::default()).await });
    let is_reading = "SELECT count(*) > 0 FROM pg_stat_activity WHERE application_name = 'inlet' AND wait_event = 'PgSleep'";
    while !sandbox.client.query_one(is_reading, &[]).await.unwrap().get::<_, bool>(0) {}
    let other = build(1);
    let waiting = tokio::time::timeout(Duration::from_millis(500), other.check()).await;
    assert!(waiting.is_err(), "the one connection is in use");
    build(2).check().await.unwrap();
    reading.abort();
    other.check().await.unwrap();
}

#[tokio::test]
async fn the_statement_timeout_is_that_of_the_server_while_we_read() {
    let sandbox = Sandbox::with("CREATE TABLE s (id int); INSERT INTO s VALUES (1); CREATE VIEW v AS SELECT id, pg_sleep(30) IS NULL AS slept FROM s").await;
    let source = sandbox.source_with(json!({"statement_timeout": "1s"}));
    let mut collection = Collection::default();
    let messages = sync(&sandbox.subject_of(source, &["public.v"]).await, &mut collection).await;
    let failure = failure(&messages);
    assert_eq!(failure.kind(), ErrorKind::TimedOut);
    assert!(failure.to_failure().hint.unwrap().contains("statement_timeout"));
}

#[tokio::test]
async fn the_server_is_only_read_from_and_only_in_transactions_that_cannot_write() {
    let server = PrivatePostgres::start_with(&Setup {
        settings: &["log_statement=all", "log_line_prefix=%a|"],
        ..Setup::default()
    });
    let sandbox = Sandbox::on(server).await;
    sandbox
        .write("CREATE TABLE t (id int PRIMARY KEY, at timestamptz NOT NULL DEFAULT now()); INSERT INTO t VALUES (1)")
        .await;
    let subject = sandbox.by_cursor("at").await;
    let mut collection = Collection::default();
    for _ in 0..2 {
        sync(&subject, &mut collection).await;
    }
    let of_table = |log: &str| log.lines().filter(|line| line.contains("\"public\".\"t\"")).count();
    sandbox.server.wait_for_log("\"at\" >= ");
    let log = sandbox.server.log();
    assert_eq!(of_table(&log), 5, "two bounds, two reads, and one look for rows without a beginning: {log}");
    let allowed = ["BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;", "COPY (SELECT ", "COMMIT"];
    for statement in log.lines().filter_map(|line| line.strip_prefix("inlet|LOG:  statement: ")) {
        assert!(allowed.iter().any(|start| statement.starts_with(start)), "{statement}");
    }
}
