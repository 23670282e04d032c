//! The courier's work: claim what is due, send it, note what came of it; and forget what is old.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use inlet_model::Timestamp;
use inlet_store::catalog::{ClaimedDelivery, DELIVERIES_KEPT, DeliveryClaim, DeliveryNote, Reply, Verdict};
use inlet_store::{StoreResult, fault};
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::courier::Shared;
use crate::schedule;

/// Beyond the time-out of an attempt a claim lasts so much longer: enough to note how it ended.
const CLAIM_MARGIN: Duration = Duration::from_secs(45);
/// How often old deliveries are forgotten, and how many by one transaction.
const FORGET_PERIOD: Duration = Duration::from_secs(10 * 60);
const FORGOTTEN_AT_ONCE: usize = 500;

/// Sends until the courier is stopped; then what is being sent ends.
pub(crate) async fn work(shared: Arc<Shared>) {
    let queued = shared.parts.catalog.delivery_queued();
    if shared.options.is_alone {
        log(shared.parts.catalog.delivery_take_over(shared.parts.clock.now()).await, "take over deliveries");
    }
    let mut sending = JoinSet::new();
    let mut forget_at = Instant::now();
    while !shared.is_stopping() {
        claim(&shared, &mut sending).await;
        let wait = wait(&shared).await;
        tokio::select! {
            () = queued.notified() => {}
            () = shared.wake.notified() => {}
            Some(ended) = sending.join_next(), if !sending.is_empty() => {
                if let Err(error) = ended {
                    tracing::error!(error = &error as &dyn Error, "sending a delivery ended in a panic; it is sent again");
                }
            }
            () = shared.stopping() => {}
            () = tokio::time::sleep(wait) => {}
            () = tokio::time::sleep_until(forget_at) => {
                let all = forget_some(&shared).await;
                forget_at = Instant::now() + if all { FORGET_PERIOD } else { Duration::ZERO };
            }
        }
    }
    while sending.join_next().await.is_some() {}
}

/// Claims as much as may be sent beside what is being sent. An idle courier only reads: a claim is a write.
async fn claim(shared: &Arc<Shared>, sending: &mut JoinSet<()>) {
    let limit = shared.options.sends.saturating_sub(sending.len());
    let now = shared.parts.clock.now();
    if limit == 0 || next(shared).await.is_none_or(|next| next > now) {
        return;
    }
    let until = now.plus(shared.options.timeout + CLAIM_MARGIN);
    let claim = DeliveryClaim { now, until, per_webhook: shared.options.per_webhook, limit };
    let claimed = log(shared.parts.catalog.delivery_claim(claim).await, "claim deliveries");
    for claimed in claimed.unwrap_or_default() {
        let shared = Arc::clone(shared);
        sending.spawn(async move { carry(&shared, claimed).await });
    }
}

/// How long nothing becomes due. What is due already waits for another to end, which wakes the work.
async fn wait(shared: &Shared) -> Duration {
    let period = shared.options.period;
    let micros =
        next(shared).await.map(|next| next.as_micros().saturating_sub(shared.parts.clock.now().as_micros()));
    let until = micros.and_then(|micros| u64::try_from(micros).ok()).filter(|micros| *micros > 0);
    until.map_or(period, |micros| Duration::from_micros(micros).min(period))
}

/// When the next delivery is due.
async fn next(shared: &Shared) -> Option<Timestamp> {
    log(shared.parts.catalog.delivery_next().await, "find the next delivery").flatten()
}

/// Sends a delivery, and notes what came of it.
async fn carry(shared: &Shared, claimed: ClaimedDelivery) {
    let ClaimedDelivery { delivery, webhook } = claimed;
    let now = shared.parts.clock.now();
    let (answer, retry_after) = shared.attempt(&webhook, delivery.id, &delivery.payload, now).await;
    fault::point("webhook.answered");
    let [chance] = shared.parts.entropy.bytes();
    let verdict = schedule::verdict(&delivery, &answer.reply, retry_after, answer.at, chance);
    match (&answer.reply, verdict) {
        (_, Verdict::Delivered) => {
            tracing::debug!(webhook_id = %webhook.id, delivery_id = %delivery.id, "delivered");
        }
        (Reply::Answered { status, .. }, verdict) => {
            tracing::warn!(webhook_id = %webhook.id, delivery_id = %delivery.id, status, ?verdict, "a delivery was not taken");
        }
        (Reply::Failed(reason), verdict) => {
            tracing::warn!(webhook_id = %webhook.id, delivery_id = %delivery.id, %reason, ?verdict, "a delivery did not arrive");
        }
    }
    let note = DeliveryNote { id: delivery.id, attempt: delivery.attempts, answer, verdict };
    if log(shared.parts.catalog.delivery_note(note).await, "note how a delivery went") == Some(true) {
        shared.parts.metrics.ended(verdict);
    }
}

/// Forgets a bounded number of old deliveries; whether that was all.
async fn forget_some(shared: &Shared) -> bool {
    let kept = i64::try_from(DELIVERIES_KEPT.as_micros()).unwrap_or(i64::MAX);
    let before = Timestamp::from_micros(shared.parts.clock.now().as_micros().saturating_sub(kept));
    let forgotten = shared.parts.catalog.delivery_forget(before, FORGOTTEN_AT_ONCE).await;
    log(forgotten, "forget old deliveries").is_none_or(|forgotten| forgotten < FORGOTTEN_AT_ONCE)
}

/// What the catalog did, or a line in the log: what failed is done again at the next turn.
fn log<T>(outcome: StoreResult<T>, what: &'static str) -> Option<T> {
    match outcome {
        Ok(done) => Some(done),
        Err(error) => {
            error.complain(&format!("cannot {what}"));
            None
        }
    }
}
