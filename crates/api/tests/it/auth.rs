//! Who may call.

use axum::body::Body;
use axum::http::{Method, Request, StatusCode};
use inlet_api::{Auth, NewKey, key_hash, new_key};
use inlet_model::{KeyId, SystemEntropy};
use inlet_store::catalog::{ApiKey, Role};
use serde_json::json;

use crate::app::{COLLECTION, Setup, TestApp, json as json_request, request, with};

fn list() -> Request<Body> {
    request(Method::GET, "/v1/spaces", Body::empty())
}

async fn app(auth: Auth) -> TestApp {
    TestApp::with(Setup { auth, ..Setup::default() }).await
}

#[tokio::test]
async fn each_kind_of_key_opens_and_every_other_does_not() {
    let auth = Auth::Key {
        environment_key: Some(key_hash("of the operator")),
        local_token: Some(key_hash("local")),
    };
    let app = app(auth).await;
    let NewKey { text, hash } = new_key(&SystemEntropy);
    let id = KeyId::new(app.now(), &SystemEntropy);
    let stored = ApiKey {
        id,
        name: "first".to_owned(),
        role: Role::Admin,
        space_id: None,
        created_at: app.now(),
        created_by: None,
        expires_at: None,
        last_used_at: None,
    };
    assert!(app.catalog.key_create_first(stored, hash).await.unwrap());

    for key in [text.as_str(), "of the operator", "local"] {
        assert_eq!(app.send(with(list(), "x-api-key", key)).await.status, StatusCode::OK, "{key}");
        assert_eq!(
            app.send(with(list(), "authorization", &format!("Bearer {key}"))).await.status,
            StatusCode::OK
        );
    }
    for (name, value) in [
        ("x-api-key", "wrong"),
        ("x-api-key", &text[..text.len() - 1]),
        ("authorization", "Bearer wrong"),
        ("x-api-key", "é"),
    ] {
        let refused = app.send(with(list(), name, value)).await;
        assert_eq!(
            (refused.status, refused.code().as_str()),
            (StatusCode::UNAUTHORIZED, "auth.key_invalid"),
            "{value}"
        );
        assert_eq!(
            refused.header("www-authenticate"),
            Some("Bearer realm=\"inlet\", error=\"invalid_token\"")
        );
    }
    for refused in [app.send(list()).await, app.send(with(list(), "authorization", "Basic bG9jYWw6")).await] {
        assert_eq!(refused.code(), "auth.key_required");
        assert_eq!(refused.header("www-authenticate"), Some("Bearer realm=\"inlet\""));
    }
}

#[tokio::test]
async fn a_server_with_no_key_at_all_lets_nobody_in() {
    let app = app(Auth::Key { environment_key: None, local_token: None }).await;
    assert_eq!(app.send(with(list(), "x-api-key", "anything")).await.code(), "auth.key_invalid");
    assert_eq!(app.get("/healthz").await.status, StatusCode::OK);
    assert_eq!(app.get("/readyz").await.status, StatusCode::OK);
}

#[tokio::test]
async fn without_keys_only_this_machine_may_call() {
    let app = app(Auth::None { local_token: None }).await;
    assert_eq!(app.send(with(list(), "host", "localhost:8080")).await.status, StatusCode::OK);
    let own_page = with(with(list(), "host", "localhost:8080"), "origin", "http://localhost:8080");
    assert_eq!(app.send(own_page).await.status, StatusCode::OK);
    let rebound = app.send(with(list(), "host", "evil.example:8080")).await;
    assert_eq!((rebound.status, rebound.code().as_str()), (StatusCode::FORBIDDEN, "request.host_refused"));
    let foreign_page = with(with(list(), "host", "localhost:8080"), "origin", "https://evil.example");
    assert_eq!(app.send(foreign_page).await.code(), "request.host_refused");
}

#[tokio::test]
async fn with_keys_any_host_may_be_named() {
    let app = app(Auth::Key { environment_key: Some(key_hash("k")), local_token: None }).await;
    let named = with(with(list(), "host", "inlet.example.com"), "x-api-key", "k");
    assert_eq!(app.send(named).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_sync_says_whether_a_command_on_this_machine_asked_for_it() {
    let (environment_key, local_token) = (Some(key_hash("operator")), Some(key_hash("local")));
    let with_keys = Auth::Key { environment_key, local_token };
    for auth in [with_keys, Auth::None { local_token }] {
        let app = app(auth).await;
        for (key, trigger) in [("local", "cli"), ("operator", "api")] {
            let body = json!({"name": trigger, "type": "external_source"});
            let connectors = format!("{COLLECTION}/connectors");
            let made = app.send(with(json_request(Method::POST, &connectors, body), "x-api-key", key)).await;
            let sync = request(Method::POST, &format!("{}/sync", made.location()), "");
            let sync = app.send(with(sync, "x-api-key", key)).await;
            assert_eq!(sync.json()["trigger"], trigger);
        }
    }
}

#[tokio::test]
async fn a_command_without_a_server_counts_as_local() {
    for (auth, trigger, actor) in
        [(Auth::OwnProcess, "cli", "local"), (Auth::None { local_token: None }, "api", "none")]
    {
        let app = app(auth).await;
        let connector = app.connector(json!({"name": trigger, "type": "external_source"})).await;
        let sync = app.post(&format!("{connector}/sync"), json!({})).await;
        assert_eq!(sync.json()["trigger"], trigger);
        let entry = app.get("/v1/audit").await.json()["data"][0].clone();
        assert_eq!((&entry["action"], &entry["actor"]), (&json!("sync.trigger"), &json!(actor)));
    }
}
