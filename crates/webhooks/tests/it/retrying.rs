//! What is sent again, and when no more.

use std::sync::Arc;
use std::time::Duration;

use inlet_store::catalog::{DeliveryProgress, DeliveryState, GiveUpReason, Reply, WebhookStatus};

use inlet_webhooks::CourierOptions;
use prometheus_client::registry::Registry;

use crate::fixture::{Fixture, Setup, courier};
use crate::receiver::{Answer, Receiver};

const MINUTE: Duration = Duration::from_secs(60);

#[tokio::test]
async fn what_was_not_taken_is_sent_again_under_the_same_id() {
    let fixture = Fixture::new().await;
    let mut target = Receiver::start().await;
    target.will_answer([Answer::status(500).saying("not now"), Answer::status(404), Answer::status(200)]);
    let (webhook, _) = fixture.webhook(&target.url()).await;
    fixture.event().await;
    let first = target.next().await;
    let failed = fixture.until_failed(&webhook, 1).await;
    let reply = Reply::Answered { status: 500, body: "not now".to_owned() };
    assert_eq!(failed[0].last_answer.as_ref().unwrap().reply, reply);
    fixture.let_pass(Duration::from_secs(6));
    let second = target.next().await;
    fixture.until_failed(&webhook, 2).await;
    fixture.let_pass(6 * MINUTE);
    let third = target.next().await;
    let delivered = fixture.until_state(&webhook, DeliveryState::Delivered).await;
    assert_eq!((delivered.len(), delivered[0].attempts), (1, 3));
    for again in [&second, &third] {
        assert_eq!((again.id(), &again.body), (first.id(), &first.body));
        assert_ne!(again.header("webhook-signature"), first.header("webhook-signature"), "of its own time");
    }
    fixture.courier.stop(MINUTE).await;
    assert!(fixture.metric("inlet_webhook_attempts_total{outcome=\"failed\"} 2"));
}

#[tokio::test]
async fn after_a_day_it_is_given_up() {
    let fixture = Fixture::new().await;
    let mut target = Receiver::start().await;
    target.will_answer((0..100).map(|_| Answer::status(500)));
    let (webhook, _) = fixture.webhook(&target.url()).await;
    fixture.event().await;
    let mut attempts = 0;
    let given_up = loop {
        target.next().await;
        attempts += 1;
        let noted = fixture.until_failed(&webhook, attempts).await;
        match noted[0].progress {
            DeliveryProgress::Waiting { next_attempt_at } => {
                let wait =
                    next_attempt_at.as_micros() - noted[0].last_answer.as_ref().unwrap().at.as_micros();
                fixture.let_pass(Duration::from_micros(u64::try_from(wait).unwrap()));
            }
            DeliveryProgress::GivenUp { at, reason } => {
                assert_eq!(reason, GiveUpReason::Expired);
                break at.as_micros() - noted[0].created_at.as_micros();
            }
            DeliveryProgress::Delivered { .. } => panic!("nobody has taken it"),
        }
    };
    let day = i64::try_from((24 * 60 * MINUTE).as_micros()).unwrap();
    assert!((day..day + 1_000_000).contains(&given_up), "{given_up}");
    assert_eq!(attempts, 8);
    fixture.let_pass(24 * 60 * MINUTE);
    fixture.courier.stop(MINUTE).await;
    assert!(fixture.metric("inlet_webhook_attempts_total{outcome=\"given_up\"} 1"));
    assert!(target.is_quiet());
}

#[tokio::test]
async fn a_target_that_says_it_is_gone_is_told_no_more() {
    let fixture = Fixture::new().await;
    let mut target = Receiver::start().await;
    target.will_answer([Answer::status(410)]);
    let (webhook, _) = fixture.webhook(&target.url()).await;
    fixture.event().await;
    target.next().await;
    let given_up = fixture.until_state(&webhook, DeliveryState::GivenUp).await;
    assert!(matches!(
        given_up[0].progress,
        DeliveryProgress::GivenUp { reason: GiveUpReason::TargetGone, .. }
    ));
    let disabled = fixture.catalog.webhook_get(&webhook.space_id, webhook.id).await.unwrap().unwrap();
    assert_eq!(disabled.status, WebhookStatus::Disabled);
    fixture.event().await;
    assert_eq!(fixture.deliveries(&webhook).await.len(), 1, "nothing more is queued");
    fixture.courier.stop(MINUTE).await;
    assert!(target.is_quiet());
}

#[tokio::test]
async fn a_busy_target_is_asked_again_when_it_said() {
    let fixture = Fixture::new().await;
    let mut target = Receiver::start().await;
    target.will_answer([Answer::status(429).with("retry-after", "100")]);
    let (webhook, _) = fixture.webhook(&target.url()).await;
    fixture.event().await;
    target.next().await;
    let failed = fixture.until_failed(&webhook, 1).await;
    let asked = failed[0].last_answer.as_ref().unwrap().at.plus(Duration::from_secs(100));
    assert_eq!(failed[0].progress, DeliveryProgress::Waiting { next_attempt_at: asked });
    fixture.let_pass(Duration::from_secs(100));
    target.next().await;
    fixture.until_state(&webhook, DeliveryState::Delivered).await;
}

#[tokio::test]
async fn a_redirect_is_no_delivery_and_is_not_followed() {
    let fixture = Fixture::new().await;
    let (mut target, mut elsewhere) = (Receiver::start().await, Receiver::start().await);
    for status in [301, 302, 307, 308] {
        target.will_answer([Answer::status(status).with("location", elsewhere.url())]);
        let (webhook, _) = fixture.webhook(&target.url()).await;
        fixture.event().await;
        let failed = fixture.until_failed(&webhook, 1).await;
        let reply = Reply::Answered { status, body: String::new() };
        assert_eq!(failed[0].last_answer.as_ref().unwrap().reply, reply);
        fixture.catalog.webhook_delete(&webhook.space_id, webhook.id, fixture.given.now()).await.unwrap();
        target.next().await;
    }
    assert!(elsewhere.is_quiet());
}

#[tokio::test]
async fn what_is_older_than_a_week_is_forgotten() {
    let options = CourierOptions { sends: 0, ..CourierOptions::default() };
    let fixture = Fixture::with(Setup { options, ..Setup::default() }).await;
    let (webhook, _) = fixture.webhook("http://127.0.0.1:1/").await;
    fixture.event().await;
    assert_eq!(fixture.deliveries(&webhook).await.len(), 1);
    fixture.let_pass(8 * 24 * 60 * MINUTE);
    let clock = Arc::clone(&fixture.clock);
    let _later = courier(&fixture.catalog, clock, Setup::default(), &mut Registry::default());
    let forgotten = async {
        while !fixture.deliveries(&webhook).await.is_empty() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), forgotten).await.expect("it is forgotten within 30 s");
}

#[tokio::test]
async fn a_delivery_that_was_given_up_is_sent_once_more_when_somebody_asks() {
    let fixture = Fixture::new().await;
    let mut target = Receiver::start().await;
    target.will_answer([Answer::status(500), Answer::status(500)]);
    let (webhook, _) = fixture.webhook(&target.url()).await;
    fixture.event().await;
    target.next().await;
    fixture.until_failed(&webhook, 1).await;
    fixture.let_pass(25 * 60 * MINUTE);
    let second = target.next().await;
    let given_up = fixture.until_state(&webhook, DeliveryState::GivenUp).await;
    let now = inlet_model::Clock::now(&*fixture.clock);
    fixture.catalog.delivery_retry(webhook.id, given_up[0].id, now, None).await.unwrap();
    fixture.courier.wake();
    assert_eq!(target.next().await.id(), second.id());
    fixture.until_state(&webhook, DeliveryState::Delivered).await;
}
