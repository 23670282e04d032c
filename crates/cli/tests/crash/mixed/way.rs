//! The way to a server: every fifth connection over it is refused, or cut somewhere.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use super::super::Draw;

/// One of so many connections fails.
const ONE_OF: u64 = 5;
/// A connection is cut before so many bytes have come over it; a sync of a table takes about as many.
const LATEST_CUT: u64 = 12_000;

/// A port that leads to the target.
pub(super) struct Way {
    port: u16,
    target: SocketAddr,
    connections: AtomicU64,
    is_good: AtomicBool,
}

impl Way {
    pub(super) fn to(target: SocketAddr) -> Arc<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let way =
            Arc::new(Self { port, target, connections: AtomicU64::new(0), is_good: AtomicBool::new(false) });
        let serving = Arc::clone(&way);
        std::thread::spawn(move || {
            while let Ok((client, _)) = listener.accept() {
                let way = Arc::clone(&serving);
                std::thread::spawn(move || way.carry(client));
            }
        });
        way
    }

    pub(super) fn port(&self) -> u16 {
        self.port
    }

    /// Nothing fails any more.
    pub(super) fn heal(&self) {
        self.is_good.store(true, Ordering::SeqCst);
    }

    /// Carries one connection; whatever goes wrong ends it.
    fn carry(&self, client: TcpStream) {
        let number = self.connections.fetch_add(1, Ordering::SeqCst);
        let fails = number % ONE_OF == ONE_OF - 1 && !self.is_good.load(Ordering::SeqCst);
        let mut draw = Draw(number);
        if fails && draw.below(3) == 0 {
            return;
        }
        let limit = if fails { draw.below(LATEST_CUT) } else { u64::MAX };
        let Ok(server) = TcpStream::connect(self.target) else { return };
        let (Ok(from), Ok(to)) = (client.try_clone(), server.try_clone()) else { return };
        std::thread::spawn(move || pass(from, to, u64::MAX));
        // An end of one direction is the end of both.
        let _ended = pass(server, client, limit);
    }
}

/// Passes on so many bytes, and closes both.
fn pass(mut from: TcpStream, mut to: TcpStream, limit: u64) -> io::Result<()> {
    let mut buffer = [0; 4096];
    let mut left = limit;
    let passed = loop {
        let read = match from.read(&mut buffer) {
            Ok(0) => break Ok(()),
            Ok(read) => read,
            Err(error) => break Err(error),
        };
        let allowed = usize::try_from(left).unwrap_or(usize::MAX).min(read);
        if let Err(error) = to.write_all(&buffer[..allowed]) {
            break Err(error);
        }
        left -= allowed as u64;
        if allowed < read {
            break Ok(());
        }
    };
    let _closed = from.shutdown(Shutdown::Both);
    let _closed = to.shutdown(Shutdown::Both);
    passed
}
