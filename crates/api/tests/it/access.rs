//! Who may do what: every operation, with every role, and with keys of another space.

use std::collections::BTreeSet;

use axum::http::{Method, StatusCode};
use serde_json::json;

use crate::two_spaces::{OPERATOR, Operation, Things, TwoSpaces};

#[tokio::test]
async fn without_a_key_no_operation_is_open() {
    let server = TwoSpaces::new().await;
    let before = server.dump().await;
    for operation in server.operations().await {
        let path = server.one.fill(&operation.path);
        let answer = server.app.send(crate::app::request(operation.method, &path, "")).await;
        assert_eq!((answer.status, answer.code().as_str()), (StatusCode::UNAUTHORIZED, "auth.key_required"));
    }
    assert_eq!(server.dump().await, before);
}

#[tokio::test]
async fn a_key_whose_role_is_too_small_changes_nothing() {
    let server = TwoSpaces::new().await;
    let keys = [("read", server.key("read", None).await), ("write", server.key("write", None).await)];
    let before = server.dump().await;
    let mut refused = 0;
    for operation in server.operations().await {
        for (role, key) in keys.iter().filter(|(role, _)| operation.is_too_much_for(role)) {
            let answer = server.ask(key, &operation, &server.one.fill(&operation.path)).await;
            assert_eq!(answer.status, StatusCode::FORBIDDEN, "{} with {role}", operation.id);
            assert_eq!(answer.code(), "auth.role_insufficient");
            let needed = format!("`{}`", operation.role);
            assert!(answer.json()["detail"].as_str().unwrap().contains(&needed), "{}", answer.text());
            let scope = format!("scope=\"{}\"", operation.role);
            assert!(answer.header("www-authenticate").unwrap().ends_with(&scope));
            refused += 1;
        }
    }
    assert!(refused > 20, "{refused}");
    assert_eq!(server.dump().await, before);
}

#[tokio::test]
async fn an_operation_that_a_read_key_may_make_is_open_to_it_and_changes_nothing() {
    let server = TwoSpaces::new().await;
    let (free, bound) = (server.key("read", None).await, server.key("read", Some("space-one")).await);
    let before = server.dump().await;
    for operation in server.operations().await.into_iter().filter(|operation| operation.role == "read") {
        let path = server.one.fill(&operation.path);
        let answer = server.ask(&free, &operation, &path).await;
        assert_eq!(answer.status, StatusCode::OK, "{}: {}", operation.id, answer.text());
        let answer = server.ask(&bound, &operation, &path).await;
        // Numbers of the whole server are nothing for a key of one space.
        let expected = if operation.id == "get_metrics" { StatusCode::FORBIDDEN } else { StatusCode::OK };
        assert_eq!(answer.status, expected, "{}: {}", operation.id, answer.text());
    }
    assert_eq!(server.dump().await, before);
}

#[tokio::test]
async fn the_role_that_an_operation_needs_is_enough() {
    for operation in TwoSpaces::new().await.operations().await {
        let server = TwoSpaces::new().await;
        let key = server.key(&operation.role, None).await;
        let answer = server.ask(&key, &operation, &server.one.fill(&operation.path)).await;
        assert_ne!(answer.status, StatusCode::FORBIDDEN, "{}: {}", operation.id, answer.text());
        assert_ne!(answer.status, StatusCode::UNAUTHORIZED, "{}: {}", operation.id, answer.text());
    }
}

/// Every way to name things of the space `two` together with things of `one` that lead there.
fn mixtures(one: &Things, two: &Things) -> [Things; 6] {
    let mix = |from: usize| {
        let of = |place: usize, name: fn(&Things) -> &String| {
            if place >= from { name(two).clone() } else { name(one).clone() }
        };
        Things {
            space_id: of(0, |things| &things.space_id),
            collection_id: of(1, |things| &things.collection_id),
            connector_id: of(2, |things| &things.connector_id),
            sync_id: of(3, |things| &things.sync_id),
            webhook_id: of(1, |things| &things.webhook_id),
            delivery_id: of(2, |things| &things.delivery_id),
            key_id: two.key_id.clone(),
        }
    };
    let another_webhook = Things { webhook_id: one.webhook_id.clone(), ..mix(1) };
    [
        mix(0),
        mix(1),
        mix(2),
        mix(3),
        another_webhook,
        Things { space_id: "space-none".to_owned(), ..two.clone() },
    ]
}

/// What of a path a mixture takes from the other space.
fn is_foreign(path: &str, two: &Things) -> bool {
    path.split('/').any(|step| step == "space-none" || two.ids().contains(&step))
}

fn is_of_all_spaces(operation: &Operation) -> bool {
    !operation.path.contains("{space_id}") && !operation.path.contains("{key_id}")
}

#[tokio::test]
async fn a_key_of_one_space_finds_nothing_of_another_by_any_operation_or_id() {
    let server = TwoSpaces::new().await;
    let key = server.key("admin", Some(&server.one.space_id)).await;
    let before = server.dump().await;
    let mut asked = 0;
    for operation in server.operations().await {
        let paths: BTreeSet<String> = mixtures(&server.one, &server.two)
            .iter()
            .map(|things| things.fill(&operation.path))
            .filter(|path| is_foreign(path, &server.two))
            .collect();
        assert_eq!(paths.is_empty(), is_of_all_spaces(&operation), "{}", operation.id);
        for path in paths {
            let answer = server.ask(&key, &operation, &path).await;
            assert_eq!(answer.status, StatusCode::NOT_FOUND, "{} {path}: {}", operation.id, answer.text());
            asked += 1;
        }
    }
    assert!(asked > 60, "{asked}");
    assert_eq!(server.dump().await, before);
}

#[tokio::test]
async fn another_space_looks_like_one_that_is_not_there() {
    let server = TwoSpaces::new().await;
    let key = server.key("admin", Some(&server.one.space_id)).await;
    for operation in server.operations().await {
        let there = server.two.fill(&operation.path);
        let nowhere = there.replace("space-two", "space-xyz");
        if there == nowhere {
            continue;
        }
        let there = server.ask(&key, &operation, &there).await;
        let nowhere = server.ask(&key, &operation, &nowhere).await;
        assert_eq!(there.code(), "space.not_found", "{}", operation.id);
        let detail = nowhere.json()["detail"].as_str().unwrap().replace("space-xyz", "space-two");
        assert_eq!(there.json()["detail"], detail);
    }
}

#[tokio::test]
async fn what_is_of_all_spaces_shows_a_bound_key_only_its_own() {
    let server = TwoSpaces::new().await;
    let key = server.key("admin", Some(&server.one.space_id)).await;
    for operation in server.operations().await.into_iter().filter(is_of_all_spaces) {
        let answer = server.ask(&key, &operation, &operation.path).await;
        if answer.status.is_success() {
            for id in server.two.ids() {
                assert!(!answer.text().contains(id), "{}: {}", operation.id, answer.text());
            }
        }
    }
    assert_eq!(server.get(&key, "/v1/spaces").await.ids(), ["space-one"]);
    let keys = server.get(&key, "/v1/keys").await.json();
    assert_eq!(keys["data"].as_array().unwrap().len(), 2, "the first, and its own: {keys}");
    assert!(keys["data"].as_array().unwrap().iter().all(|key| key["space_id"] == "space-one"));
    let audit = server.get(&key, "/v1/audit").await.json();
    assert!(audit["data"].as_array().unwrap().iter().all(|entry| entry["target"]["space_id"] == "space-one"));
    assert!(!audit["data"].as_array().unwrap().is_empty());
}

#[tokio::test]
async fn a_bound_key_makes_no_space_and_no_key_for_another() {
    let server = TwoSpaces::new().await;
    let key = server.key("admin", Some(&server.one.space_id)).await;
    let space = Some(json!({"name": "s", "id": "mine"}));
    let refused = server.send(&key, Method::POST, "/v1/spaces", space).await;
    assert_eq!((refused.status, refused.code().as_str()), (StatusCode::FORBIDDEN, "auth.key_bound"));
    let mut details = BTreeSet::new();
    for space_id in [json!("space-two"), json!("space-xyz"), json!(null)] {
        let body = Some(json!({"name": "k", "role": "read", "space_id": space_id}));
        let refused = server.send(&key, Method::POST, "/v1/keys", body).await;
        assert_eq!(refused.code(), "request.invalid_fields", "{space_id}");
        let error = &refused.json()["errors"][0];
        assert_eq!((&error["pointer"], &error["code"]), (&json!("/space_id"), &json!("field.choice")));
        details.insert(error["detail"].as_str().unwrap().replace("xyz", "two"));
    }
    assert_eq!(details.len(), 2, "whether the other space is there is not told: {details:?}");
    for body in
        [json!({"name": "k", "role": "admin"}), json!({"name": "k", "role": "read", "space_id": "space-one"})]
    {
        let made = server.send(&key, Method::POST, "/v1/keys", Some(body)).await;
        assert_eq!((made.status, &made.json()["space_id"]), (StatusCode::CREATED, &json!("space-one")));
    }
}

#[tokio::test]
async fn no_cursor_of_another_space_or_of_all_spaces_is_taken() {
    let server = TwoSpaces::new().await;
    // Of a sync that does not ask, what it would delete is an empty list; and nodes are none of a bound key's business.
    let others = ["list_sync_deletes", "list_nodes"];
    let lists = |operation: &&Operation| operation.is_safe() && !others.contains(&operation.id.as_str());
    for operation in server.operations().await.iter().filter(lists) {
        let two = match operation.id.as_str() {
            "list_rejected_records" => server.refusing(&server.two).await,
            _ => server.two.clone(),
        };
        let path = two.fill(&operation.path);
        // Whatever the list, it has two items then.
        if operation.id == "list_connectors" || operation.id == "list_collections" {
            let body = json!({"name": "another", "type": "external_source"});
            let body = if operation.id == "list_connectors" { body } else { json!({"name": "another"}) };
            server.send(OPERATOR, Method::POST, &path, Some(body)).await;
        }
        if operation.id == "list_webhooks" {
            let body = json!({"name": "another", "url": "https://example.com"});
            server.send(OPERATOR, Method::POST, &path, Some(body)).await;
        }
        if operation.id == "list_schemas" {
            server.read_another_stream(&two).await;
        }
        if operation.id == "list_syncs" {
            server.send(OPERATOR, Method::POST, &path, None).await;
        }
        let first = server.get(OPERATOR, &format!("{path}?limit=1")).await;
        let is_list = first.header("content-type") == Some("application/json");
        if first.status != StatusCode::OK || !is_list || first.json()["data"].is_null() {
            continue;
        }
        let cursor = first.json()["next_cursor"].as_str().unwrap_or_else(|| panic!("{path}")).to_owned();
        let key = server.key("admin", Some(&server.one.space_id)).await;
        let own = server.one.fill(&operation.path);
        let refused = server.get(&key, &format!("{own}?cursor={cursor}")).await;
        assert_eq!(refused.code(), "pagination.cursor_invalid", "{}", operation.id);
    }
}
