//! Connections that nobody uses just now.

use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::super::client::Client;

/// Who was not used for so long is asked first whether it is there.
const TRUSTED: Duration = Duration::from_secs(1);
/// Connections that stay, however long nobody uses them.
const KEPT: usize = 2;
/// The others are closed after so long.
const LONGEST: Duration = Duration::from_secs(3 * 60);

/// The one that was used last is the one that is used next.
#[derive(Default)]
pub(super) struct Idle(Mutex<Vec<(Instant, Client)>>);

impl Idle {
    /// One that is there. Blocks for as long as it takes to ask it.
    pub(super) fn take(&self) -> Option<Client> {
        loop {
            let (since, mut client) = self.clients().pop()?;
            let is_there = client.is_there() && (since.elapsed() < TRUSTED || client.answers());
            if is_there {
                return Some(client);
            }
            // Those that were idle for longer are no better, and each would be asked in vain.
            let dead = std::mem::take(&mut *self.clients());
            drop(dead);
        }
    }

    /// Keeps one for whoever comes next. Blocks for as long as it takes to close what is of no use.
    pub(super) fn keep(&self, client: Client) {
        self.clients().push((Instant::now(), client));
        while let Some(old) = self.too_old() {
            drop(old);
        }
    }

    fn too_old(&self) -> Option<Client> {
        let mut clients = self.clients();
        let is_too_old = |(since, _): &(Instant, Client)| since.elapsed() > LONGEST;
        (clients.len() > KEPT && clients.first().is_some_and(is_too_old)).then(|| clients.remove(0).1)
    }

    fn clients(&self) -> MutexGuard<'_, Vec<(Instant, Client)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Idle {
    fn drop(&mut self) {
        let clients = std::mem::take(&mut *self.clients());
        // A connection says good-bye, which no thread of a runtime may wait for.
        std::thread::spawn(move || drop(clients));
    }
}

impl fmt::Debug for Idle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Idle")
    }
}
