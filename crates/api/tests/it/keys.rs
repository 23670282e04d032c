//! API keys: made, shown, changed, rotated, revoked, and what opens when.

use std::sync::Arc;
use std::time::Duration;

use axum::http::{Method, StatusCode};
use inlet_model::{Entropy, KeyId, ManualClock, SystemEntropy};
use inlet_store::Catalog;
use serde_json::{Value, json};

use crate::app::{json as json_request, members, with};
use crate::backends;
use crate::two_spaces::{OPERATOR, TwoSpaces};

const SECOND: i64 = 1_000_000;
const HOUR: i64 = 3_600 * SECOND;

async fn made(server: &TwoSpaces, body: Value) -> Value {
    let made = server.send(OPERATOR, Method::POST, "/v1/keys", Some(body)).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.text());
    assert_eq!(made.location(), path(&made.json()));
    made.json()
}

fn path(key: &Value) -> String {
    format!("/v1/keys/{}", key["id"].as_str().unwrap())
}

fn secret(key: &Value) -> &str {
    key["secret"].as_str().unwrap()
}

/// What a key opens: the status, and the code of a refusal.
async fn opens(server: &TwoSpaces, secret: &str) -> (StatusCode, Option<String>) {
    let answer = server.get(secret, "/v1/spaces").await;
    (answer.status, (!answer.status.is_success()).then(|| answer.code()))
}

fn open() -> (StatusCode, Option<String>) {
    (StatusCode::OK, None)
}

fn refused(code: &str) -> (StatusCode, Option<String>) {
    (StatusCode::UNAUTHORIZED, Some(code.to_owned()))
}

#[tokio::test]
async fn the_secret_is_shown_once_and_never_again() {
    let server = TwoSpaces::new().await;
    let key = made(&server, json!({"name": "Dashboard", "role": "read", "space_id": "space-one"})).await;
    assert_eq!(opens(&server, secret(&key)).await, open());
    let shown = server.get(OPERATOR, &path(&key)).await.json();
    let expected =
        ["created_at", "created_by", "expires_at", "id", "last_used_at", "name", "role", "space_id"];
    assert_eq!(members(&shown).into_iter().collect::<Vec<_>>(), expected);
    assert_eq!((&shown["role"], &shown["space_id"]), (&json!("read"), &json!("space-one")));
    assert_eq!((&shown["created_by"], &shown["expires_at"]), (&json!("environment"), &Value::Null));
    for list in ["/v1/keys", "/v1/audit"] {
        assert!(!server.get(OPERATOR, list).await.text().contains(secret(&key)));
    }
}

#[tokio::test]
async fn every_bad_field_of_a_new_key_is_named() {
    let server = TwoSpaces::new().await;
    let before = server.dump().await;
    let body = json!({"role": "owner", "space_id": 1, "expires_at": "tomorrow", "scope": "all"});
    let bad = server.send(OPERATOR, Method::POST, "/v1/keys", Some(body)).await;
    let pointers: Vec<Value> =
        bad.json()["errors"].as_array().unwrap().iter().map(|error| error["pointer"].clone()).collect();
    assert_eq!(pointers, ["/name", "/role", "/space_id", "/expires_at", "/scope"]);
    for (field, value, code) in [
        ("space_id", json!("space-xyz"), "field.choice"),
        ("space_id", json!("Not an id"), "field.choice"),
        ("expires_at", json!("2025-12-31T00:00:00Z"), "field.range"),
        ("expires_at", json!(7), "field.format"),
        ("role", json!(null), "field.required"),
    ] {
        let mut body = json!({"name": "n", "role": "read"});
        body[field] = value;
        let bad = server.send(OPERATOR, Method::POST, "/v1/keys", Some(body)).await;
        assert_eq!(bad.code(), "request.invalid_fields");
        assert_eq!(bad.json()["errors"][0]["pointer"], format!("/{field}"));
        assert_eq!(bad.json()["errors"][0]["code"], code, "{}", bad.text());
    }
    assert_eq!(server.dump().await, before);
}

#[tokio::test]
async fn a_repeated_creation_or_rotation_is_answered_without_the_secret() {
    let server = TwoSpaces::new().await;
    let key = made(&server, json!({"name": "k", "role": "read"})).await;
    for path in ["/v1/keys".to_owned(), format!("{}/rotate", path(&key))] {
        let body = if path == "/v1/keys" { json!({"name": "n", "role": "read"}) } else { json!({}) };
        let request = || {
            let request = json_request(Method::POST, &path, body.clone());
            with(with(request, "x-api-key", OPERATOR), "idempotency-key", "k")
        };
        let (first, second) = (server.app.send(request()).await, server.app.send(request()).await);
        assert_eq!((first.status, second.header("idempotency-replayed")), (second.status, Some("true")));
        let mut without = first.json();
        assert!(without.as_object_mut().unwrap().remove("secret").is_some());
        assert_eq!(second.json(), without);
        assert_eq!(opens(&server, secret(&first.json())).await, open());
    }
}

#[tokio::test]
async fn a_revoked_key_is_refused_at_once() {
    let server = TwoSpaces::new().await;
    let key = made(&server, json!({"name": "k", "role": "read"})).await;
    assert_eq!(opens(&server, secret(&key)).await, open());
    let gone = server.send(OPERATOR, Method::DELETE, &path(&key), None).await;
    assert_eq!(gone.status, StatusCode::NO_CONTENT);
    assert_eq!(opens(&server, secret(&key)).await, refused("auth.key_invalid"));
    let again = server.send(OPERATOR, Method::DELETE, &path(&key), None).await;
    assert_eq!((again.status, again.code().as_str()), (StatusCode::NOT_FOUND, "key.not_found"));
}

/// No other process changes an embedded catalog; but one of a database may.
#[tokio::test]
async fn a_key_that_another_process_revoked_is_refused_within_a_second() {
    let server = TwoSpaces::new().await;
    let key = made(&server, json!({"name": "k", "role": "read"})).await;
    assert_eq!(opens(&server, secret(&key)).await, open());
    let (clock, entropy): (_, Arc<dyn Entropy>) =
        (ManualClock::new(server.app.now()), Arc::new(SystemEntropy));
    let (other, _) = backends::open(server.app.folder.path(), &clock, &entropy).await;
    let id: KeyId = key["id"].as_str().unwrap().parse().unwrap();
    assert!(other.key_delete(id).await.unwrap());
    server.app.clock.advance(SECOND);
    assert_eq!(opens(&server, secret(&key)).await, refused("auth.key_invalid"));
}

#[tokio::test]
async fn an_expired_key_is_refused_from_that_moment_and_can_be_prolonged() {
    let server = TwoSpaces::new().await;
    let end = server.app.now().plus(Duration::from_secs(3_600));
    let key = made(&server, json!({"name": "k", "role": "read", "expires_at": end})).await;
    assert_eq!(server.get(OPERATOR, &path(&key)).await.json()["expires_at"], json!(end));
    server.app.clock.advance(HOUR - SECOND);
    assert_eq!(opens(&server, secret(&key)).await, open());
    server.app.clock.advance(SECOND);
    let answer = server.get(secret(&key), "/v1/spaces").await;
    assert_eq!((answer.status, answer.code().as_str()), (StatusCode::UNAUTHORIZED, "auth.key_expired"));
    assert!(answer.header("www-authenticate").unwrap().contains("invalid_token"));
    let patch = Some(json!({"expires_at": null}));
    assert_eq!(server.send(OPERATOR, Method::PATCH, &path(&key), patch).await.status, StatusCode::OK);
    assert_eq!(opens(&server, secret(&key)).await, open());
}

#[tokio::test]
async fn a_rotated_key_opens_with_both_secrets_until_the_overlap_ends() {
    let server = TwoSpaces::new().await;
    let old = made(&server, json!({"name": "k", "role": "read"})).await;
    assert_eq!(opens(&server, secret(&old)).await, open());
    let rotate = format!("{}/rotate", path(&old));
    let new = server.send(OPERATOR, Method::POST, &rotate, Some(json!({"overlap": "2h"}))).await;
    assert_eq!((new.status, &new.json()["id"]), (StatusCode::OK, &old["id"]));
    for secret in [secret(&old), secret(&new.json())] {
        assert_eq!(opens(&server, secret).await, open());
    }
    server.app.clock.advance(2 * HOUR);
    assert_eq!(opens(&server, secret(&old)).await, refused("auth.key_invalid"));
    assert_eq!(opens(&server, secret(&new.json())).await, open());

    let newest = server.send(OPERATOR, Method::POST, &rotate, Some(json!({"overlap": "0s"}))).await;
    assert_eq!(opens(&server, secret(&new.json())).await, refused("auth.key_invalid"));
    assert_eq!(opens(&server, secret(&newest.json())).await, open());
    for (overlap, code) in [("8d", "field.range"), ("2 hours", "field.format")] {
        let bad = server.send(OPERATOR, Method::POST, &rotate, Some(json!({"overlap": overlap}))).await;
        assert_eq!(
            (bad.code().as_str(), &bad.json()["errors"][0]["code"]),
            ("request.invalid_fields", &json!(code))
        );
    }
}

#[tokio::test]
async fn a_key_cannot_gather_secrets_without_end() {
    let server = TwoSpaces::new().await;
    let key = made(&server, json!({"name": "k", "role": "read"})).await;
    let rotate = format!("{}/rotate", path(&key));
    for _ in 0..9 {
        assert_eq!(server.send(OPERATOR, Method::POST, &rotate, None).await.status, StatusCode::OK);
    }
    let refused = server.send(OPERATOR, Method::POST, &rotate, None).await;
    assert_eq!((refused.status, refused.code().as_str()), (StatusCode::CONFLICT, "key.too_many_secrets"));
    let leaked = Some(json!({"overlap": "0s"}));
    assert_eq!(server.send(OPERATOR, Method::POST, &rotate, leaked).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_patch_changes_name_and_expiry_and_nothing_else() {
    let server = TwoSpaces::new().await;
    let key = made(&server, json!({"name": "k", "role": "read"})).await;
    let patch = async |body: Value| server.send(OPERATOR, Method::PATCH, &path(&key), Some(body)).await;
    let renamed = patch(json!({"name": "Renamed", "expires_at": "2030-01-01T00:00:00Z"})).await.json();
    assert_eq!(
        (&renamed["name"], &renamed["expires_at"]),
        (&json!("Renamed"), &json!("2030-01-01T00:00:00.000Z"))
    );
    assert_eq!(patch(json!({})).await.json(), renamed);
    let bad =
        patch(json!({"name": null, "role": "admin", "space_id": null, "expires_at": "2000-01-01T00:00:00Z"}));
    let bad = bad.await;
    let pointers: Vec<Value> =
        bad.json()["errors"].as_array().unwrap().iter().map(|error| error["pointer"].clone()).collect();
    assert_eq!(pointers, ["/name", "/expires_at", "/role", "/space_id"]);
    assert_eq!(server.get(OPERATOR, &path(&key)).await.json(), renamed);
}

#[tokio::test]
async fn the_last_use_is_shown_at_once_and_written_down_beside_the_requests() {
    let server = TwoSpaces::new().await;
    let key = made(&server, json!({"name": "k", "role": "read"})).await;
    assert_eq!(server.get(OPERATOR, &path(&key)).await.json()["last_used_at"], Value::Null);
    let id: KeyId = key["id"].as_str().unwrap().parse().unwrap();
    let mut written = Vec::new();
    for _ in 0..2 {
        opens(&server, secret(&key)).await;
        let used = server.app.now();
        assert_eq!(server.get(OPERATOR, &path(&key)).await.json()["last_used_at"], json!(used));
        until_written(&*server.app.catalog, id, used).await;
        written.push(used);
        opens(&server, secret(&key)).await;
        server.app.clock.advance(60 * SECOND);
    }
    assert_eq!(written.len(), 2);
}

async fn until_written(catalog: &dyn Catalog, id: KeyId, used: inlet_model::Timestamp) {
    let written = async {
        while catalog.key_get(id).await.unwrap().unwrap().last_used_at != Some(used) {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), written).await.expect("the use is written down");
}

#[tokio::test]
async fn the_keys_of_a_deleted_space_open_nothing_also_when_it_is_made_again() {
    let server = TwoSpaces::new().await;
    let key = made(&server, json!({"name": "k", "role": "read", "space_id": "space-one"})).await;
    assert_eq!(opens(&server, secret(&key)).await, open());
    let gone = server.send(OPERATOR, Method::DELETE, "/v1/spaces/space-one?cascade=true", None).await;
    assert_eq!(gone.status, StatusCode::NO_CONTENT);
    let again = Some(json!({"name": "n", "id": "space-one"}));
    server.send(OPERATOR, Method::POST, "/v1/spaces", again).await;
    assert_eq!(opens(&server, secret(&key)).await, refused("auth.key_invalid"));
}

#[tokio::test]
async fn an_admin_may_revoke_itself_and_the_operator_stays() {
    let server = TwoSpaces::new().await;
    let key = made(&server, json!({"name": "k", "role": "admin"})).await;
    let gone = server.send(secret(&key), Method::DELETE, &path(&key), None).await;
    assert_eq!(gone.status, StatusCode::NO_CONTENT);
    assert_eq!(opens(&server, secret(&key)).await, refused("auth.key_invalid"));
    assert_eq!(opens(&server, OPERATOR).await, open());
}

#[tokio::test]
async fn wrong_keys_by_the_thousand_leave_the_right_one_working() {
    let server = TwoSpaces::new().await;
    let key = made(&server, json!({"name": "k", "role": "read"})).await;
    for number in 0..2_000 {
        assert_eq!(opens(&server, &format!("inlet_{number}")).await, refused("auth.key_invalid"));
    }
    assert_eq!(opens(&server, secret(&key)).await, open());
}
