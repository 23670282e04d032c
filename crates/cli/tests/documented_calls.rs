//! The seven calls that the server was asked for, over a real socket, as they were printed: only the ids, the address and the
//! key are filled in.

use super::harness::curl::{self, Answer};
use super::harness::{Home, Server};

const LIST_CONNECTORS: &str = r#"curl -X GET "https://api.example.com/v1/spaces/{space_id}/collections/{collection_id}/connectors" -H "X-API-Key: your_api_key""#;
const CREATE_CONNECTOR: &str = r#"curl -X POST "https://api.example.com/v1/spaces/{space_id}/collections/{collection_id}/connectors" \
 -H "Idempotency-Key: unique_key" \
 -H "Content-Type: application/json" \
 -d '{"name": "New Connector", "type": "external_source"}'"#;
const UPDATE_CONNECTOR: &str = r#"curl -X PATCH "https://api.example.com/v1/spaces/{space_id}/collections/{collection_id}/connectors/{connector_id}" \
 -H "Content-Type: application/json" \
 -d '{"name": "Updated Connector Name"}'"#;
const DELETE_CONNECTOR: &str = r#"curl -X DELETE "https://api.example.com/v1/spaces/{space_id}/collections/{collection_id}/connectors/{connector_id}" \
 -H "X-API-Key: your_api_key""#;
const TRIGGER_SYNC: &str = r#"curl -X POST "https://api.example.com/v1/spaces/{space_id}/collections/{collection_id}/connectors/{connector_id}/sync" \
 -H "Content-Type: application/json""#;
const LIST_SYNCS: &str = r#"curl -X GET "https://api.example.com/v1/spaces/{space_id}/collections/{collection_id}/connectors/{connector_id}/sync" \
 -H "X-API-Key: your_api_key""#;
const CANCEL_SYNC: &str = r#"curl -X POST "https://api.example.com/v1/spaces/{space_id}/collections/{collection_id}/connectors/{connector_id}/sync/cancel" \
 -H "X-API-Key: your_api_key""#;

const ALL: [&str; 7] = [
    LIST_CONNECTORS,
    CREATE_CONNECTOR,
    UPDATE_CONNECTOR,
    TRIGGER_SYNC,
    LIST_SYNCS,
    CANCEL_SYNC,
    DELETE_CONNECTOR,
];

/// A user of the server, who copies commands from the document.
struct User<'a> {
    server: &'a Server,
    connector_id: String,
    /// What is added to every command.
    and: &'static str,
}

impl User<'_> {
    fn runs(&self, command: &str) -> Answer {
        let command = command
            .replace("https://api.example.com", self.server.url())
            .replace("{space_id}", "default")
            .replace("{collection_id}", "default")
            .replace("{connector_id}", &self.connector_id);
        curl::run(&format!("{command}{}", self.and))
    }
}

/// The life of a connector, told in the seven calls.
fn walk_through(mut user: User<'_>) {
    let created = user.runs(CREATE_CONNECTOR);
    assert_eq!(created.status, 201, "{}", created.body);
    user.connector_id = created.json()["id"].as_str().unwrap().to_owned();
    assert_eq!(user.runs(CREATE_CONNECTOR), created, "one idempotency key, one connector");

    let listed = user.runs(LIST_CONNECTORS);
    assert_eq!((listed.status, listed.json()["data"].as_array().unwrap().len()), (200, 1));

    let updated = user.runs(UPDATE_CONNECTOR);
    assert_eq!((updated.status, &updated.json()["name"]), (200, &"Updated Connector Name".into()));

    let triggered = user.runs(TRIGGER_SYNC);
    assert_eq!(triggered.status, 202, "{}", triggered.body);
    let listed = user.runs(LIST_SYNCS);
    assert_eq!((listed.status, &listed.json()["data"][0]["id"]), (200, &triggered.json()["id"]));

    // Nothing was pushed, so the sync may have ended in the meantime.
    let cancelled = user.runs(CANCEL_SYNC);
    assert!(
        matches!(cancelled.status, 200 | 202) || cancelled.json()["code"] == "sync.none_active",
        "{}",
        cancelled.body
    );

    let deleted = user.runs(DELETE_CONNECTOR);
    assert_eq!((deleted.status, deleted.body.as_str()), (204, ""));
    assert_eq!(user.runs(LIST_SYNCS).status, 404);
}

#[test]
fn the_seven_calls_work_as_printed_without_keys() {
    let home = Home::new();
    let server = Server::start(&home, "--auth none");
    walk_through(User { server: &server, connector_id: String::new(), and: "" });
}

#[test]
fn the_seven_calls_work_with_the_key_and_only_with_it() {
    let home = Home::new();
    let mut command = home.command(["serve", "--listen", "127.0.0.1:0"]);
    command.env("INLET_API_KEY", "the-key-of-this-test");
    let server = Server::of(command);
    let no_connector = || "con_01k455vb4pex5vsknk084sn02q".to_owned();
    for call in ALL {
        let answer = User { server: &server, connector_id: no_connector(), and: "" }.runs(call);
        assert_eq!(answer.status, 401, "{call}\n{}", answer.body);
    }
    let key = " -H \"X-API-Key: the-key-of-this-test\"";
    walk_through_with_key(&server, key);
}

/// As printed, with the key in the place of `your_api_key`, and added where the document left it out.
fn walk_through_with_key(server: &Server, key: &'static str) {
    let user = User { server, connector_id: String::new(), and: key };
    // Two headers of one name would be two keys.
    let once = |call: &str| call.replace(" -H \"X-API-Key: your_api_key\"", "");
    let created = user.runs(&once(CREATE_CONNECTOR));
    assert_eq!(created.status, 201, "{}", created.body);
    let user = User { connector_id: created.json()["id"].as_str().unwrap().to_owned(), ..user };
    for (call, expected) in [
        (LIST_CONNECTORS, 200),
        (UPDATE_CONNECTOR, 200),
        (TRIGGER_SYNC, 202),
        (LIST_SYNCS, 200),
        (DELETE_CONNECTOR, 204),
    ] {
        let answer = user.runs(&once(call));
        assert_eq!(answer.status, expected, "{call}\n{}", answer.body);
    }
}
