//! Writers whose rows appear later than their times say.

use std::time::Duration;

use tokio::time::{Instant, sleep};
use tokio_postgres::Client;

/// The table they write to.
pub(super) const TABLE: &str = "\
    CREATE TABLE orders (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, note text NOT NULL, updated_at timestamptz NOT NULL);
    CREATE INDEX ON orders (updated_at);
    INSERT INTO orders (note, updated_at) VALUES ('first', now())";

/// How a writer keeps its rows back.
#[derive(Debug, Clone, Copy)]
pub(super) enum Habit {
    /// Begins, and writes only long after: with the time of its beginning, and without a number until then.
    WritesLate,
    /// Writes, and commits only long after.
    CommitsLate,
    /// Prepares its transaction after a while, and commits it, which then belongs to no process, after another.
    Prepares,
    /// Takes some back before it writes others.
    RollsBack,
    /// Changes the newest row with the time of its own beginning.
    UpdatesLate,
    /// Writes all the time, so that the greatest time moves on beside the others.
    IsQuick,
}

/// Eight at once.
pub(super) const WRITERS: [Habit; 8] = [
    Habit::WritesLate,
    Habit::WritesLate,
    Habit::CommitsLate,
    Habit::CommitsLate,
    Habit::Prepares,
    Habit::RollsBack,
    Habit::UpdatesLate,
    Habit::IsQuick,
];

enum Step {
    Say(String),
    Hold,
    Pause,
}

/// A writer's times and how long it goes on.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pace {
    /// How long a transaction is held open.
    pub(super) hold: Duration,
    /// By how many seconds its times are dated back, but for those of the quick one.
    pub(super) dated_back: u32,
    pub(super) until: Instant,
}

/// Writes, one transaction after the other, and returns when the last one has ended.
pub(super) async fn write(client: Client, number: usize, habit: Habit, pace: Pace) {
    // Not all in step.
    sleep(pace.hold * u32::try_from(number).unwrap() / 8).await;
    for round in 0_u32.. {
        if Instant::now() >= pace.until {
            return;
        }
        for step in steps(habit, &format!("{number}-{round}"), pace.dated_back) {
            match step {
                Step::Say(sql) => client.batch_execute(&sql).await.unwrap(),
                Step::Hold => sleep(pace.hold).await,
                Step::Pause => sleep(Duration::from_millis(20)).await,
            }
        }
    }
}

fn steps(habit: Habit, name: &str, dated_back: u32) -> Vec<Step> {
    let say = |sql: &str| Step::Say(sql.to_owned());
    let now = format!("now() - interval '{dated_back} seconds'");
    let insert = || Step::Say(format!("INSERT INTO orders (note, updated_at) VALUES ('{name}', {now})"));
    match habit {
        Habit::WritesLate => vec![say("BEGIN"), Step::Hold, insert(), say("COMMIT")],
        Habit::CommitsLate => vec![say("BEGIN"), insert(), Step::Hold, insert(), say("COMMIT")],
        Habit::Prepares => vec![
            say("BEGIN"),
            insert(),
            Step::Hold,
            Step::Say(format!("PREPARE TRANSACTION '{name}'")),
            Step::Hold,
            Step::Say(format!("COMMIT PREPARED '{name}'")),
        ],
        Habit::RollsBack => vec![
            say("BEGIN; SAVEPOINT early"),
            insert(),
            say("ROLLBACK TO early"),
            Step::Hold,
            insert(),
            say("COMMIT"),
        ],
        Habit::UpdatesLate => vec![
            say("BEGIN"),
            Step::Hold,
            Step::Say(format!(
                "UPDATE orders SET note = note || ', {name}', updated_at = {now} WHERE id = (SELECT max(id) FROM orders)"
            )),
            say("COMMIT"),
        ],
        Habit::IsQuick => vec![
            Step::Say(format!("INSERT INTO orders (note, updated_at) VALUES ('{name}', now())")),
            Step::Pause,
        ],
    }
}
