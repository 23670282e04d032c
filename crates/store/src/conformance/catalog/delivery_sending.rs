//! Deliveries on their way: claims, and what comes of attempts.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use inlet_model::Timestamp;
use inlet_model::sync::Outcome;
use tokio::task::JoinSet;

use super::deliveries::of;
use super::given::Given;
use crate::catalog::{
    Catalog, ClaimedDelivery, Delivery, DeliveryAnswer, DeliveryClaim, DeliveryError, DeliveryNote,
    DeliveryProgress, Effect, GiveUpReason, Reply, RetryConflict, Verdict, Webhook, WebhookChange,
    WebhookStatus,
};

/// How long the claims of these behaviours last.
const CLAIM: Duration = Duration::from_secs(60);

fn wanted(given: &Given, limit: usize) -> DeliveryClaim {
    let now = given.now();
    DeliveryClaim { now, until: now.plus(CLAIM), per_webhook: 1000, limit }
}

/// Claims what is due.
pub(super) async fn claim(given: &Given, limit: usize) -> Vec<ClaimedDelivery> {
    given.catalog.delivery_claim(wanted(given, limit)).await.unwrap()
}

/// A reply with this status.
pub(super) fn answered(status: u16) -> Reply {
    Reply::Answered { status, body: "no, \0 \u{1f600}".to_owned() }
}

fn note(given: &Given, delivery: &Delivery, reply: Reply, verdict: Verdict) -> DeliveryNote {
    let answer = DeliveryAnswer { at: given.now(), duration_ms: 12, reply };
    DeliveryNote { id: delivery.id, attempt: delivery.attempts, answer, verdict }
}

/// Notes how an attempt ended.
pub(super) async fn noted(given: &Given, delivery: &Delivery, reply: Reply, verdict: Verdict) -> bool {
    given.catalog.delivery_note(note(given, delivery, reply, verdict)).await.unwrap()
}

async fn found(given: &Given, delivery: &Delivery) -> Delivery {
    given.catalog.delivery_get(delivery.webhook_id, delivery.id).await.unwrap().expect("it is there")
}

/// A webhook that has so many deliveries waiting: two of each sync.
async fn with_deliveries(given: &Given, syncs: usize) -> Webhook {
    let connector = given.stored_connector().await;
    let webhook = given.stored_webhook_in(&connector.space_id).await;
    for _ in 0..syncs {
        given.finished_sync(&connector, Outcome::Succeeded).await;
    }
    webhook
}

async fn set_status(given: &Given, webhook: &Webhook, status: WebhookStatus) {
    let change = WebhookChange { status: Some(status), ..WebhookChange::default() };
    given.catalog.webhook_update(&webhook.space_id, webhook.id, change, given.now()).await.unwrap();
}

/// What is claimed is given to nobody else until the claim ends; then it is due again, with its attempt counted.
pub async fn a_claimed_delivery_is_nobody_elses_until_the_claim_ends(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let webhook = with_deliveries(&given, 2).await;
    let all = of(&given, webhook.id).await;
    let first = claim(&given, 3).await;
    let ids = |claimed: &[ClaimedDelivery]| -> Vec<_> {
        claimed.iter().map(|claimed| claimed.delivery.id).collect()
    };
    let expected: Vec<_> = all.iter().map(|delivery| delivery.id).collect();
    assert_eq!(ids(&first), expected[..3], "the oldest first");
    assert!(first.iter().all(|claimed| claimed.webhook == webhook && claimed.delivery.attempts == 1));
    for claimed in &first {
        assert_eq!(found(&given, &claimed.delivery).await, claimed.delivery);
    }
    assert_eq!(ids(&claim(&given, 9).await), expected[3..]);
    assert_eq!(claim(&given, 9).await, []);
    given.let_pass(CLAIM);
    let again = claim(&given, 9).await;
    assert_eq!(ids(&again).into_iter().collect::<HashSet<_>>(), expected.into_iter().collect());
    assert!(again.iter().all(|claimed| claimed.delivery.attempts == 2));
}

/// A webhook has only so many claimed at a time, and does not hold up another one.
pub async fn a_webhook_has_only_so_many_claimed_at_a_time(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let (slow, other) = (with_deliveries(&given, 5).await, with_deliveries(&given, 1).await);
    let claim = async |limit| {
        let claim = DeliveryClaim { per_webhook: 3, ..wanted(&given, limit) };
        let claimed = given.catalog.delivery_claim(claim).await.unwrap();
        let of = |webhook: &Webhook| claimed.iter().filter(|each| each.webhook.id == webhook.id).count();
        ((of(&slow), of(&other)), claimed)
    };
    let (counts, claimed) = claim(100).await;
    assert_eq!(counts, (3, 2));
    assert_eq!(claim(100).await.0, (0, 0));
    noted(&given, &claimed[0].delivery, answered(200), Verdict::Delivered).await;
    assert_eq!(claim(100).await.0, (1, 0));
    given.let_pass(CLAIM);
    assert_eq!(claim(2).await.0, (2, 0), "the limit holds for all webhooks together");
}

/// Parallel claims give each delivery to one of them.
pub async fn parallel_claims_share_out_each_delivery_once(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let webhook = with_deliveries(&given, 10).await;
    let mut claims = JoinSet::new();
    for _ in 0..20 {
        let (catalog, claim) = (Arc::clone(&given.catalog), wanted(&given, 3));
        claims.spawn(async move { catalog.delivery_claim(claim).await.unwrap() });
    }
    let claimed: Vec<_> = claims.join_all().await.concat();
    let ids: HashSet<_> = claimed.iter().map(|claimed| claimed.delivery.id).collect();
    assert_eq!((claimed.len(), ids.len()), (20, 20));
    assert_eq!(of(&given, webhook.id).await.len(), 20);
}

/// How an attempt ended is written down: what the target said, and what follows.
pub async fn the_end_of_an_attempt_is_written_down(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    with_deliveries(&given, 2).await;
    let claimed = claim(&given, 9).await;
    let later = given.now().plus(CLAIM * 100);
    let ends = [
        (answered(204), Verdict::Delivered),
        (Reply::Failed(DeliveryError::TimedOut), Verdict::RetryAt(later)),
        (answered(500), Verdict::Expired),
        (Reply::Failed(DeliveryError::AddressRefused), Verdict::RetryAt(later)),
    ];
    for (claimed, (reply, verdict)) in claimed.into_iter().zip(ends) {
        let note = note(&given, &claimed.delivery, reply, verdict);
        assert!(given.catalog.delivery_note(note.clone()).await.unwrap());
        let at = note.answer.at;
        let progress = match verdict {
            Verdict::Delivered => DeliveryProgress::Delivered { at },
            Verdict::RetryAt(next_attempt_at) => DeliveryProgress::Waiting { next_attempt_at },
            _ => DeliveryProgress::GivenUp { at, reason: GiveUpReason::Expired },
        };
        let expected = Delivery { progress, last_answer: Some(note.answer), ..claimed.delivery };
        assert_eq!(found(&given, &expected).await, expected);
    }
    assert_eq!(claim(&given, 9).await, []);
    given.let_pass(CLAIM * 101);
    assert_eq!(claim(&given, 9).await.len(), 2);
}

/// The note of an attempt that is not the last, or of one that was noted, is passed over.
pub async fn only_the_last_attempt_counts(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    with_deliveries(&given, 1).await;
    let lost = claim(&given, 1).await.remove(0).delivery;
    given.let_pass(CLAIM);
    let second = claim(&given, 9).await.into_iter().find(|each| each.delivery.id == lost.id).unwrap();
    assert!(!noted(&given, &lost, answered(200), Verdict::Delivered).await);
    assert_eq!(found(&given, &lost).await, second.delivery);
    assert!(noted(&given, &second.delivery, answered(500), Verdict::Expired).await);
    assert!(!noted(&given, &second.delivery, answered(200), Verdict::Delivered).await);
}

/// A target that is gone is told no more: its webhook is disabled in the same transaction.
pub async fn a_target_that_is_gone_disables_its_webhook(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let webhook = with_deliveries(&given, 1).await;
    let claimed = claim(&given, 1).await.remove(0).delivery;
    let note = note(&given, &claimed, answered(410), Verdict::TargetGone);
    let at = note.answer.at;
    assert!(given.catalog.delivery_note(note).await.unwrap());
    let reason = GiveUpReason::TargetGone;
    assert_eq!(found(&given, &claimed).await.progress, DeliveryProgress::GivenUp { at, reason });
    let disabled = given.catalog.webhook_get(&webhook.space_id, webhook.id).await.unwrap();
    assert_eq!(disabled, Some(Webhook { status: WebhookStatus::Disabled, updated_at: at, ..webhook }));
    assert_eq!(claim(&given, 9).await, []);
}

/// What a process had claimed that has ended is due at once for the next.
pub async fn what_a_process_had_claimed_that_has_ended_is_due_again(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    with_deliveries(&given, 2).await;
    let claimed = claim(&given, 9).await;
    let later = Verdict::RetryAt(given.now().plus(CLAIM * 100));
    noted(&given, &claimed[0].delivery, answered(500), later).await;
    given.catalog.delivery_take_over(given.now()).await.unwrap();
    let again = claim(&given, 9).await;
    assert_eq!(again.len(), 3, "what was noted waits as noted");
    assert!(again.iter().all(|each| each.delivery.attempts == 2));
}

/// A delivery can be sent again at once, wherever it stands.
pub async fn a_delivery_can_be_sent_again_wherever_it_stands(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let webhook = with_deliveries(&given, 2).await;
    let claimed = claim(&given, 3).await;
    let later = Verdict::RetryAt(given.now().plus(CLAIM * 100));
    for (claimed, verdict) in claimed.iter().zip([Verdict::Delivered, Verdict::Expired, later]) {
        noted(&given, &claimed.delivery, answered(500), verdict).await;
    }
    for claimed in &claimed {
        let now = given.now();
        let retried = given.catalog.delivery_retry(webhook.id, claimed.delivery.id, now, None).await;
        assert_eq!(retried.unwrap(), Effect::Done);
        let found = found(&given, &claimed.delivery).await;
        assert_eq!(found.progress, DeliveryProgress::Waiting { next_attempt_at: now });
        assert!(found.last_answer.is_some());
    }
    assert_eq!(claim(&given, 9).await.len(), 4);
    let (id, another) = (claimed[0].delivery.id, given.stored_webhook().await);
    let retry = async |webhook: &Webhook| {
        given.catalog.delivery_retry(webhook.id, id, given.now(), None).await.unwrap()
    };
    assert_eq!(retry(&another).await, Effect::Conflict(RetryConflict::Absent));
    set_status(&given, &webhook, WebhookStatus::Disabled).await;
    assert_eq!(retry(&webhook).await, Effect::Conflict(RetryConflict::Disabled));
}

/// What is being sent is not sent a second time beside it.
pub async fn what_is_being_sent_is_not_sent_again_beside_it(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let webhook = with_deliveries(&given, 1).await;
    let claimed = claim(&given, 9).await.remove(0).delivery;
    let retried = given.catalog.delivery_retry(webhook.id, claimed.id, given.now(), None).await;
    assert_eq!(retried.unwrap(), Effect::Done);
    assert_eq!(found(&given, &claimed).await, claimed);
    assert_eq!(claim(&given, 9).await, []);
    assert!(noted(&given, &claimed, answered(200), Verdict::Delivered).await);
}

/// The next delivery is the first to become due, whether it waits or is being sent.
pub async fn the_next_delivery_is_the_first_to_become_due(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let next = async || given.catalog.delivery_next().await.unwrap();
    assert_eq!(next().await, None);
    let webhook = with_deliveries(&given, 1).await;
    assert_eq!(next().await, Some(of(&given, webhook.id).await[0].created_at));
    let claim = wanted(&given, 9);
    let claimed = given.catalog.delivery_claim(claim).await.unwrap();
    assert_eq!(next().await, Some(claim.until));
    let soon = Timestamp::from_micros(claim.until.as_micros() - 7);
    noted(&given, &claimed[0].delivery, answered(500), Verdict::RetryAt(soon)).await;
    assert_eq!(next().await, Some(soon));
    for claimed in &claimed {
        noted(&given, &claimed.delivery, answered(200), Verdict::Delivered).await;
    }
    assert_eq!(next().await, Some(soon), "the first was noted before");
}

/// Nothing is sent of webhooks that are disabled or deleted; what waited goes on when the webhook is enabled again.
pub async fn nothing_is_sent_of_webhooks_that_are_disabled_or_deleted(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let (disabled, deleted) = (with_deliveries(&given, 1).await, with_deliveries(&given, 1).await);
    set_status(&given, &disabled, WebhookStatus::Disabled).await;
    given.catalog.webhook_delete(&deleted.space_id, deleted.id, given.now()).await.unwrap();
    assert_eq!(claim(&given, 9).await, []);
    assert_eq!(given.catalog.delivery_next().await.unwrap(), None);
    set_status(&given, &disabled, WebhookStatus::Active).await;
    assert_eq!(claim(&given, 9).await.len(), 2);
}
