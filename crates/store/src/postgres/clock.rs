//! The server's clock: leases are judged by it, so that those of the machines need not agree.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use inlet_model::{Clock, Timestamp};

use super::pool::{Pool, Use};
use crate::StoreResult;
use crate::sql::SqlError;
use crate::sql::catalog::Trouble;

/// How often it is asked for. In between this machine's steady clock counts on, which a change of its date does not move.
const PERIOD: Duration = Duration::from_secs(10);
/// An answer that took longer tells too little.
const SLOW: Duration = Duration::from_secs(1);

const OPERATION: &str = "ask for the time";

/// What the server's clock shows, to within half the time that an answer takes.
#[derive(Debug)]
pub(super) struct ServerClock {
    started: Instant,
    /// What it showed then, in microseconds since 1970.
    at_start_us: AtomicI64,
}

impl Clock for ServerClock {
    fn now(&self) -> Timestamp {
        let at_start = Timestamp::from_micros(self.at_start_us.load(Ordering::Relaxed));
        at_start.plus(self.started.elapsed())
    }
}

/// Sets a clock by that of the server, and goes on to as long as somebody has it.
pub(super) async fn start(pool: Pool) -> StoreResult<Arc<ServerClock>> {
    let clock = Arc::new(ServerClock { started: Instant::now(), at_start_us: AtomicI64::new(0) });
    clock.set(&pool, Duration::MAX).await?;
    tokio::spawn(keep_right(Arc::downgrade(&clock), pool));
    Ok(clock)
}

async fn keep_right(clock: Weak<ServerClock>, pool: Pool) {
    loop {
        tokio::time::sleep(PERIOD).await;
        let Some(clock) = clock.upgrade() else { return };
        if let Err(error) = clock.set(&pool, SLOW).await {
            // It goes on as it went.
            tracing::debug!(error = &error as &dyn std::error::Error, "the database does not tell its time");
        }
    }
}

impl ServerClock {
    /// Asks the server for its time, and takes the answer unless it was slow.
    async fn set(&self, pool: &Pool, slow: Duration) -> StoreResult<()> {
        let started = self.started;
        let (asked, shown, answered) = pool
            .run(OPERATION, Use::Look, move |client| -> Result<_, Trouble> {
                let asked = started.elapsed();
                let sql = "SELECT CAST(extract(epoch FROM clock_timestamp()) * 1000000 AS BIGINT)";
                let rows = client.query_typed(sql, &[])?;
                let shown: i64 = match rows.first() {
                    Some(row) => row.try_get(0).map_err(SqlError::row)?,
                    None => return Err(SqlError::NoRow.into()),
                };
                Ok((asked, shown, started.elapsed()))
            })
            .await?;
        let took = answered.saturating_sub(asked);
        if took <= slow {
            let middle = i64::try_from((asked + took / 2).as_micros()).unwrap_or(i64::MAX);
            self.at_start_us.store(shown.saturating_sub(middle), Ordering::Relaxed);
        }
        Ok(())
    }
}
