//! Transactions: as if no other ran, done again when they meet another after all.

use std::thread;
use std::time::Duration;

use super::client::Client;
use super::error::is_conflict;
use super::patience::Patience;
use super::session::PostgresSession;
use crate::fault;
use crate::sql::SqlError;
use crate::sql::catalog::{Change, Query, Trouble};

const BEGIN_ALONE: &str = "BEGIN ISOLATION LEVEL READ COMMITTED";
/// What is [done alone](alone) may take so long in a large database, or another process that is at it.
const LONGEST_ALONE: Duration = Duration::from_secs(30 * 60);

/// How often a transaction is tried that meets others again and again.
const TRIES: u32 = 60;
const FIRST_PAUSE: Duration = Duration::from_millis(1);
const LONGEST_PAUSE: Duration = Duration::from_millis(50);

/// Reads what was committed before, all of it from one snapshot.
pub(super) fn read(client: &mut Client, patience: &Patience, query: Query<'static>) -> Result<(), Trouble> {
    within(client, &patience.read, query)
}

/// Runs `change` until it has not met another, on a thread that may block: durable if this returns `Ok`, without trace otherwise.
#[expect(clippy::disallowed_methods, reason = "a thread that may block does so for some milliseconds")]
pub(super) fn write(
    client: &mut Client,
    patience: &Patience,
    mut change: Change<'static>,
) -> Result<(), Trouble> {
    let mut pause = FIRST_PAUSE;
    for _ in 1..TRIES {
        match within(client, &patience.change, &mut change) {
            Err(trouble) if is_conflict(&trouble) && !client.is_closed() => {
                thread::sleep(pause);
                pause = (pause * 2).min(LONGEST_PAUSE);
            }
            done => return done,
        }
    }
    within(client, &patience.change, change)
}

/// Runs `work`, which sees each statement of others as soon as it is committed, and may take its time.
pub(super) fn alone(
    client: &mut Client,
    work: impl FnOnce(&mut Client) -> Result<(), Trouble>,
) -> Result<(), Trouble> {
    client.be_patient_once_it_answers(LONGEST_ALONE);
    of_catalog(client, BEGIN_ALONE, work)
}

fn within(
    client: &mut Client,
    begin: &str,
    work: impl FnOnce(&dyn crate::sql::Session) -> Result<(), Trouble>,
) -> Result<(), Trouble> {
    of_catalog(client, begin, |client| work(&PostgresSession::new(client)))
}

fn of_catalog(
    client: &mut Client,
    begin: &str,
    work: impl FnOnce(&mut Client) -> Result<(), Trouble>,
) -> Result<(), Trouble> {
    run(client, begin, |client| {
        work(client)?;
        fault::point("catalog.write.before");
        Ok::<(), Trouble>(())
    })?;
    fault::point("catalog.write.after");
    Ok(())
}

/// Runs `work` as one transaction that begins so: durable if this returns `Ok`, without trace otherwise.
pub(super) fn run<E: From<SqlError>>(
    client: &mut Client,
    begin: &str,
    work: impl FnOnce(&mut Client) -> Result<(), E>,
) -> Result<(), E> {
    client.batch_execute(begin)?;
    let outcome = work(client).and_then(|()| Ok(client.batch_execute("COMMIT")?));
    if outcome.is_err() && client.batch_execute("ROLLBACK").is_err() {
        // It is of no use any more, and says so itself.
        tracing::debug!("a transaction could not be rolled back");
    }
    outcome
}
