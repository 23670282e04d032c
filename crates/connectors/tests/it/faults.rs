//! Each fault of the proxy does what it says.

use std::io::{ErrorKind, Result};
use std::net::{Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::fault_proxy::{Fault, FaultProxy};
use crate::private_postgres::{PrivatePostgres, connect};

/// How long something is waited for that must not come.
const NEVER: Duration = Duration::from_millis(200);

/// A server that sends back what it gets.
async fn echo() -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            let (mut client, _) = listener.accept().await.unwrap();
            tokio::spawn(async move {
                let (mut from, mut to) = client.split();
                tokio::io::copy(&mut from, &mut to).await
            });
        }
    });
    address
}

async fn through(proxy: &FaultProxy) -> Result<TcpStream> {
    TcpStream::connect((Ipv4Addr::LOCALHOST, proxy.port())).await
}

/// Sends these bytes, and reads as many.
async fn echoed(client: &mut TcpStream, bytes: &[u8]) -> Result<Vec<u8>> {
    client.write_all(bytes).await?;
    let mut answer = vec![0; bytes.len()];
    client.read_exact(&mut answer).await?;
    Ok(answer)
}

#[tokio::test]
async fn a_healthy_way_changes_nothing() {
    let proxy = FaultProxy::start(echo().await).await;
    let bytes: Vec<u8> = (0..1_000_000_u32).flat_map(u32::to_le_bytes).collect();
    let (mut from, mut to) = through(&proxy).await.unwrap().into_split();
    let sent = bytes.clone();
    let sending = tokio::spawn(async move { to.write_all(&sent).await.map(|()| to) });
    let mut answer = vec![0; bytes.len()];
    from.read_exact(&mut answer).await.unwrap();
    assert!(answer == bytes, "something else came back");
    sending.await.unwrap().unwrap();
    assert_eq!(proxy.accepted(), 1);
}

#[tokio::test]
async fn a_cut_lets_exactly_so_many_bytes_through_and_strikes_once() {
    let proxy = FaultProxy::start(echo().await).await;
    let mut client = through(&proxy).await.unwrap();
    assert_eq!(echoed(&mut client, b"before").await.unwrap(), b"before");
    proxy.set(Fault::Cut { after: 7 });
    client.write_all(b"0123456789").await.unwrap();
    let mut rest = Vec::new();
    client.read_to_end(&mut rest).await.unwrap();
    assert_eq!(rest, b"0123456");
    proxy.wait_for(Fault::Healthy).await;
    let mut next = through(&proxy).await.unwrap();
    assert_eq!(echoed(&mut next, b"0123456789").await.unwrap(), b"0123456789");
}

#[tokio::test]
async fn a_stalled_way_lets_nothing_through_and_loses_nothing() {
    let proxy = FaultProxy::start(echo().await).await;
    let mut client = through(&proxy).await.unwrap();
    assert_eq!(echoed(&mut client, b"before").await.unwrap(), b"before");
    proxy.set(Fault::Stall);
    let answer = echoed(&mut client, b"meanwhile");
    tokio::pin!(answer);
    assert!(tokio::time::timeout(NEVER, &mut answer).await.is_err());
    proxy.set(Fault::Healthy);
    assert_eq!(answer.await.unwrap(), b"meanwhile");
}

#[tokio::test]
async fn a_slow_way_takes_its_time() {
    let proxy = FaultProxy::start(echo().await).await;
    let mut client = through(&proxy).await.unwrap();
    proxy.set(Fault::Slow { bytes_per_second: 10_000 });
    let begun = Instant::now();
    assert_eq!(echoed(&mut client, &[7; 4000]).await.unwrap(), [7; 4000]);
    assert!(begun.elapsed() > Duration::from_millis(300), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn a_reset_is_one_for_those_inside_and_those_that_come() {
    let proxy = FaultProxy::start(echo().await).await;
    let mut client = through(&proxy).await.unwrap();
    assert_eq!(echoed(&mut client, b"before").await.unwrap(), b"before");
    proxy.set(Fault::Reset);
    assert_eq!(client.read_u8().await.unwrap_err().kind(), ErrorKind::ConnectionReset);
    let late = async { through(&proxy).await?.read_u8().await };
    assert_eq!(late.await.unwrap_err().kind(), ErrorKind::ConnectionReset);
    proxy.set(Fault::Healthy);
    assert_eq!(echoed(&mut through(&proxy).await.unwrap(), b"after").await.unwrap(), b"after");
}

#[tokio::test]
async fn who_is_inside_stays_when_new_connections_are_refused() {
    let proxy = FaultProxy::start(echo().await).await;
    let mut client = through(&proxy).await.unwrap();
    assert_eq!(echoed(&mut client, b"before").await.unwrap(), b"before");
    proxy.set(Fault::Refuse);
    // The listener goes a moment later than the order comes; what it had not accepted by then is reset.
    while through(&proxy).await.is_ok() {
        tokio::task::yield_now().await;
    }
    assert_eq!(through(&proxy).await.unwrap_err().kind(), ErrorKind::ConnectionRefused);
    assert_eq!(echoed(&mut client, b"inside").await.unwrap(), b"inside");
    proxy.set(Fault::Healthy);
    let mut next = loop {
        match through(&proxy).await {
            Ok(next) => break next,
            Err(_) => tokio::task::yield_now().await,
        }
    };
    assert_eq!(echoed(&mut next, b"after").await.unwrap(), b"after");
}

#[tokio::test]
async fn garbage_comes_in_place_of_the_answer() {
    let proxy = FaultProxy::start(echo().await).await;
    proxy.set(Fault::Garbage(b"mist"));
    let mut client = through(&proxy).await.unwrap();
    assert_eq!(echoed(&mut client, b"0123456789").await.unwrap(), b"mistmistmi");
}

#[tokio::test]
async fn the_way_leads_to_a_private_postgres() {
    let server = PrivatePostgres::start();
    let proxy = FaultProxy::start(SocketAddr::from((Ipv4Addr::LOCALHOST, server.port()))).await;
    let client = connect(&format!("postgres://postgres@127.0.0.1:{}/postgres", proxy.port())).await;
    let sum = "SELECT sum(i) FROM generate_series(1, 100000) AS i";
    assert_eq!(client.query_one(sum, &[]).await.unwrap().get::<_, i64>(0), 5_000_050_000);
    proxy.set(Fault::Cut { after: 50_000 });
    let broken = client.query("SELECT i FROM generate_series(1, 100000) AS i", &[]).await.unwrap_err();
    assert!(broken.is_closed() || broken.to_string().contains("communicating"), "{broken}");
}
