//! Connectors that are triggered by signed messages.

use std::num::NonZeroU32;
use std::time::Duration;

use axum::http::{Method, Request, StatusCode};
use inlet_api::{Auth, Limits, RateLimit, key_hash};
use inlet_model::DeliveryId;
use inlet_webhooks::{SigningSecret, signature};
use serde_json::{Value, json};

use crate::app::{Answer, COLLECTION, Setup, TestApp, json as json_request, request, with};

const BODY: &str = r#"{"changed": "orders"}"#;

/// A server that asks for keys, and a connector with a trigger secret.
struct Hooked {
    app: TestApp,
    connector: String,
    id: String,
    secret: String,
}

impl Hooked {
    async fn new(running_syncs: usize) -> Self {
        Self::with(Setup { running_syncs, ..Setup::default() }).await
    }

    async fn with(setup: Setup) -> Self {
        let auth = Auth::Key { environment_key: Some(key_hash("good")), local_token: None };
        let app = TestApp::with(Setup { auth, ..setup }).await;
        let body = json!({"name": "hooked", "type": "external_source"});
        let made = keyed(&app, Method::POST, &format!("{COLLECTION}/connectors"), body).await;
        let connector = made.location().to_owned();
        let id = made.json()["id"].as_str().unwrap().to_owned();
        let mut hooked = Self { app, connector, id, secret: String::new() };
        hooked.secret = hooked.new_secret(json!({})).await;
        hooked
    }

    async fn new_secret(&self, body: Value) -> String {
        let made = self.call(Method::POST, "trigger-secret", body).await;
        assert_eq!(made.status, StatusCode::OK, "{}", made.text());
        assert_eq!(made.json()["hook"], format!("/v1/hooks/{}", self.id));
        made.json()["secret"].as_str().unwrap().to_owned()
    }

    async fn call(&self, method: Method, what: &str, body: Value) -> Answer {
        keyed(&self.app, method, &format!("{}/{what}", self.connector), body).await
    }

    /// A message of that number, signed now.
    fn message(&self, number: u128) -> Request<axum::body::Body> {
        signed(&self.app, &self.id, &self.secret, number, BODY)
    }

    async fn send(&self, number: u128) -> Answer {
        self.app.send(self.message(number)).await
    }

    async fn syncs(&self) -> Vec<Value> {
        let listed = self.call(Method::GET, "sync", Value::Null).await.json();
        listed["data"].as_array().unwrap().clone()
    }
}

async fn keyed(app: &TestApp, method: Method, path: &str, body: Value) -> Answer {
    let request = if body.is_null() { request(method, path, "") } else { json_request(method, path, body) };
    app.send(with(request, "x-api-key", "good")).await
}

fn signed(
    app: &TestApp,
    connector: &str,
    secret: &str,
    number: u128,
    body: &str,
) -> Request<axum::body::Body> {
    let secret: SigningSecret = secret.parse().unwrap();
    let (id, seconds) = (DeliveryId::from_u128(number), app.now().as_micros() / 1_000_000);
    let signature = signature(&[secret], id, seconds, body.as_bytes());
    let request = request(Method::POST, &format!("/v1/hooks/{connector}"), body.to_owned());
    let request = with(request, "webhook-id", &id.to_string());
    let request = with(request, "webhook-timestamp", &seconds.to_string());
    with(request, "webhook-signature", &signature)
}

/// A problem without what is another each time.
fn problem(answer: &Answer) -> (StatusCode, Value) {
    let mut problem = answer.json();
    problem.as_object_mut().unwrap().remove("request_id");
    (answer.status, problem)
}

#[tokio::test]
async fn a_signed_message_triggers_a_sync_without_a_key() {
    let hooked = Hooked::new(2).await;
    let triggered = hooked.send(1).await;
    assert_eq!(triggered.status, StatusCode::ACCEPTED, "{}", triggered.text());
    assert_eq!(triggered.json()["status"], "queued");
    let syncs = hooked.syncs().await;
    assert_eq!((&syncs[0]["id"], &syncs[0]["trigger"]), (&triggered.json()["sync_id"], &json!("webhook")));
}

#[tokio::test]
async fn whoever_does_not_have_the_secret_learns_nothing() {
    let hooked = Hooked::new(0).await;
    let (connectors, body) =
        (format!("{COLLECTION}/connectors"), json!({"name": "without", "type": "external_source"}));
    let without = keyed(&hooked.app, Method::POST, &connectors, body).await.json()["id"].clone();
    let without = without.as_str().unwrap();
    let other = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    let app = &hooked.app;
    let mut changed = hooked.message(1);
    *changed.body_mut() = "{}".to_owned().into();
    let mut unsigned = hooked.message(1);
    unsigned.headers_mut().remove("webhook-signature");
    let mut anonymous = hooked.message(1);
    anonymous.headers_mut().remove("webhook-id");
    let twice = with(hooked.message(1), "webhook-id", "another");
    let old = hooked.message(1);
    let mut answers = Vec::new();
    for message in [
        signed(app, &hooked.id, other, 1, BODY),
        signed(app, without, &hooked.secret, 1, BODY),
        signed(app, "con_01h455vb4pex5vsknk084sn02q", &hooked.secret, 1, BODY),
        signed(app, "nonsense", &hooked.secret, 1, BODY),
        changed,
        unsigned,
        anonymous,
        twice,
    ] {
        answers.push(app.send(message).await);
    }
    app.clock.advance(301_000_000);
    answers.push(app.send(old).await);
    for answer in &answers {
        assert_eq!(answer.code(), "hook.not_verified");
        assert_eq!(problem(answer), problem(&answers[0]));
        assert!(answer.header("www-authenticate").is_some());
    }
    assert_eq!(hooked.syncs().await, Vec::<Value>::new());
    let with_key = with(signed(app, &hooked.id, other, 1, BODY), "x-api-key", "good");
    assert_eq!(app.send(with_key).await.code(), "hook.not_verified", "a key is no signature");
}

#[tokio::test]
async fn a_message_that_comes_again_triggers_nothing_more() {
    let hooked = Hooked::new(2).await;
    let first = hooked.send(1).await;
    let sync = format!("{}/sync/{}?wait=30s", hooked.connector, first.json()["sync_id"].as_str().unwrap());
    assert_eq!(keyed(&hooked.app, Method::GET, &sync, Value::Null).await.json()["status"], "succeeded");
    for _ in 0..3 {
        hooked.app.clock.advance(60_000_000);
        let again = hooked.send(1).await;
        assert_eq!((again.status, again.json()), (first.status, first.json()));
    }
    assert_eq!(hooked.syncs().await.len(), 1);
    assert_eq!(hooked.send(2).await.status, StatusCode::ACCEPTED);
    assert_eq!(hooked.syncs().await.len(), 2);
}

#[tokio::test]
async fn while_one_waits_other_messages_wait_with_it() {
    let hooked = Hooked::new(0).await;
    let first = hooked.send(1).await;
    let second = hooked.send(2).await;
    assert_eq!((second.status, second.json()), (StatusCode::ACCEPTED, first.json()));
    assert_eq!(hooked.send(2).await.json(), first.json(), "also when it comes again");
    assert_eq!(hooked.syncs().await.len(), 1);
    hooked.call(Method::POST, "sync/cancel", json!({})).await;
    hooked.call(Method::POST, "sync", json!({"dry_run": true})).await;
    let refused = hooked.send(3).await;
    assert_eq!(refused.code(), "sync.already_running", "a dry run brings nothing in");
    hooked.call(Method::POST, "sync/cancel", json!({})).await;
    assert_eq!(hooked.send(3).await.status, StatusCode::ACCEPTED, "what was refused may come again");
}

#[tokio::test]
async fn a_paused_connector_is_not_triggered_and_says_so() {
    let hooked = Hooked::new(0).await;
    keyed(&hooked.app, Method::PATCH, &hooked.connector, json!({"status": "paused"})).await;
    let refused = hooked.send(1).await;
    assert_eq!((refused.status, refused.code().as_str()), (StatusCode::CONFLICT, "connector.paused"));
    keyed(&hooked.app, Method::PATCH, &hooked.connector, json!({"status": "active"})).await;
    assert_eq!(hooked.send(1).await.status, StatusCode::ACCEPTED);
}

#[tokio::test]
async fn two_secrets_count_during_the_overlap_of_a_rotation() {
    let mut hooked = Hooked::new(0).await;
    let (old, new) = (hooked.secret.clone(), hooked.new_secret(json!({"overlap": "1h"})).await);
    assert_ne!(old, new);
    let status = async |secret: &str, number| {
        hooked.app.send(signed(&hooked.app, &hooked.id, secret, number, BODY)).await.status
    };
    assert_eq!((status(&old, 1).await, status(&new, 2).await), (StatusCode::ACCEPTED, StatusCode::ACCEPTED));
    let shown = hooked.call(Method::GET, "trigger-secret", Value::Null).await.json();
    assert!(shown["previous_secret_ends_at"].is_string() && shown.get("secret").is_none(), "{shown}");
    hooked.app.clock.advance(3_600_000_000);
    assert_eq!(
        (status(&old, 3).await, status(&new, 4).await),
        (StatusCode::UNAUTHORIZED, StatusCode::ACCEPTED)
    );
    let leaked = new;
    hooked.secret = hooked.new_secret(json!({"overlap": "0s"})).await;
    assert_eq!(
        hooked.app.send(signed(&hooked.app, &hooked.id, &leaked, 5, BODY)).await.status,
        StatusCode::UNAUTHORIZED
    );
    assert_eq!(hooked.send(6).await.status, StatusCode::ACCEPTED);
    assert_eq!(
        hooked.call(Method::DELETE, "trigger-secret", Value::Null).await.status,
        StatusCode::NO_CONTENT
    );
    assert_eq!(hooked.send(7).await.code(), "hook.not_verified");
    for method in [Method::GET, Method::DELETE] {
        assert_eq!(
            hooked.call(method, "trigger-secret", Value::Null).await.code(),
            "trigger_secret.not_found"
        );
    }
    let bad = hooked.call(Method::POST, "trigger-secret", json!({"overlap": "8d", "all": 1})).await;
    assert_eq!(bad.json()["errors"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn the_secret_is_in_one_answer_and_in_no_file() {
    let hooked = Hooked::new(0).await;
    let path = format!("{}/trigger-secret", hooked.connector);
    let ask = || {
        let request = with(json_request(Method::POST, &path, json!({})), "x-api-key", "good");
        with(request, "idempotency-key", "k")
    };
    let first = hooked.app.send(ask()).await.json();
    let secret = first["secret"].as_str().unwrap();
    let again = hooked.app.send(ask()).await.json();
    assert_eq!((&again["hook"], again.get("secret")), (&first["hook"], None));
    let bytes = secret.strip_prefix("whsec_").unwrap().as_bytes();
    for (file, content) in hooked.app.files() {
        assert!(!content.windows(bytes.len()).any(|part| part == bytes), "{}", file.display());
    }
}

#[tokio::test]
async fn a_hook_has_its_own_number_of_messages() {
    let two = NonZeroU32::new(2).unwrap();
    let rate = RateLimit { per_second: NonZeroU32::MIN, burst: two };
    let limits = Limits { rate: Some(rate), ..Limits::default() };
    let hooked = Hooked::with(Setup { limits, running_syncs: 0, ..Setup::default() }).await;
    let mut statuses = Vec::new();
    for number in 1..=3 {
        statuses.push(hooked.send(number).await.status);
    }
    assert_eq!(statuses, [StatusCode::ACCEPTED, StatusCode::ACCEPTED, StatusCode::TOO_MANY_REQUESTS]);
    hooked.app.clock.advance(i64::try_from(Duration::from_secs(2).as_micros()).unwrap());
    assert_eq!(hooked.send(3).await.status, StatusCode::ACCEPTED);
}
