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
        let old = too_old(&mut self.clients(), Instant::now());
        drop(old);
    }

    fn clients(&self) -> MutexGuard<'_, Vec<(Instant, Client)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Takes those out that nobody has used for too long. The first was used least lately.
fn too_old<T>(idle: &mut Vec<(Instant, T)>, now: Instant) -> Vec<T> {
    let are_old = idle.partition_point(|(since, _)| now.saturating_duration_since(*since) > LONGEST);
    let may_go = idle.len().saturating_sub(KEPT);
    idle.drain(..are_old.min(may_go)).map(|(_, client)| client).collect()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn those_that_nobody_has_used_for_long_are_closed_but_for_two() {
        let begun = Instant::now();
        let used = |seconds| (begun + Duration::from_secs(seconds), seconds);
        let mut idle = vec![used(0), used(10), used(20), used(30), used(200)];
        assert_eq!(too_old(&mut idle, begun + LONGEST), [0; 0]);
        assert_eq!(too_old(&mut idle, begun + LONGEST + Duration::from_secs(15)), [0, 10]);
        assert_eq!(too_old(&mut idle, begun + LONGEST * 9), [20]);
        assert_eq!(too_old(&mut idle, begun + LONGEST * 99), [0; 0]);
        assert_eq!(idle, [used(30), used(200)]);
    }
}
