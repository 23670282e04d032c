//! Stands between a client and a server, and breaks what goes through on command.

use std::convert::Infallible;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{ReadHalf, WriteHalf};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

/// What is wrong with the way. It is so at once, for connections that are open and for those to come.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Fault {
    /// Nothing.
    Healthy,
    /// The first connection over which the server sends so many bytes is closed right behind them. Then the way is
    /// healthy again.
    Cut { after: usize },
    /// The first connection over which the client sends this is closed right behind it, before anything of an answer comes. Then the way
    /// is healthy again.
    CutBehind(&'static [u8]),
    /// Nothing goes through in either direction, and nobody is told.
    Stall,
    /// What the server sends comes at this many bytes a second.
    Slow { bytes_per_second: usize },
    /// Every connection is reset.
    Reset,
    /// Nobody gets a connection any more; those that have one keep it.
    Refuse,
    /// This again and again, in place of what the server sends.
    Garbage(&'static [u8]),
}

/// The way from a port of its own to the target. It ends when it is dropped, and its connections with it.
#[derive(Debug)]
pub(crate) struct FaultProxy {
    port: u16,
    fault: watch::Sender<Fault>,
    accepted: watch::Receiver<usize>,
    task: JoinHandle<()>,
}

impl FaultProxy {
    /// A healthy way to the target.
    pub(crate) async fn start(target: SocketAddr) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let fault = watch::Sender::new(Fault::Healthy);
        let (counter, accepted) = watch::channel(0);
        let door = Door { port, target, fault: fault.clone(), counter };
        Self { port, fault, accepted, task: tokio::spawn(door.serve(listener)) }
    }

    /// Where it listens, on 127.0.0.1.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// From now on this is wrong.
    pub(crate) fn set(&self, fault: Fault) {
        self.fault.send_replace(fault);
    }

    /// Waits until this is wrong: until a [`Cut`](Fault::Cut) has struck, if it is `Healthy` that is waited for.
    pub(crate) async fn wait_for(&self, fault: Fault) {
        until(&mut self.fault.subscribe(), |current| current == fault).await;
    }

    /// How many connections it has taken so far.
    pub(crate) fn accepted(&self) -> usize {
        *self.accepted.borrow()
    }
}

impl Drop for FaultProxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Where connections come in.
struct Door {
    port: u16,
    target: SocketAddr,
    fault: watch::Sender<Fault>,
    counter: watch::Sender<usize>,
}

impl Door {
    async fn serve(self, mut listener: TcpListener) {
        let mut connections = JoinSet::new();
        let mut fault = self.fault.subscribe();
        loop {
            let client = tokio::select! {
                biased;
                () = until(&mut fault, |fault| fault == Fault::Refuse) => {
                    listener = self.refuse(listener).await;
                    continue;
                }
                client = listener.accept() => client.unwrap().0,
            };
            self.counter.send_modify(|count| *count += 1);
            connections.spawn(connect(client, self.target, self.fault.clone()));
            while connections.try_join_next().is_some() {}
        }
    }

    /// Keeps the port, but listens no more, until something else is wrong.
    async fn refuse(&self, listener: TcpListener) -> TcpListener {
        drop(listener);
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, self.port));
        let held = TcpSocket::new_v4().unwrap();
        held.set_reuseaddr(true).unwrap();
        held.bind(address).unwrap();
        until(&mut self.fault.subscribe(), |fault| fault != Fault::Refuse).await;
        held.listen(128).unwrap()
    }
}

/// One connection, until one of the two ends it or a fault does.
async fn connect(mut client: TcpStream, target: SocketAddr, fault: watch::Sender<Fault>) {
    let Ok(mut server) = TcpStream::connect(target).await else { return };
    let mut reset = fault.subscribe();
    let (from_client, to_client) = client.split();
    let (from_server, to_server) = server.split();
    let is_reset = tokio::select! {
        biased;
        () = until(&mut reset, |fault| fault == Fault::Reset) => true,
        _ = upwards(from_client, to_server, &fault) => false,
        _ = downwards(from_server, to_client, &fault) => false,
    };
    if is_reset {
        client.set_zero_linger().unwrap();
    }
}

async fn upwards(
    mut client: ReadHalf<'_>,
    mut server: WriteHalf<'_>,
    faults: &watch::Sender<Fault>,
) -> io::Result<Infallible> {
    let mut buffer = vec![0; 16 << 10];
    let mut fault = faults.subscribe();
    loop {
        if *fault.borrow_and_update() == Fault::Stall {
            changed(&mut fault).await?;
            continue;
        }
        let count = tokio::select! {
            biased;
            changed = changed(&mut fault) => { changed?; continue; }
            count = client.read(&mut buffer) => some(count?)?,
        };
        server.write_all(&buffer[..count]).await?;
        let current = *fault.borrow();
        let sent = |wanted: &[u8]| buffer[..count].windows(wanted.len()).any(|bytes| bytes == wanted);
        if let Fault::CutBehind(wanted) = current
            && sent(wanted)
        {
            strike(current, faults)?;
        }
    }
}

async fn downwards(
    mut server: ReadHalf<'_>,
    mut client: WriteHalf<'_>,
    faults: &watch::Sender<Fault>,
) -> io::Result<Infallible> {
    let mut buffer = vec![0; 16 << 10];
    let mut fault = faults.subscribe();
    let (mut before, mut sent) = (Fault::Healthy, 0);
    loop {
        let current = *fault.borrow_and_update();
        if current != before {
            (before, sent) = (current, 0);
        }
        let most = match current {
            Fault::Stall => 0,
            Fault::Cut { after } => after.saturating_sub(sent).min(buffer.len()),
            Fault::Slow { bytes_per_second } => (bytes_per_second / 20).clamp(1, buffer.len()),
            Fault::Healthy | Fault::CutBehind(_) | Fault::Reset | Fault::Refuse | Fault::Garbage(_) => {
                buffer.len()
            }
        };
        if most == 0 {
            strike(current, faults)?;
            changed(&mut fault).await?;
            continue;
        }
        let count = tokio::select! {
            biased;
            changed = changed(&mut fault) => { changed?; continue; }
            count = server.read(&mut buffer[..most]) => some(count?)?,
        };
        if let Fault::Garbage(garbage) = current {
            buffer.iter_mut().zip(garbage.iter().cycle()).for_each(|(byte, wrong)| *byte = *wrong);
        }
        client.write_all(&buffer[..count]).await?;
        sent += count;
        if let Fault::Slow { bytes_per_second } = current {
            tokio::time::sleep(Duration::from_secs_f64(count as f64 / bytes_per_second as f64)).await;
        }
    }
}

/// An error for the one connection that a cut strikes.
fn strike(fault: Fault, faults: &watch::Sender<Fault>) -> io::Result<()> {
    let is_first = |current: &mut Fault| {
        let strikes = matches!(fault, Fault::Cut { .. } | Fault::CutBehind(_)) && *current == fault;
        if strikes {
            *current = Fault::Healthy;
        }
        strikes
    };
    if faults.send_if_modified(is_first) { Err(io::ErrorKind::ConnectionAborted.into()) } else { Ok(()) }
}

async fn until(fault: &mut watch::Receiver<Fault>, is_so: impl Fn(Fault) -> bool) {
    let waited = fault.wait_for(|fault| is_so(*fault)).await;
    drop(waited.expect("whoever waits for a fault has a sender too"));
}

async fn changed(fault: &mut watch::Receiver<Fault>) -> io::Result<()> {
    fault.changed().await.map_err(io::Error::other)
}

/// What was read, if the connection has not come to its end.
fn some(count: usize) -> io::Result<usize> {
    if count == 0 { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(count) }
}
