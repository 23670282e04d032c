//! How many requests a caller may make, and how it is told.

use std::num::NonZeroU32;

use axum::body::Body;
use axum::http::{Method, StatusCode};
use inlet_api::{Auth, Limits, RateLimit, key_hash};
use serde_json::json;

use crate::app::{Answer, Setup, TestApp, request, with};

const KEY: &str = "of-the-environment";
const SECOND: i64 = 1_000_000;

async fn limited(auth: Auth, per_second: u32) -> TestApp {
    let rate = NonZeroU32::new(per_second).map(RateLimit::per_second);
    TestApp::with(Setup {
        auth,
        limits: Limits { rate, ..Limits::default() },
        running_syncs: 0,
        ..Setup::default()
    })
    .await
}

fn with_keys() -> Auth {
    Auth::Key { environment_key: Some(key_hash(KEY)), local_token: Some(key_hash("local")) }
}

async fn get(app: &TestApp, key: &str) -> Answer {
    app.send(with(request(Method::GET, "/v1/spaces", Body::empty()), "x-api-key", key)).await
}

#[tokio::test]
async fn every_answer_says_what_is_left_and_one_too_many_when_to_come_back() {
    let app = limited(with_keys(), 1).await;
    let first = get(&app, KEY).await;
    assert_eq!(first.header("ratelimit-policy"), Some("\"default\";q=10;w=10"));
    assert_eq!(first.header("ratelimit"), Some("\"default\";r=9;t=1"));
    for _ in 0..9 {
        assert_eq!(get(&app, KEY).await.status, StatusCode::OK);
    }
    let refused = get(&app, KEY).await;
    assert_eq!(
        (refused.status, refused.code().as_str()),
        (StatusCode::TOO_MANY_REQUESTS, "request.rate_limited")
    );
    assert_eq!(
        (refused.header("retry-after"), refused.header("ratelimit")),
        (Some("1"), Some("\"default\";r=0;t=10"))
    );
    assert_eq!(refused.json()["retryable"], true);
    app.clock.advance(SECOND);
    assert_eq!(get(&app, KEY).await.status, StatusCode::OK);
    assert_eq!(get(&app, KEY).await.status, StatusCode::TOO_MANY_REQUESTS);
}

#[tokio::test]
async fn each_key_is_counted_by_itself_and_commands_of_the_machine_are_not() {
    let app = limited(with_keys(), 1).await;
    let make = json!({"name": "k", "role": "read"}).to_string();
    let make = request(Method::POST, "/v1/keys", Body::from(make));
    let make = with(with(make, "content-type", "application/json"), "x-api-key", KEY);
    let secret = app.send(make).await.json()["secret"].as_str().unwrap().to_owned();
    while get(&app, KEY).await.status == StatusCode::OK {}
    assert_eq!(get(&app, &secret).await.header("ratelimit"), Some("\"default\";r=9;t=1"));
    for _ in 0..30 {
        let answer = get(&app, "local").await;
        assert_eq!((answer.status, answer.header("ratelimit")), (StatusCode::OK, None));
    }
}

#[tokio::test]
async fn without_keys_or_without_a_limit_nobody_is_counted() {
    let open = limited(Auth::None { local_token: None }, 1).await;
    let unlimited = limited(with_keys(), 0).await;
    for app in [open, unlimited] {
        for _ in 0..30 {
            let answer = get(&app, KEY).await;
            assert_eq!((answer.status, answer.header("ratelimit-policy")), (StatusCode::OK, None));
        }
    }
}

#[tokio::test]
async fn what_asks_for_no_key_is_not_counted() {
    let app = limited(with_keys(), 1).await;
    for _ in 0..30 {
        assert_eq!(app.get("/healthz").await.status, StatusCode::OK);
    }
}
