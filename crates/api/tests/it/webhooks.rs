//! Webhooks over the API, up to what a target gets.

use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode};
use inlet_webhooks::{SigningSecret, signature};
use serde_json::{Value, json};
use tokio::sync::mpsc;

use crate::app::{TestApp, json as json_request, request, with};

const WEBHOOKS: &str = "/v1/spaces/default/webhooks";

/// A target, and what it was told: the headers and the body of each request.
struct Target {
    url: String,
    told: mpsc::Receiver<(HeaderMap, String)>,
}

impl Target {
    async fn start(status: StatusCode) -> Self {
        let (tell, told) = mpsc::channel(100);
        let receive = async move |State(tell): State<mpsc::Sender<_>>, headers: HeaderMap, body: Bytes| {
            tell.send((headers, String::from_utf8(body.to_vec()).unwrap())).await.unwrap();
            (status, "heard")
        };
        let router = axum::Router::new().fallback(receive).with_state(tell);
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { url, told }
    }

    /// The next that it is told, which must be signed with that secret.
    async fn next(&mut self, secret: &str) -> Value {
        let (headers, body) =
            tokio::time::timeout(Duration::from_secs(30), self.told.recv()).await.unwrap().unwrap();
        let header = |name: &str| headers[name].to_str().unwrap().to_owned();
        let secret: SigningSecret = secret.parse().unwrap();
        let id = header("webhook-id").parse().unwrap();
        let timestamp = header("webhook-timestamp").parse().unwrap();
        let expected = signature(&[secret], id, timestamp, body.as_bytes());
        assert!(header("webhook-signature").split(' ').any(|found| found == expected));
        serde_json::from_str(&body).unwrap()
    }
}

/// Makes a webhook, and gives its path and its secret.
async fn made(app: &TestApp, body: Value) -> (String, String) {
    let made = app.post(WEBHOOKS, body).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.text());
    (made.location().to_owned(), made.json()["secret"].as_str().unwrap().to_owned())
}

fn without<'a>(value: &Value, names: impl IntoIterator<Item = &'a str>) -> Value {
    let mut value = value.clone();
    for name in names {
        value.as_object_mut().unwrap().remove(name);
    }
    value
}

#[tokio::test]
async fn a_target_is_told_of_a_sync_as_the_api_shows_it() {
    let app = TestApp::new().await;
    let mut target = Target::start(StatusCode::OK).await;
    let (path, secret) = made(&app, json!({"name": "all", "url": target.url})).await;
    let connector = app.connector(json!({"name": "people", "type": "external_source"})).await;
    app.post(&format!("{connector}/records?key_field=id"), json!([{"id": 1}])).await;
    let sync = app.sync(&connector).await;
    let mut told = [target.next(&secret).await, target.next(&secret).await];
    told.sort_by_key(|event| event["type"].as_str().unwrap().to_owned());
    assert_eq!((&told[0]["type"], &told[0]["data"]["status"]), (&"sync.started".into(), &"running".into()));
    assert_eq!(told[1]["type"], "sync.succeeded");
    let data = &told[1]["data"];
    assert_eq!((&data["space_id"], &data["collection_id"]), (&"default".into(), &"default".into()));
    // The history of a sync is read where it is wanted.
    let shown = app.get(&format!("{connector}/sync/{}", sync["id"].as_str().unwrap())).await.json();
    assert_eq!(without(data, ["space_id", "collection_id"]), without(&shown, ["moves"]));

    let deliveries = format!("{path}/deliveries");
    let all = app
        .until(&deliveries, |page| {
            page["data"].as_array().unwrap().iter().all(|each| each["state"] == "delivered")
        })
        .await;
    let newest = &all["data"][0];
    assert_eq!((&newest["event"], &newest["sync_id"]), (&"sync.succeeded".into(), &sync["id"]));
    assert_eq!((&newest["attempts"], &newest["last_answer"]["status"]), (&1.into(), &200.into()));
    assert_eq!(
        (&newest["last_answer"]["body"], &newest["last_answer"]["error"]),
        (&"heard".into(), &Value::Null)
    );
    for (state, count) in [("delivered", 2), ("waiting", 0), ("given_up", 0)] {
        assert_eq!(app.get(&format!("{deliveries}?state={state}")).await.ids().len(), count, "{state}");
    }
}

#[tokio::test]
async fn the_secret_is_shown_once_and_no_copy_of_it_lies_open() {
    let app = TestApp::new().await;
    let body = json!({"name": "one", "url": "https://example.com/inlet"});
    let create = || with(json_request(Method::POST, WEBHOOKS, body.clone()), "idempotency-key", "k");
    let first = app.send(create()).await;
    let secret = first.json()["secret"].as_str().unwrap().to_owned();
    assert!(secret.starts_with("whsec_") && secret.len() == 50, "{secret}");
    let again = app.send(create()).await;
    assert_eq!((again.status, again.header("idempotency-replayed")), (StatusCode::CREATED, Some("true")));
    assert_eq!(again.json(), without(&first.json(), ["secret"]));
    let path = first.location();
    assert_eq!(app.get(path).await.json(), again.json());
    assert_eq!(app.get(WEBHOOKS).await.json()["data"], json!([again.json()]));

    let rotate = || {
        let rotation = request(Method::POST, &format!("{path}/rotate-secret"), Body::empty());
        with(rotation, "idempotency-key", "r")
    };
    let rotated = app.send(rotate()).await;
    let newer = rotated.json()["secret"].as_str().unwrap().to_owned();
    assert_ne!(newer, secret);
    let ends_at: inlet_model::Timestamp =
        rotated.json()["previous_secret_ends_at"].as_str().unwrap().parse().unwrap();
    let now: inlet_model::Timestamp = rotated.json()["updated_at"].as_str().unwrap().parse().unwrap();
    assert_eq!(ends_at, now.plus(Duration::from_secs(24 * 60 * 60)));
    assert_eq!(app.send(rotate()).await.json(), without(&rotated.json(), ["secret"]));
    assert_eq!(app.get(path).await.json(), without(&rotated.json(), ["secret"]));
    for (file, bytes) in app.files() {
        for secret in [&secret, &newer] {
            let bare = secret.trim_start_matches("whsec_").as_bytes();
            let found = bytes.windows(bare.len()).any(|window| window == bare);
            assert!(!found, "{} holds a secret", file.display());
        }
    }
}

#[tokio::test]
async fn a_webhook_is_changed_field_by_field_and_deleted() {
    let app = TestApp::new().await;
    let connector = app.connector(json!({"name": "people", "type": "external_source"})).await;
    let connector_id = connector.rsplit('/').next().unwrap();
    let events = json!(["sync.failed", "sync.started", "sync.failed"]);
    let (path, _) = made(&app, json!({"name": "a", "url": "https://example.com", "events": events})).await;
    let before = app.get(&path).await.json();
    assert_eq!(before["events"], json!(["sync.started", "sync.failed"]), "each once, in their order");
    assert_eq!(before["status"], "active");
    for (patch, field, value) in [
        (json!({"name": "b"}), "name", json!("b")),
        (json!({"url": "https://example.com/x"}), "url", json!("https://example.com/x")),
        (json!({"events": null}), "events", json!([])),
        (json!({"collection_id": "default"}), "collection_id", json!("default")),
        (json!({"connector_id": connector_id}), "connector_id", json!(connector_id)),
        (json!({"collection_id": null}), "collection_id", Value::Null),
        (json!({"status": "disabled"}), "status", json!("disabled")),
    ] {
        let before = app.get(&path).await.json();
        let after = app.patch(&path, patch.clone()).await;
        assert_eq!((after.status, &after.json()[field]), (StatusCode::OK, &value), "{patch}");
        let rest = [field, "updated_at"];
        assert_eq!(without(&after.json(), rest), without(&before, rest), "{patch}");
        assert_ne!(after.json()["updated_at"], before["updated_at"], "{patch}");
        let again = app.patch(&path, patch).await.json();
        assert_eq!(again, after.json(), "what changes nothing is no change");
    }
    assert_eq!(app.delete(&connector).await.status, StatusCode::NO_CONTENT);
    assert_eq!(app.get(&path).await.code(), "webhook.not_found", "it goes with its connector");
    let (path, _) = made(&app, json!({"name": "a", "url": "https://example.com"})).await;
    assert_eq!(app.delete(&path).await.status, StatusCode::NO_CONTENT);
    for answer in [app.get(&path).await, app.delete(&path).await, app.patch(&path, json!({})).await] {
        assert_eq!(answer.code(), "webhook.not_found");
    }
}

#[tokio::test]
async fn every_bad_field_is_named_at_once() {
    let app = TestApp::without_workers().await;
    let body = json!({
        "url": "http://169.254.169.254/latest", "events": ["sync.failed", "sync.paused"], "collection_id": "No Way",
        "connector_id": "syn_1", "status": "asleep", "colour": "red",
    });
    let refused = app.post(WEBHOOKS, body).await;
    assert_eq!(refused.code(), "request.invalid_fields");
    let problem = refused.json();
    let mut errors: Vec<(&str, &str)> = problem["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|error| (error["pointer"].as_str().unwrap(), error["code"].as_str().unwrap()))
        .collect();
    errors.sort_unstable();
    let expected = [
        ("/collection_id", "field.format"),
        ("/colour", "field.unknown"),
        ("/connector_id", "field.format"),
        ("/events", "field.choice"),
        ("/name", "field.required"),
        ("/status", "field.choice"),
        ("/url", "field.refused"),
    ];
    assert_eq!(errors, expected);
    let (path, _) = made(&app, json!({"name": "a", "url": "https://example.com"})).await;
    for (field, value, code) in [
        ("url", "https://me:pass@example.com", "field.format"),
        ("url", "ftp://example.com", "field.format"),
        ("url", "http://93.184.216.34/", "field.refused"),
        ("collection_id", "nowhere", "field.choice"),
        ("connector_id", "con_01h455vb4pex5vsknk084sn02q", "field.choice"),
    ] {
        let mut body = json!({"name": "a", "url": "https://example.com"});
        body[field] = value.into();
        for answer in [app.post(WEBHOOKS, body.clone()).await, app.patch(&path, json!({field: value})).await]
        {
            let error = &answer.json()["errors"][0];
            let found = (error["pointer"].as_str(), error["code"].as_str());
            assert_eq!(found, (Some(&*format!("/{field}")), Some(code)), "{value}");
            assert!(!answer.text().contains("me:pass"), "no credentials come back");
        }
    }
    assert_eq!(app.get(WEBHOOKS).await.ids().len(), 1);
    let nowhere = app.post("/v1/spaces/nowhere/webhooks", json!({"name": "a", "url": "https://e.com"})).await;
    assert_eq!(nowhere.code(), "space.not_found");
}

#[tokio::test]
async fn a_test_says_what_the_target_said() {
    let app = TestApp::without_workers().await;
    let mut target = Target::start(StatusCode::IM_A_TEAPOT).await;
    let (path, secret) = made(&app, json!({"name": "a", "url": target.url, "status": "disabled"})).await;
    let tested = app.post(&format!("{path}/test"), json!({})).await;
    assert_eq!((tested.status, &tested.json()["status"]), (StatusCode::OK, &"failed".into()));
    let answer = &tested.json()["answer"];
    assert_eq!((&answer["status"], &answer["body"]), (&418.into(), &"heard".into()));
    assert_eq!(target.next(&secret).await["type"], "webhook.test");
    assert_eq!(app.get(&format!("{path}/deliveries")).await.ids(), [""; 0]);

    let target = Target::start(StatusCode::NO_CONTENT).await;
    app.patch(&path, json!({"url": target.url})).await;
    assert_eq!(app.post(&format!("{path}/test"), json!({})).await.json()["status"], "succeeded");
}

#[tokio::test]
async fn a_delivery_is_sent_again_when_somebody_asks() {
    let app = TestApp::new().await;
    let mut target = Target::start(StatusCode::NO_CONTENT).await;
    let (path, secret) =
        made(&app, json!({"name": "a", "url": target.url, "events": ["sync.succeeded"]})).await;
    let connector = app.connector(json!({"name": "people", "type": "external_source"})).await;
    app.sync(&connector).await;
    let first = target.next(&secret).await;
    let deliveries = format!("{path}/deliveries");
    let is_delivered = |attempts: u32| {
        move |page: &Value| page["data"][0]["state"] == "delivered" && page["data"][0]["attempts"] == attempts
    };
    let page = app.until(&deliveries, is_delivered(1)).await;
    let delivery = format!("{deliveries}/{}", page["data"][0]["id"].as_str().unwrap());
    let retry =
        || with(request(Method::POST, &format!("{delivery}/retry"), Body::empty()), "idempotency-key", "k");
    let asked = app.send(retry()).await;
    assert_eq!((asked.status, &asked.json()["state"]), (StatusCode::ACCEPTED, &"waiting".into()));
    assert_eq!(target.next(&secret).await, first);
    app.until(&deliveries, is_delivered(2)).await;
    let replayed = app.send(retry()).await;
    assert_eq!(replayed.json(), asked.json());
    assert_eq!(app.get(&deliveries).await.json()["data"][0]["attempts"], 2, "once for each key");

    app.patch(&path, json!({"status": "disabled"})).await;
    let refused = app.post(&format!("{delivery}/retry"), json!({})).await;
    assert_eq!((refused.status, refused.code().as_str()), (StatusCode::CONFLICT, "webhook.disabled"));
    let unknown = format!("{deliveries}/msg_01h455vb4pex5vsknk084sn02q/retry");
    assert_eq!(app.post(&unknown, json!({})).await.code(), "delivery.not_found");
    assert_eq!(app.post(&format!("{deliveries}/x/retry"), json!({})).await.code(), "delivery.not_found");
    assert_eq!(app.get(&format!("{WEBHOOKS}/x/deliveries")).await.code(), "webhook.not_found");
}

#[tokio::test]
async fn a_space_has_only_so_many_webhooks() {
    let app = TestApp::without_workers().await;
    for number in 0..100 {
        made(&app, json!({"name": format!("{number}"), "url": "https://example.com"})).await;
    }
    let refused = app.post(WEBHOOKS, json!({"name": "a", "url": "https://example.com"})).await;
    assert_eq!((refused.status, refused.code().as_str()), (StatusCode::CONFLICT, "webhook.too_many"));
}
