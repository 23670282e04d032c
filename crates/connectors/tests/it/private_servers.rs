//! The private server, on which the tests of the source stand, does what it says.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::sync::Arc;

use rustls::pki_types::{CertificateDer, ServerName, pem::PemObject};
use rustls::{ClientConfig, ClientConnection, RootCertStore, crypto::ring};
use tokio_postgres::NoTls;

use crate::private_postgres::{PrivatePostgres, Setup, connect};

async fn setting(client: &tokio_postgres::Client, name: &str) -> String {
    client.query_one("SELECT current_setting($1)", &[&name]).await.unwrap().get(0)
}

#[tokio::test]
async fn a_private_postgres_takes_connections_by_tcp_and_by_its_socket() {
    let server = PrivatePostgres::start();
    let client = server.connect("postgres").await;
    assert_eq!(setting(&client, "wal_level").await, "logical");
    assert_eq!(setting(&client, "max_prepared_transactions").await, "20");
    let socket = server.socket_folder().display();
    let client = connect(&format!("host={socket} port={} user=postgres", server.port())).await;
    assert_eq!(setting(&client, "listen_addresses").await, "127.0.0.1");
}

#[tokio::test]
async fn two_private_servers_stand_beside_each_other() {
    let (one, other) = (PrivatePostgres::start(), PrivatePostgres::start());
    one.connect("postgres").await.batch_execute("CREATE DATABASE shop").await.unwrap();
    let names = "SELECT count(*) FROM pg_database WHERE datname = 'shop'";
    let found: i64 = other.connect("postgres").await.query_one(names, &[]).await.unwrap().get(0);
    assert_eq!(found, 0);
}

#[tokio::test]
async fn all_but_the_superuser_need_their_password() {
    let server = PrivatePostgres::start();
    server
        .connect("postgres")
        .await
        .batch_execute("CREATE ROLE reader LOGIN PASSWORD 'right'")
        .await
        .unwrap();
    let url = |password| format!("postgres://reader:{password}@127.0.0.1:{}/postgres", server.port());
    connect(&url("right")).await;
    assert!(tokio_postgres::connect(&url("wrong"), NoTls).await.is_err());
    server.wait_for_log("password authentication failed for user \"reader\"");
}

#[tokio::test]
async fn settings_and_access_beyond_the_usual_win() {
    let access = "host all postgres 127.0.0.1/32 reject";
    let server = PrivatePostgres::start_with(&Setup {
        access,
        settings: &["wal_level=minimal", "max_wal_senders=0"],
        tls: false,
    });
    assert!(tokio_postgres::connect(&server.url("postgres"), NoTls).await.is_err());
    let socket = server.socket_folder().display();
    let client = connect(&format!("host={socket} port={} user=postgres", server.port())).await;
    assert_eq!(setting(&client, "wal_level").await, "minimal");
}

/// Asks for encryption as PostgreSQL's protocol has it, and shakes hands with a server of this name.
fn shake_hands(server: &PrivatePostgres, name: &'static str) -> std::io::Result<()> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(server.authority().as_bytes()).unwrap()).unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let config = config.with_safe_default_protocol_versions().unwrap().with_root_certificates(roots);
    let mut session =
        ClientConnection::new(Arc::new(config.with_no_client_auth()), ServerName::try_from(name).unwrap())
            .unwrap();
    let mut socket = TcpStream::connect((Ipv4Addr::LOCALHOST, server.port())).unwrap();
    socket.write_all(&[0, 0, 0, 8, 4, 210, 22, 47]).unwrap();
    let mut answer = [0];
    socket.read_exact(&mut answer).unwrap();
    assert_eq!(answer, *b"S", "the server does not offer encryption");
    while session.is_handshaking() {
        session.complete_io(&mut socket)?;
    }
    Ok(())
}

#[test]
fn the_certificate_is_good_for_localhost_and_nothing_else() {
    let server = PrivatePostgres::start_with(&Setup { tls: true, ..Setup::default() });
    shake_hands(&server, "localhost").unwrap();
    let refused = shake_hands(&server, "127.0.0.1").unwrap_err();
    assert!(refused.to_string().contains("not valid for name"), "{refused}");
}

#[tokio::test]
async fn the_server_ends_with_its_owner() {
    let server = PrivatePostgres::start();
    assert!(server.log().contains("database system is ready"), "{}", server.log());
    let (url, folder) = (server.url("postgres"), server.socket_folder().to_owned());
    let held = connect(&url).await;
    drop(server);
    assert!(tokio_postgres::connect(&url, NoTls).await.is_err());
    assert!(held.simple_query("SELECT 1").await.is_err());
    assert!(!folder.exists());
}
