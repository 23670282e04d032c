//! When a call is made again, and after how long.

use std::time::Duration;

use axum::http::StatusCode;

use super::transport::Answer;
use super::{CallError, Problem};

/// How often a call is made, and how long is waited between.
#[derive(Debug, Clone, Copy)]
pub(super) struct Patience {
    /// A call is made this often at most.
    pub(super) tries: u32,
    /// The wait before the second try; each later one is three times as long.
    pub(super) first_wait: Duration,
    /// A server that asks for a longer wait is left alone.
    pub(super) longest_wait: Duration,
}

/// Long enough for a server that is being restarted; short enough to tell soon that none is there.
impl Default for Patience {
    fn default() -> Self {
        Self { tries: 4, first_wait: Duration::from_millis(150), longest_wait: Duration::from_secs(10) }
    }
}

impl Patience {
    /// Each call is made once.
    pub(super) const NONE: Self = Self { tries: 1, first_wait: Duration::ZERO, longest_wait: Duration::ZERO };

    /// How long to wait before the call is made again, after `tries` that ended with `outcome`; `None` if that is the end.
    pub(super) fn before_next(&self, tries: u32, outcome: &Result<Answer, CallError>) -> Option<Duration> {
        if tries >= self.tries {
            return None;
        }
        let backoff = self.first_wait.saturating_mul(3_u32.saturating_pow(tries - 1));
        match outcome {
            Ok(answer) => {
                let asked = answer.retry_after.filter(|_| is_for_now(answer))?;
                (asked <= self.longest_wait).then(|| asked.max(backoff))
            }
            Err(error) => error.is_broken_connection().then_some(backoff.min(self.longest_wait)),
        }
    }
}

/// Whether the same call may succeed in a moment.
fn is_for_now(answer: &Answer) -> bool {
    match answer.status {
        StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => true,
        // Our own first try, whose answer was lost, still runs.
        StatusCode::CONFLICT => Problem::read(answer.status, &answer.body).code == "idempotency.in_progress",
        _ => false,
    }
}
