//! When a delivery is sent again, and when no more: pure functions.

use std::time::Duration;

use inlet_model::Timestamp;
use inlet_store::catalog::{Delivery, Reply, Verdict};

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;

/// Seconds between an attempt and the next; the last stands for all that follow.
const DELAYS: [u64; 6] = [5, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 5 * HOUR, 10 * HOUR];
/// Up to so much of a delay is added by chance, so that targets are not hit by all at once.
const JITTER_PERCENT: u64 = 10;
/// For so long a delivery is sent again by itself.
const PATIENCE: Duration = Duration::from_secs(24 * HOUR);
/// What a target may ask for by `Retry-After`, in seconds.
const RETRY_AFTER: std::ops::RangeInclusive<u64> = 5..=6 * HOUR;

/// What follows from the reply to an attempt that ended at `now`.
///
/// `retry_after` is what the target asked for, in seconds, `chance` any number. A 2xx is an arrival and a 410 the end of the
/// webhook; after all else the delivery is sent again, the last time when its patience ends.
pub(crate) fn verdict(
    delivery: &Delivery,
    reply: &Reply,
    retry_after: Option<u64>,
    now: Timestamp,
    chance: u8,
) -> Verdict {
    match reply {
        Reply::Answered { status: 200..=299, .. } => return Verdict::Delivered,
        Reply::Answered { status: 410, .. } => return Verdict::TargetGone,
        Reply::Answered { .. } | Reply::Failed(_) => {}
    }
    let asked = match reply {
        Reply::Answered { status: 429 | 503, .. } => retry_after,
        _ => None,
    };
    let delay = match asked {
        Some(seconds) => Duration::from_secs(seconds.clamp(*RETRY_AFTER.start(), *RETRY_AFTER.end())),
        None => delay(delivery.attempts, chance),
    };
    let last = delivery.created_at.plus(PATIENCE);
    if now < last { Verdict::RetryAt(now.plus(delay).min(last)) } else { Verdict::Expired }
}

/// How long to wait after this attempt, the first being 1.
fn delay(attempt: u32, chance: u8) -> Duration {
    let place = usize::try_from(attempt).unwrap_or(usize::MAX).saturating_sub(1).min(DELAYS.len() - 1);
    let millis = DELAYS[place] * 1000;
    Duration::from_millis(millis + millis * JITTER_PERCENT * u64::from(chance) / (100 * u64::from(u8::MAX)))
}

#[cfg(test)]
mod tests {
    use inlet_model::{DeliveryId, SyncId, WebhookId};
    use inlet_store::catalog::{DeliveryError, DeliveryProgress, WebhookEvent};

    use super::*;

    const START: Timestamp = Timestamp::from_millis(1_000_000);

    fn delivery(attempts: u32) -> Delivery {
        Delivery {
            id: DeliveryId::from_u128(1),
            webhook_id: WebhookId::from_u128(1),
            event: WebhookEvent::SyncFailed,
            sync_id: SyncId::from_u128(1),
            payload: String::new(),
            attempts,
            created_at: START,
            progress: DeliveryProgress::Waiting { next_attempt_at: START },
            last_answer: None,
        }
    }

    fn answered(status: u16) -> Reply {
        Reply::Answered { status, body: String::new() }
    }

    fn seconds(from: Timestamp, to: Timestamp) -> i64 {
        (to.as_micros() - from.as_micros()) / 1_000_000
    }

    #[test]
    fn a_target_that_never_answers_well_is_tried_for_a_day_and_no_longer() {
        for chance in [0, 100, 255] {
            let (mut now, mut at) = (START, vec![0]);
            for attempts in 1.. {
                match verdict(&delivery(attempts), &answered(500), None, now, chance) {
                    Verdict::RetryAt(next) => {
                        assert!(next > now);
                        now = next;
                        at.push(seconds(START, now));
                    }
                    other => {
                        assert_eq!(other, Verdict::Expired);
                        break;
                    }
                }
            }
            assert_eq!(at.last(), Some(&(24 * 60 * 60)), "the last try is when the day is over");
            if chance == 0 {
                assert_eq!(at, [0, 5, 305, 2_105, 9_305, 27_305, 63_305, 86_400]);
            }
        }
    }

    #[test]
    fn only_a_2xx_is_an_arrival_and_only_a_410_the_end() {
        for status in 100..=599 {
            let verdict = verdict(&delivery(1), &answered(status), None, START, 0);
            match status {
                200..=299 => assert_eq!(verdict, Verdict::Delivered),
                410 => assert_eq!(verdict, Verdict::TargetGone),
                _ => assert_eq!(verdict, Verdict::RetryAt(START.plus(Duration::from_secs(5))), "{status}"),
            }
        }
        let failed = Reply::Failed(DeliveryError::TimedOut);
        assert!(matches!(verdict(&delivery(1), &failed, None, START, 0), Verdict::RetryAt(_)));
    }

    #[test]
    fn a_busy_target_says_when_to_come_again_within_bounds() {
        let after = |status, asked| match verdict(&delivery(3), &answered(status), Some(asked), START, 0) {
            Verdict::RetryAt(next) => seconds(START, next),
            other => panic!("{other:?}"),
        };
        for status in [429, 503] {
            assert_eq!(
                [after(status, 0), after(status, 90), after(status, u64::MAX)],
                [5, 90, 6 * 60 * 60],
                "{status}"
            );
        }
        assert_eq!(after(500, 90), 30 * 60, "others are not asked");
    }

    #[test]
    fn chance_only_ever_adds_a_little() {
        let all: Vec<Duration> = (0..=255).map(|chance| delay(2, chance)).collect();
        assert!(all.is_sorted());
        assert_eq!((all[0], all[255]), (Duration::from_secs(300), Duration::from_secs(330)));
    }
}
