//! How long the server waits for this process, which may be asleep, or cut off from it.

use std::fmt;
use std::time::Duration;

/// What transactions begin with. Whatever a process has begun is given up by the server before the leases of that process are over: so a
/// process that stops in the middle of a commit holds nobody up.
#[derive(Clone)]
pub(super) struct Patience {
    /// A transaction that changes the catalog.
    pub(super) change: String,
    /// A transaction that reads.
    pub(super) read: String,
    /// A transaction that writes a collection.
    pub(super) commit: String,
}

/// No transaction is given less …
const LEAST: Duration = Duration::from_secs(1);
/// … nor more, however long the leases: [who waits for an answer](super::pool::Use::longest_answer) gives up a little later.
const STATEMENT: Duration = Duration::from_secs(15);
const PAUSE: Duration = Duration::from_secs(10);
/// A reader holds nobody up, but the server's tidying.
const READ: Duration = Duration::from_secs(30);

impl Patience {
    /// For a process whose leases last so long.
    pub(super) fn of(lease: Duration) -> Self {
        let (statement, pause) = ((lease / 2).clamp(LEAST, STATEMENT), (lease / 3).clamp(LEAST, PAUSE));
        Self {
            change: begin("SERIALIZABLE", pause, pause),
            read: begin("REPEATABLE READ READ ONLY", READ, READ),
            commit: begin("READ COMMITTED", statement, pause),
        }
    }
}

/// A statement, which may wait for another transaction, and a pause between two statements may take so long.
fn begin(isolation: &str, statement: Duration, pause: Duration) -> String {
    let (statement, pause) = (statement.as_millis(), pause.as_millis());
    format!(
        "BEGIN ISOLATION LEVEL {isolation}; SET LOCAL statement_timeout = {statement};
         SET LOCAL idle_in_transaction_session_timeout = {pause}"
    )
}

impl fmt::Debug for Patience {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Patience")
    }
}

#[cfg(test)]
mod tests {
    use super::super::pool::Use;
    use super::*;

    #[test]
    fn the_server_gives_up_before_the_lease_is_over_and_before_its_client_does() {
        for seconds in [5, 30, 600] {
            let lease = Duration::from_secs(seconds);
            let Patience { change, commit, .. } = Patience::of(lease);
            for (begin, wanted) in [(change, Use::Change), (commit, Use::Commit)] {
                for given in begin.split("timeout = ").skip(1) {
                    let digits: String = given.chars().take_while(char::is_ascii_digit).collect();
                    let given = Duration::from_millis(digits.parse().unwrap());
                    assert!(given < lease && given < wanted.longest_answer(), "{begin}");
                }
            }
        }
    }
}
