//! Who may have how many of the connections at once.
//!
//! Each kind of use holds a place of every row that it is counted in, the narrowest first. The widest is all connections, and each row is smaller
//! than the one around it; so whatever the narrower ones do, something is left to the wider: commits and reads of collections cannot keep a
//! caller's key from being looked up, and none of these keeps a node from renewing its leases.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// What a connection is wanted for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::postgres) enum Use {
    /// Changes of the catalog: claims and leases above all, and what the other processes are told.
    Change,
    /// Reads of the catalog.
    Look,
    /// Reads of collections.
    Read,
    /// Whatever writes a collection: for the whole of its transaction.
    Commit,
}

impl Use {
    /// How long a connection is waited for. Somebody waits for an answer of all but commits, and syncs would rather wait than fail.
    pub(super) fn patience(self) -> Duration {
        match self {
            Self::Change | Self::Look | Self::Read => Duration::from_secs(5),
            Self::Commit => Duration::from_secs(60),
        }
    }

    /// How long an answer may take. The server is told to give up a little earlier.
    pub(in crate::postgres) fn longest_answer(self) -> Duration {
        match self {
            Self::Change => Duration::from_secs(12),
            Self::Commit => Duration::from_secs(18),
            Self::Look | Self::Read => Duration::from_secs(33),
        }
    }
}

/// Places in each row.
#[derive(Debug)]
pub(super) struct Shares {
    all: Arc<Semaphore>,
    but_changes: Arc<Semaphore>,
    collections: Arc<Semaphore>,
    reads: Arc<Semaphore>,
    commits: Arc<Semaphore>,
}

/// The right to one connection.
#[derive(Debug)]
pub(in crate::postgres) struct Permit(#[expect(dead_code, reason = "held")] Vec<OwnedSemaphorePermit>);

impl Shares {
    /// Divides so many connections, at least four.
    pub(super) fn of(connections: usize) -> Self {
        let but_changes = connections - (connections / 8).max(1);
        let collections = connections - (connections / 4).max(2);
        let row = |places: usize| Arc::new(Semaphore::new(places.max(1)));
        Self {
            all: row(connections),
            but_changes: row(but_changes),
            collections: row(collections),
            reads: row(collections - (collections / 4).max(1)),
            commits: row(collections - (collections / 6).max(1)),
        }
    }

    /// Waits for the right to a connection.
    pub(super) async fn permit(&self, wanted: Use) -> Option<Permit> {
        let rows: &[&Arc<Semaphore>] = match wanted {
            Use::Change => &[&self.all],
            Use::Look => &[&self.but_changes, &self.all],
            Use::Read => &[&self.reads, &self.collections, &self.but_changes, &self.all],
            Use::Commit => &[&self.commits, &self.collections, &self.but_changes, &self.all],
        };
        let mut places = Vec::with_capacity(rows.len());
        for row in rows {
            places.push(Arc::clone(row).acquire_owned().await.ok()?);
        }
        Some(Permit(places))
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    fn all_of(shares: &Shares, wanted: Use) -> Vec<Permit> {
        std::iter::from_fn(|| shares.permit(wanted).now_or_never().flatten()).collect()
    }

    #[test]
    fn whatever_has_all_it_may_leaves_something_to_the_others() {
        for connections in 4..=200 {
            let shares = Shares::of(connections);
            let commits = all_of(&shares, Use::Commit);
            // Only the fewest connections leave commits and reads no choice but to take turns.
            let reads = all_of(&shares, Use::Read);
            let looks = all_of(&shares, Use::Look);
            let changes = all_of(&shares, Use::Change);
            for share in [&commits, &reads, &looks, &changes] {
                assert!(!share.is_empty(), "{connections}");
            }
            assert_eq!(commits.len() + reads.len() + looks.len() + changes.len(), connections);
        }
    }

    #[test]
    fn the_usual_sixteen_are_divided_as_documented() {
        let shares = || Shares::of(16);
        assert_eq!(all_of(&shares(), Use::Commit).len(), 10);
        assert_eq!(all_of(&shares(), Use::Read).len(), 9);
        assert_eq!(all_of(&shares(), Use::Look).len(), 14);
        assert_eq!(all_of(&shares(), Use::Change).len(), 16);
    }
}
