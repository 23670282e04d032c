//! How often sources may call: one bucket for each host or credential, shared by all connectors that use it.
//!
//! A bucket fills with a steady rate up to its burst, and each call takes one token (the token bucket of ITU-T I.371, "leaky bucket as a
//! meter"). When the service itself asks to be left alone (429 with `Retry-After`, RFC 9110 section 10.2.3), all who share the bucket leave it
//! alone, not only the one who was told. Callers have their turn in the order in which they came.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use tokio::sync::Mutex as Turn;
use tokio::time::{Instant, sleep};

use crate::{ErrorKind, SourceError};

/// A caller waits so long for its turn; beyond that its sync had better wait than hold a place among those that run.
const PATIENCE: Duration = Duration::from_secs(10);

/// How many calls a bucket allows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CallRate {
    /// In the long run, calls a second. More than 0.
    pub per_second: f64,
    /// At once after a pause. At least 1.
    pub burst: u32,
}

/// The buckets of a process. Cheap to clone; all clones share them.
#[derive(Debug, Clone, Default)]
pub struct CallBudgets(Arc<Mutex<HashMap<String, Arc<Bucket>>>>);

impl CallBudgets {
    /// The bucket that `shared_by` names: a host, or a credential in a form that does not tell it (a hash). The first who asks
    /// for it says its rate. It is forgotten when nobody holds it and it would be full again: a sync that waits holds nothing, and must find it
    /// as it was left.
    #[must_use]
    pub fn budget(&self, shared_by: &str, rate: CallRate) -> CallBudget {
        let mut buckets = self.0.lock().expect("no holder panics");
        if let Some(bucket) = buckets.get(shared_by) {
            return CallBudget(Arc::clone(bucket));
        }
        let now = Instant::now();
        buckets.retain(|_, bucket| Arc::strong_count(bucket) > 1 || !bucket.is_full(now));
        let bucket = Arc::new(Bucket::full(rate));
        buckets.insert(shared_by.to_owned(), Arc::clone(&bucket));
        CallBudget(bucket)
    }
}

/// The right to call a service, within a rate. Cheap to clone; all clones draw on one bucket.
#[derive(Clone)]
pub struct CallBudget(Arc<Bucket>);

struct Bucket {
    rate: CallRate,
    /// Held by the caller whose turn it is while it waits for its token; the others queue for it in order.
    turn: Turn<()>,
    level: Mutex<Level>,
}

#[derive(Debug)]
struct Level {
    tokens: f64,
    filled_at: Instant,
    /// Nobody calls before.
    left_alone_until: Instant,
}

impl Bucket {
    fn full(rate: CallRate) -> Self {
        let now = Instant::now();
        let level = Level { tokens: f64::from(rate.burst), filled_at: now, left_alone_until: now };
        Self { rate, turn: Turn::new(()), level: Mutex::new(level) }
    }

    fn level(&self) -> MutexGuard<'_, Level> {
        self.level.lock().expect("no holder panics")
    }

    fn tokens(&self, level: &Level, now: Instant) -> f64 {
        let filled = now.saturating_duration_since(level.filled_at).as_secs_f64() * self.rate.per_second;
        (level.tokens + filled).min(f64::from(self.rate.burst))
    }

    /// Whether a new bucket would be the same.
    fn is_full(&self, now: Instant) -> bool {
        let level = self.level();
        level.left_alone_until <= now && self.tokens(&level, now) >= f64::from(self.rate.burst)
    }

    /// Takes a token, or says how long there will be none.
    fn take(&self, now: Instant) -> Result<(), Duration> {
        let mut level = self.level();
        if level.left_alone_until > now {
            return Err(level.left_alone_until - now);
        }
        level.tokens = self.tokens(&level, now);
        level.filled_at = now;
        if level.tokens >= 1.0 {
            level.tokens -= 1.0;
            return Ok(());
        }
        // A little more than nothing, so that rounding never makes a loop of it.
        let missing = Duration::from_secs_f64((1.0 - level.tokens) / self.rate.per_second);
        Err(missing.max(Duration::from_millis(1)))
    }
}

impl CallBudget {
    /// Waits for the right to make one call.
    ///
    /// [`RateLimited`](ErrorKind::RateLimited), with the time to wait, if that takes longer than ten seconds: then the sync waits
    /// and holds no place. Dropped while it waits, it has taken nothing.
    pub async fn call(&self) -> Result<(), SourceError> {
        let came_at = Instant::now();
        let Ok(_turn) = tokio::time::timeout(PATIENCE, self.0.turn.lock()).await else {
            return Err(too_many(PATIENCE));
        };
        loop {
            let Err(wait) = self.0.take(Instant::now()) else { return Ok(()) };
            if came_at.elapsed() + wait > PATIENCE {
                return Err(too_many(wait));
            }
            sleep(wait).await;
        }
    }

    /// The service asked to be left alone for so long: nobody who shares the bucket calls before. Gives the error of the
    /// call that was told so.
    pub fn told_to_wait(&self, retry_after: Duration) -> SourceError {
        let until = Instant::now() + retry_after;
        let mut level = self.0.level();
        level.left_alone_until = level.left_alone_until.max(until);
        // What was saved up before, or would be meanwhile, is not due all at once afterwards.
        level.tokens = level.tokens.min(1.0);
        level.filled_at = level.left_alone_until;
        too_many(retry_after)
    }
}

fn too_many(wait: Duration) -> SourceError {
    let message = "the service is called as often as it allows";
    SourceError::new(ErrorKind::RateLimited, "call the service", message).retry_after(wait)
}

impl fmt::Debug for CallBudget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("CallBudget").field(&self.0.rate).finish()
    }
}

impl fmt::Debug for Bucket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bucket").field("rate", &self.rate).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use futures_util::future::join_all;

    use super::*;

    const RATE: CallRate = CallRate { per_second: 10.0, burst: 5 };

    #[tokio::test(start_paused = true)]
    async fn calls_keep_to_the_rate_after_the_burst_and_to_their_order() {
        let budgets = CallBudgets::default();
        let begun = Instant::now();
        let calls = (0..25).map(|call| {
            let budget = budgets.budget("host", RATE);
            async move {
                budget.call().await.unwrap();
                (call, begun.elapsed())
            }
        });
        let made = join_all(calls).await;
        for (call, at) in made {
            let earliest = Duration::from_millis(100) * u32::try_from(call).unwrap().saturating_sub(4);
            assert!(at >= earliest && at <= earliest + Duration::from_millis(50), "call {call} at {at:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_one_is_told_holds_for_all_who_share() {
        let budgets = CallBudgets::default();
        let (one, other) = (budgets.budget("key", RATE), budgets.budget("key", RATE));
        let alone = budgets.budget("another key", RATE);
        let begun = Instant::now();
        one.call().await.unwrap();
        let told = one.told_to_wait(Duration::from_secs(2));
        assert_eq!(
            (told.kind(), told.asks_to_wait()),
            (ErrorKind::RateLimited, Some(Duration::from_secs(2)))
        );
        alone.call().await.unwrap();
        assert_eq!(begun.elapsed(), Duration::ZERO);
        other.call().await.unwrap();
        assert_eq!(begun.elapsed(), Duration::from_secs(2));
    }

    #[tokio::test(start_paused = true)]
    async fn who_would_wait_for_long_is_told_so_at_once() {
        let budget = CallBudgets::default().budget("key", RATE);
        budget.told_to_wait(Duration::from_secs(60));
        let refused = budget.call().await.unwrap_err();
        assert_eq!(refused.asks_to_wait(), Some(Duration::from_secs(60)));
    }

    #[tokio::test(start_paused = true)]
    async fn a_bucket_is_forgotten_only_when_a_new_one_would_be_the_same() {
        let budgets = CallBudgets::default();
        let names = || {
            let mut names: Vec<String> = budgets.0.lock().unwrap().keys().cloned().collect();
            names.sort();
            names
        };
        let _held = budgets.budget("held", RATE);
        drop(budgets.budget("full", RATE));
        budgets.budget("left alone", RATE).told_to_wait(Duration::from_secs(2));
        let _next = budgets.budget("next", RATE);
        assert_eq!(names(), ["held", "left alone", "next"]);
        let left_alone = budgets.budget("left alone", RATE);
        let refused = tokio::time::timeout(Duration::from_secs(1), left_alone.call());
        assert!(refused.await.is_err(), "still to be left alone");
        drop(left_alone);
        sleep(Duration::from_secs(2)).await;
        let _last = budgets.budget("last", RATE);
        assert_eq!(names(), ["held", "last", "next"]);
    }
}
