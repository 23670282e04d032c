//! How far the connections to the database are protected.

use std::error::Error;

use inlet_store::postgres::{Postgres, is_refusal};
use inlet_store::{StoreError, StoreErrorKind, StoreResult};

use super::try_open;
use crate::private_postgres::{PrivatePostgres, Setup};

/// Connects by a URL with these settings; whether the connection is encrypted.
async fn encrypted(server: &PrivatePostgres, host: &str, settings: &str) -> StoreResult<bool> {
    let url = format!("postgres://postgres@{host}:{}/postgres?{settings}", server.port());
    let catalog = try_open(&url).await?;
    let sql =
        "SELECT ssl FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE application_name = 'inlet'";
    let rows = server.connect("postgres").await.query(sql, &[]).await.unwrap();
    drop(catalog);
    Ok(rows.iter().all(|row| row.get(0)))
}

/// What is said of an error with all its causes.
fn told(error: &StoreError) -> String {
    let (mut told, mut cause) = (error.to_string(), error.source());
    while let Some(next) = cause {
        told = format!("{told}: {next}");
        cause = next.source();
    }
    told
}

#[tokio::test]
async fn each_mode_asks_of_the_server_what_it_says() {
    let server = PrivatePostgres::start_with(&Setup { tls: true, ..Setup::default() });
    let stranger = PrivatePostgres::start_with(&Setup { tls: true, ..Setup::default() });
    let right = format!("sslrootcert={}", server.file("authority.crt").display());
    let wrong = format!("sslrootcert={}", stranger.file("authority.crt").display());
    for (host, settings, is_encrypted) in [
        ("127.0.0.1", "sslmode=disable", false),
        ("127.0.0.1", "", true),
        ("127.0.0.1", "sslmode=prefer", true),
        ("127.0.0.1", "sslmode=require", true),
        ("127.0.0.1", &format!("sslmode=require&{right}"), true),
        ("127.0.0.1", &format!("sslmode=verify-ca&{right}"), true),
        ("localhost", &format!("sslmode=verify-full&{right}"), true),
    ] {
        assert_eq!(encrypted(&server, host, settings).await.unwrap(), is_encrypted, "{settings}");
    }
    for (host, settings, reason) in [
        (
            "127.0.0.1",
            format!("sslmode=verify-full&{right}"),
            "sslmode=verify-full: the server's certificate is for another host",
        ),
        (
            "localhost",
            format!("sslmode=verify-full&{wrong}"),
            "sslmode=verify-full: the server's certificate was issued by nobody who is trusted",
        ),
        ("localhost", format!("sslmode=require&{wrong}"), "name the authority's certificate in sslrootcert"),
        ("localhost", "sslmode=verify-ca".to_owned(), "sslmode=verify-ca: "),
    ] {
        let error = encrypted(&server, host, &settings).await.unwrap_err();
        assert!(told(&error).contains(reason), "{}", told(&error));
        let was_read = error.kind() == StoreErrorKind::Unavailable;
        // A machine that trusts nobody at all cannot verify anything.
        assert!(is_refusal(&error) || !was_read, "nobody waits for it to change: {}", told(&error));
    }
}

#[tokio::test]
async fn a_server_without_tls_is_used_only_by_those_who_do_not_insist() {
    let server = PrivatePostgres::start();
    assert!(!encrypted(&server, "127.0.0.1", "sslmode=prefer").await.unwrap());
    for mode in ["require", "verify-ca", "verify-full"] {
        let certificate = server.file("server.crt");
        let Err(error) = encrypted(&server, "127.0.0.1", &format!("sslmode={mode}")).await else {
            panic!("{mode}: {}", certificate.display())
        };
        assert!(told(&error).contains(&format!("sslmode={mode}: ")), "{}", told(&error));
    }
    let error = encrypted(&server, "127.0.0.1", "sslmode=require").await.unwrap_err();
    assert!(told(&error).contains("the server takes no TLS; turn `ssl` on"), "{}", told(&error));
    assert!(is_refusal(&error));
}

#[tokio::test]
async fn a_client_shows_its_certificate_to_a_server_that_asks_for_one() {
    let setup = Setup {
        tls: true,
        settings: &["ssl_ca_file=authority.crt"],
        access: "hostssl all postgres 127.0.0.1/32 cert",
    };
    let server = PrivatePostgres::start_with(&setup);
    let file = |name: &str| server.file(name).display().to_string();
    let ours = format!("sslcert={}&sslkey={}", file("client.crt"), file("client.key"));
    let roots = format!("sslmode=verify-full&sslrootcert={}", file("authority.crt"));
    let try_with = |settings: String| {
        let url = format!("postgres://postgres@localhost:{}/postgres?{settings}", server.port());
        async move { try_open(&url).await.map(drop) }
    };
    try_with(format!("{roots}&{ours}")).await.unwrap();
    let error = try_with(roots.clone()).await.unwrap_err();
    assert!(is_refusal(&error), "{}", told(&error));
    assert!(told(&error).contains("certificate"), "{}", told(&error));
}

#[test]
fn settings_that_cannot_be_meant_are_refused_before_anything_is_connected() {
    for (settings, reason) in [
        ("sslmode=allow", "sslmode is disable, prefer, require, verify-ca or verify-full"),
        (
            "sslmode=verify-full&sslrootcert=/nowhere/ca.pem",
            "no certificate can be read from `/nowhere/ca.pem`",
        ),
        ("sslcert=/nowhere/a.pem&sslkey=/nowhere/b.pem", "no certificate can be read from `/nowhere/a.pem`"),
        ("sslcert=/nowhere/a.pem", "sslcert and sslkey are given together or not at all"),
        ("sslcrl=x", "sslcrl"),
    ] {
        let error = Postgres::new(&format!("postgres://h/d?{settings}")).unwrap_err();
        assert!(told(&error).contains(reason), "{}", told(&error));
    }
    Postgres::new("host=/run/postgresql user=u sslmode=verify-ca sslrootcert=system").unwrap_or_else(
        |error| {
            assert!(told(&error).contains("there is nobody to trust"), "{}", told(&error));
            Postgres::new("host=h").unwrap()
        },
    );
}
