//! What a target gets.

use std::time::Duration;

use inlet_model::sync::Outcome;
use inlet_model::{Clock, DeliveryId};
use inlet_store::catalog::{DeliveryError, DeliveryState, Effect, Reply, WebhookStatus};
use inlet_webhooks::{CourierOptions, SigningSecret, signature};

use crate::fixture::{Fixture, Setup};
use crate::receiver::{Answer, Received, Receiver};

/// The signatures that these secrets make of what was received.
fn expected(secrets: &[SigningSecret], received: &Received) -> String {
    let id: DeliveryId = received.id().parse().unwrap();
    let timestamp = received.header("webhook-timestamp").parse().unwrap();
    signature(secrets, id, timestamp, received.body.as_bytes())
}

#[tokio::test]
async fn each_event_is_delivered_once_and_signed() {
    let fixture = Fixture::new().await;
    let mut target = Receiver::start().await;
    target.will_answer([Answer::status(200).saying("thanks"), Answer::status(204)]);
    let (webhook, secret) = fixture.webhook(&target.url()).await;
    fixture.sync(Outcome::Succeeded).await;
    let received = [target.next().await, target.next().await];
    let delivered = fixture.until_state(&webhook, DeliveryState::Delivered).await;
    let mut events: Vec<String> =
        received.iter().map(|each| each.json()["type"].as_str().unwrap().to_owned()).collect();
    events.sort();
    assert_eq!(events, ["sync.started", "sync.succeeded"]);
    for each in &received {
        assert_eq!(each.path, "/hook");
        assert_eq!(each.header("content-type"), "application/json");
        assert!(each.header("user-agent").starts_with("Inlet-Webhooks/"));
        assert_eq!(each.header("webhook-signature"), expected(std::slice::from_ref(&secret), each));
        let delivery = delivered.iter().find(|delivery| delivery.id.to_string() == each.id()).unwrap();
        assert_eq!((&each.body, delivery.attempts), (&delivery.payload, 1));
        let seconds = fixture.clock.now().as_millis() / 1000;
        assert_eq!(each.header("webhook-timestamp"), seconds.to_string());
    }
    fixture.let_pass(Duration::from_secs(60 * 60));
    fixture.courier.stop(Duration::from_secs(30)).await;
    assert!(fixture.metric("inlet_webhook_attempts_total{outcome=\"delivered\"} 2"));
    assert!(target.is_quiet(), "what has arrived is not sent again");
}

#[tokio::test]
async fn during_a_rotation_both_secrets_sign_and_then_the_new_one_alone() {
    let fixture = Fixture::new().await;
    let mut target = Receiver::start().await;
    let (webhook, old) = fixture.webhook(&target.url()).await;
    let new = SigningSecret::generate(&inlet_model::SystemEntropy);
    let now = fixture.clock.now();
    let ends_at = now.plus(Duration::from_secs(24 * 60 * 60));
    let sealed = fixture.sealed(&webhook, &new);
    let rotated =
        fixture.catalog.webhook_rotate(&webhook.space_id, webhook.id, sealed, ends_at, now, None).await;
    assert_eq!(rotated.unwrap(), Effect::Done);
    fixture.event().await;
    let received = target.next().await;
    let both = expected(&[new.clone(), old], &received);
    assert_eq!(both.split(' ').count(), 2);
    assert_eq!(received.header("webhook-signature"), both);
    fixture.given.let_pass(Duration::from_secs(24 * 60 * 60));
    fixture.event().await;
    let received = target.next().await;
    assert_eq!(received.header("webhook-signature"), expected(&[new], &received));
}

#[tokio::test]
async fn a_slow_target_holds_up_no_other_and_gets_only_so_many_at_a_time() {
    let options = CourierOptions { per_webhook: 2, ..CourierOptions::default() };
    let fixture = Fixture::with(Setup { options, ..Setup::default() }).await;
    let (mut slow, mut quick) = (Receiver::start().await, Receiver::start().await);
    slow.close();
    let (of_slow, _) = fixture.webhook(&slow.url()).await;
    let (of_quick, _) = fixture.webhook(&quick.url()).await;
    for _ in 0..5 {
        fixture.event().await;
    }
    fixture.until_state(&of_quick, DeliveryState::Delivered).await;
    for _ in 0..5 {
        quick.next().await;
    }
    slow.next().await;
    slow.next().await;
    assert!(slow.is_quiet(), "two are being sent, the others wait");
    slow.open();
    fixture.until_state(&of_slow, DeliveryState::Delivered).await;
}

#[tokio::test]
async fn only_the_beginning_of_an_answer_is_kept() {
    let fixture = Fixture::new().await;
    let target = Receiver::start().await;
    target.will_answer([Answer::status(200).saying("ü".repeat(100_000))]);
    let (webhook, _) = fixture.webhook(&target.url()).await;
    fixture.event().await;
    let delivered = fixture.until_state(&webhook, DeliveryState::Delivered).await;
    let Some(Reply::Answered { status: 200, body }) =
        delivered[0].last_answer.as_ref().map(|answer| &answer.reply)
    else {
        panic!("{delivered:?}")
    };
    assert_eq!(*body, "ü".repeat(512));
}

#[tokio::test]
async fn a_target_that_does_not_answer_in_time_has_failed() {
    let options = CourierOptions { timeout: Duration::from_millis(50), ..CourierOptions::default() };
    let fixture = Fixture::with(Setup { options, ..Setup::default() }).await;
    let mut target = Receiver::start().await;
    target.close();
    let (webhook, _) = fixture.webhook(&target.url()).await;
    fixture.event().await;
    let failed = fixture.until_failed(&webhook, 1).await;
    assert_eq!(failed[0].last_answer.as_ref().unwrap().reply, Reply::Failed(DeliveryError::TimedOut));
    target.next().await;
}

#[tokio::test]
async fn a_test_is_sent_at_once_signed_and_leaves_no_delivery() {
    let fixture = Fixture::new().await;
    let mut target = Receiver::start().await;
    target.will_answer([Answer::status(418).saying("short and stout")]);
    let (mut webhook, secret) = fixture.webhook(&target.url()).await;
    webhook.status = WebhookStatus::Disabled;
    let answer = fixture.courier.test(&webhook).await.unwrap();
    assert_eq!(answer.reply, Reply::Answered { status: 418, body: "short and stout".to_owned() });
    let received = target.next().await;
    assert_eq!(received.json()["type"], "webhook.test");
    assert_eq!(received.json()["data"]["webhook_id"], webhook.id.to_string());
    assert_eq!(received.header("webhook-signature"), expected(&[secret], &received));
    assert_eq!(fixture.deliveries(&webhook).await, []);
}

#[tokio::test]
async fn tests_are_bounded_in_number() {
    let options = CourierOptions { tests: 1, ..CourierOptions::default() };
    let fixture = Fixture::with(Setup { options, ..Setup::default() }).await;
    let mut target = Receiver::start().await;
    target.close();
    let (webhook, _) = fixture.webhook(&target.url()).await;
    let (courier, of_first) = (fixture.courier.clone(), webhook.clone());
    let first = tokio::spawn(async move { courier.test(&of_first).await });
    target.next().await;
    assert!(fixture.courier.test(&webhook).await.is_err());
    target.open();
    assert!(first.await.unwrap().is_ok());
}

#[tokio::test]
async fn what_cannot_be_signed_is_not_sent() {
    let fixture = Fixture::new().await;
    let mut target = Receiver::start().await;
    let webhook = fixture.given.a_webhook(&fixture.connector.space_id);
    let webhook = inlet_store::catalog::Webhook { url: target.url(), ..webhook };
    fixture.catalog.webhook_create(webhook.clone(), None).await.unwrap();
    fixture.event().await;
    let failed = fixture.until_failed(&webhook, 1).await;
    let reply = &failed[0].last_answer.as_ref().unwrap().reply;
    assert_eq!(*reply, Reply::Failed(DeliveryError::SecretUnreadable));
    assert!(target.is_quiet());
}
