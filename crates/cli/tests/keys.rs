//! `inlet keys` and `inlet audit`.

use super::harness::{Home, Server, json};

fn served(home: &Home) -> Server {
    Server::start(home, "")
}

#[test]
fn a_key_is_made_used_rotated_and_deleted() {
    let home = Home::new();
    let server = served(&home);
    let made = home.inlet("keys create --name reports --role read --output json");
    assert_eq!(made.code, Some(0), "{made}");
    assert!(made.stderr.contains("shown only now"), "{made}");
    let key = json(&made.stdout);
    let (id, secret) = (key["id"].as_str().unwrap().to_owned(), key["secret"].as_str().unwrap().to_owned());
    let away = Home::new();
    let asked =
        |line: &str, secret: &str| away.inlet(&format!("{line} --url {} --api-key {secret}", server.url()));
    assert_eq!(asked("spaces list", &secret).code, Some(0));
    let refused = asked("spaces create --name A --id a", &secret);
    assert_eq!(refused.code, Some(1), "a read key changes nothing: {refused}");

    let shown = json(&home.inlet_well("keys get reports --output json"));
    assert_eq!(
        (&shown["id"], &shown["role"], &shown["secret"]),
        (&key["id"], &"read".into(), &serde_json::Value::Null)
    );
    let rotated = json(&home.inlet_well("keys rotate reports --overlap 1h --output json"));
    let newer = rotated["secret"].as_str().unwrap();
    assert_ne!(newer, secret);
    assert_eq!((asked("spaces list", newer).code, asked("spaces list", &secret).code), (Some(0), Some(0)));
    home.inlet_well(&format!("keys delete {id}"));
    let refused = asked("spaces list", newer);
    assert_eq!(refused.code, Some(1), "{refused}");
    assert!(refused.stderr.contains("code: auth.key_invalid"), "{refused}");
}

#[test]
fn keys_are_shown_without_their_secrets_and_found_by_name() {
    let home = Home::new();
    let _server = served(&home);
    home.inlet_well("keys create --name one --role write --space default --expires-at 2100-01-01T00:00:00Z");
    let list = home.inlet_well("keys list --output json");
    assert!(!list.contains("secret"), "{list}");
    let key = list.lines().map(json).find(|key| key["name"] == "one").unwrap();
    assert_eq!((&key["space_id"], &key["role"]), (&"default".into(), &"write".into()));
    assert_eq!(key["expires_at"], "2100-01-01T00:00:00.000Z");
    let nobody = home.inlet("keys get nobody");
    assert_eq!(nobody.code, Some(2), "{nobody}");
    assert!(nobody.stderr.contains("code: key.not_found"), "{nobody}");
    let someday = home.inlet("keys create --name a --expires-at someday");
    assert_eq!(someday.code, Some(2), "{someday}");
    assert!(someday.stderr.contains("/expires_at"), "{someday}");
}

#[test]
fn a_key_is_renamed_and_its_end_moved() {
    let home = Home::new();
    let _server = served(&home);
    home.inlet_well("keys create --name one --expires-at 2100-01-01T00:00:00Z");
    let updated = |line: &str| {
        let key = json(&home.inlet_well(&format!("keys update {line} --output json")));
        (key["name"].as_str().unwrap().to_owned(), key["expires_at"].clone())
    };
    assert_eq!(updated("one --name two"), ("two".to_owned(), "2100-01-01T00:00:00.000Z".into()));
    assert_eq!(
        updated("two --expires-at 2101-01-01T00:00:00Z"),
        ("two".to_owned(), "2101-01-01T00:00:00.000Z".into())
    );
    assert_eq!(updated("two --expires-at never"), ("two".to_owned(), serde_json::Value::Null));
}

#[test]
fn without_a_server_a_key_can_be_made_when_all_are_lost() {
    let home = Home::new();
    drop(served(&home));
    let key = json(&home.inlet_well("keys create --name rescue --role admin --output json"));
    let server = served(&home);
    let away = Home::new();
    let line = format!("keys list --url {} --api-key {}", server.url(), key["secret"].as_str().unwrap());
    away.inlet_well(&line);
}

#[test]
fn what_was_changed_is_in_the_audit_log() {
    let home = Home::new();
    let _server = served(&home);
    home.inlet_well("spaces create --name Sales --id sales");
    home.inlet_well("keys create --name reports");
    let entries: Vec<_> = home.inlet_well("audit list --output json").lines().map(json).collect();
    let actions: Vec<_> = entries.iter().map(|entry| entry["action"].as_str().unwrap()).collect();
    assert_eq!(actions, ["key.create", "space.create"]);
    assert_eq!(home.inlet_well("audit list --output json --limit 1").lines().count(), 1);
    let found = |line: &str| home.inlet_well(&format!("audit list --output json {line}")).lines().count();
    let filtered = ["--action space.create", "--action space.delete", "--actor local", "--actor none"];
    assert_eq!(filtered.map(found), [1, 0, 2, 0]);
    let table = home.inlet_well("audit list");
    assert!(table.contains("space.create") && table.contains("sales"), "{table}");
}
