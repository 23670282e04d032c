//! What the engine does about an error of a source: whether it tries again, and when. Pure.

use std::time::Duration;

use inlet_source::ErrorKind;

/// What is done about an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Policy {
    /// The sync fails: it would only come again.
    GiveUp,
    /// It passes by itself, sooner or later: the sync waits a little, then longer and longer, and fails in the end.
    Backoff,
    /// The source wants to be left alone for a while: the sync waits, however often that is.
    Obey,
}

/// The policy for each kind of error.
pub(crate) fn policy(kind: ErrorKind) -> Policy {
    match kind {
        ErrorKind::Config
        | ErrorKind::NotFound
        | ErrorKind::Denied
        | ErrorKind::Format
        | ErrorKind::Limit
        | ErrorKind::Internal => Policy::GiveUp,
        ErrorKind::Unavailable | ErrorKind::TimedOut | ErrorKind::Changed => Policy::Backoff,
        ErrorKind::RateLimited => Policy::Obey,
    }
}

/// How long and how often a sync waits for its source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryOptions {
    /// A source that is out of reach is tried so often again without anything committed between.
    pub retries: u32,
    /// Before the first of these tries; each further wait is four times as long.
    pub first_delay: Duration,
    /// No wait that Inlet chose itself is longer.
    pub longest_delay: Duration,
}

impl Default for RetryOptions {
    fn default() -> Self {
        Self { retries: 5, first_delay: Duration::from_secs(1), longest_delay: Duration::from_secs(5 * 60) }
    }
}

impl RetryOptions {
    /// What is out of reach is not waited for: for somebody who sits before a terminal.
    #[must_use]
    pub fn none() -> Self {
        Self { retries: 0, ..Self::default() }
    }
}

/// No source can put a sync off for longer at once.
const LONGEST_OBEYED: Duration = Duration::from_secs(24 * 60 * 60);

/// A sync that was begun so often is not tried again, even if each attempt committed something.
const MAX_ATTEMPTS: u32 = 1000;

/// What a sync has behind it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Tried {
    /// How often it was begun.
    pub(crate) attempt: u32,
    /// How often it has waited since it last committed anything.
    pub(crate) retries: u32,
}

/// How long to wait before the next attempt; `None`: there is none. `retry_after` is what the source asked for, `jitter` between
/// 0 and 1: many syncs that were stopped by one outage do not come back in one moment.
pub(crate) fn delay(
    options: &RetryOptions,
    policy: Policy,
    tried: Tried,
    retry_after: Option<Duration>,
    jitter: f64,
) -> Option<Duration> {
    let chosen = options
        .first_delay
        .saturating_mul(4_u32.saturating_pow(tried.retries))
        .min(options.longest_delay)
        .mul_f64(0.75 + jitter / 2.0);
    if tried.attempt >= MAX_ATTEMPTS {
        return None;
    }
    match (policy, retry_after) {
        (Policy::GiveUp, _) => None,
        (Policy::Backoff, _) if tried.retries >= options.retries => None,
        (_, Some(asked)) if asked > LONGEST_OBEYED => None,
        // Never earlier than asked for.
        (_, Some(asked)) => Some(asked + asked.mul_f64(jitter / 10.0)),
        (_, None) => Some(chosen),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OPTIONS: RetryOptions = RetryOptions {
        retries: 5,
        first_delay: Duration::from_secs(1),
        longest_delay: Duration::from_secs(300),
    };

    fn tried(retries: u32) -> Tried {
        Tried { attempt: retries + 1, retries }
    }

    #[test]
    fn an_outage_is_waited_for_longer_and_longer_and_not_for_ever() {
        let delays = (0..=6).map(|retries| delay(&OPTIONS, Policy::Backoff, tried(retries), None, 0.5));
        let seconds: Vec<_> = delays.map(|delay| delay.map(|delay| delay.as_secs())).collect();
        assert_eq!(seconds, [Some(1), Some(4), Some(16), Some(64), Some(256), None, None]);
    }

    #[test]
    fn a_rate_limit_is_obeyed_however_often_it_comes() {
        let asked = Duration::from_secs(2);
        for retries in [0, 5, 500] {
            let delay = delay(&OPTIONS, Policy::Obey, tried(retries), Some(asked), 0.0);
            assert_eq!(delay, Some(asked));
        }
        assert_eq!(delay(&OPTIONS, Policy::Obey, tried(100), None, 0.5), Some(OPTIONS.longest_delay));
    }

    #[test]
    fn what_would_only_come_again_is_given_up() {
        for (policy, retry_after) in [
            (Policy::GiveUp, None),
            (Policy::GiveUp, Some(Duration::from_secs(1))),
            (Policy::Obey, Some(Duration::from_secs(48 * 60 * 60))),
        ] {
            assert_eq!(delay(&OPTIONS, policy, tried(0), retry_after, 0.5), None);
        }
        let often = Tried { attempt: 1000, retries: 0 };
        assert_eq!(delay(&OPTIONS, Policy::Obey, often, None, 0.5), None);
    }

    #[test]
    fn a_wait_is_never_shorter_than_asked_for() {
        for asked in [0, 1, 59, 86_400].map(Duration::from_secs) {
            for jitter in [0.0, 0.3, 0.999] {
                let delay = delay(&OPTIONS, Policy::Obey, tried(3), Some(asked), jitter).unwrap();
                assert!(delay >= asked && delay <= asked.mul_f64(1.1), "{asked:?} {jitter}");
            }
        }
    }
}
