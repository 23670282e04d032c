//! A server with keys and two spaces that hold the same, and every operation that it describes.

use axum::body::Body;
use axum::http::{Method, StatusCode};
use inlet_api::{Auth, key_hash};
use serde_json::{Value, json};

use crate::app::{Answer, Setup, TestApp, json as json_request, request, with};

/// The key of the operator: an admin for all spaces.
pub(crate) const OPERATOR: &str = "of-the-operator";

/// A server with two spaces.
pub(crate) struct TwoSpaces {
    pub(crate) app: TestApp,
    pub(crate) one: Things,
    pub(crate) two: Things,
}

/// What a space holds: the id of one thing of each kind.
#[derive(Debug, Clone)]
pub(crate) struct Things {
    pub(crate) space_id: String,
    pub(crate) collection_id: String,
    pub(crate) connector_id: String,
    pub(crate) sync_id: String,
    /// A webhook that was told of the sync.
    pub(crate) webhook_id: String,
    pub(crate) delivery_id: String,
    /// A key that is bound to the space.
    pub(crate) key_id: String,
}

impl Things {
    /// What nobody else may see of them.
    pub(crate) fn ids(&self) -> [&str; 7] {
        let Self { space_id, collection_id, connector_id, sync_id, webhook_id, delivery_id, key_id } = self;
        [space_id, collection_id, connector_id, sync_id, webhook_id, delivery_id, key_id]
    }

    pub(crate) fn connector(&self) -> String {
        let Self { space_id, collection_id, connector_id, .. } = self;
        format!("/v1/spaces/{space_id}/collections/{collection_id}/connectors/{connector_id}")
    }

    /// The path of an operation, of these things.
    pub(crate) fn fill(&self, path: &str) -> String {
        let filled = [
            ("{space_id}", self.space_id.as_str()),
            ("{collection_id}", &self.collection_id),
            ("{connector_id}", &self.connector_id),
            ("{sync_id}", &self.sync_id),
            ("{webhook_id}", &self.webhook_id),
            ("{delivery_id}", &self.delivery_id),
            ("{key_id}", &self.key_id),
            ("{type}", "files"),
            ("{stream}", "people"),
            ("{key}", "1"),
        ];
        filled.into_iter().fold(path.to_owned(), |path, (name, value)| path.replace(name, value))
    }
}

/// An operation that asks for a key, as the server describes it.
#[derive(Debug, Clone)]
pub(crate) struct Operation {
    pub(crate) id: String,
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) role: String,
    params: Vec<String>,
    example: Option<Value>,
}

impl Operation {
    pub(crate) fn is_safe(&self) -> bool {
        self.method.is_safe()
    }

    /// Whether one of the roles before this one's is `role`.
    pub(crate) fn is_too_much_for(&self, role: &str) -> bool {
        let rank = |role: &str| ["read", "write", "admin"].iter().position(|each| *each == role).unwrap();
        rank(role) < rank(&self.role)
    }
}

impl TwoSpaces {
    /// The same things with another sync: one that has refused two records, since their keys are not found.
    pub(crate) async fn refusing(&self, things: &Things) -> Things {
        let connector = things.connector();
        let records = format!("{connector}/records?stream=people");
        let pushed =
            self.send(OPERATOR, Method::POST, &records, Some(json!([{"name": "a"}, {"name": "b"}]))).await;
        assert!(pushed.status.is_success(), "{}", pushed.text());
        let streams = json!({"streams": [{"name": "people", "primary_key": ["id"]}]});
        self.send(OPERATOR, Method::PATCH, &connector, Some(streams)).await;
        // Behind one that may have been begun for something else.
        let behind = Some(json!({"on_conflict": "queue"}));
        let sync = self.send(OPERATOR, Method::POST, &format!("{connector}/sync"), behind).await;
        let ended = self.get(OPERATOR, &format!("{}?wait=30s", sync.location())).await.json();
        assert_eq!(ended["counts"]["rejected"], 2, "{ended}");
        Things { sync_id: ended["id"].as_str().unwrap().to_owned(), ..things.clone() }
    }

    /// Has the connector read another stream besides.
    pub(crate) async fn read_another_stream(&self, things: &Things) {
        let connector = things.connector();
        let records = format!("{connector}/records?stream=another");
        self.send(OPERATOR, Method::POST, &records, Some(json!([{"name": "a"}]))).await;
        let sync = self.send(OPERATOR, Method::POST, &format!("{connector}/sync"), None).await;
        let ended = self.get(OPERATOR, &format!("{}?wait=30s", sync.location())).await.json();
        assert_eq!(ended["counts"]["created"], 1, "{ended}");
    }

    /// Syncs run, and have brought a record into each space; another waits, or runs, in each.
    pub(crate) async fn new() -> Self {
        let auth = Auth::Key { environment_key: Some(key_hash(OPERATOR)), local_token: None };
        let app = TestApp::with(Setup { auth, ..Setup::default() }).await;
        let (one, two) = (things(&app, "one").await, things(&app, "two").await);
        Self { app, one, two }
    }

    /// Every operation that asks for a key.
    pub(crate) async fn operations(&self) -> Vec<Operation> {
        let document = self.app.get("/openapi.json").await.json();
        let paths = document["paths"].as_object().unwrap().clone();
        let mut operations = Vec::new();
        for (path, methods) in paths {
            for (method, operation) in methods.as_object().unwrap() {
                let text = |name: &str| operation[name].as_str().unwrap().to_owned();
                let params = operation["parameters"].as_array().into_iter().flatten();
                let examples = operation["requestBody"]["content"].as_object();
                operations.push(Operation {
                    id: text("operationId"),
                    method: method.to_uppercase().parse().unwrap(),
                    path: path.clone(),
                    role: text("x-required-role"),
                    params: params.map(|param| param["name"].as_str().unwrap().to_owned()).collect(),
                    example: examples.map(|examples| examples["application/json"]["example"].clone()),
                });
            }
        }
        operations.retain(|operation| operation.role != "public");
        operations
    }

    /// Makes a key, and gives its secret.
    pub(crate) async fn key(&self, role: &str, space_id: Option<&str>) -> String {
        let body = json!({"name": format!("a {role}"), "role": role, "space_id": space_id});
        let made = self.send(OPERATOR, Method::POST, "/v1/keys", Some(body)).await;
        assert_eq!(made.status, StatusCode::CREATED, "{}", made.text());
        made.json()["secret"].as_str().unwrap().to_owned()
    }

    pub(crate) async fn send(&self, key: &str, method: Method, path: &str, body: Option<Value>) -> Answer {
        let request = match body {
            Some(body) => json_request(method, path, body),
            None => request(method, path, Body::empty()),
        };
        self.app.send(with(request, "x-api-key", key)).await
    }

    pub(crate) async fn get(&self, key: &str, path: &str) -> Answer {
        self.send(key, Method::GET, path, None).await
    }

    /// Asks for an operation, at this path, with the body of its example.
    pub(crate) async fn ask(&self, key: &str, operation: &Operation, path: &str) -> Answer {
        let takes = |name: &str| operation.params.iter().any(|param| param == name);
        let query = match () {
            () if takes("cascade") => "?cascade=true",
            () if takes("key_field") => "?key_field=id",
            () => "",
        };
        let method = operation.method.clone();
        self.send(key, method, &format!("{path}{query}"), operation.example.clone()).await
    }

    /// All that the server shows, but for when keys were last used.
    pub(crate) async fn dump(&self) -> Vec<Value> {
        let mut all = Vec::new();
        let mut lists = vec!["/v1/keys".to_owned(), "/v1/audit".to_owned(), "/v1/spaces".to_owned()];
        while let Some(list) = lists.pop() {
            let page = self.get(OPERATOR, &format!("{list}?limit=200")).await;
            assert_eq!(page.status, StatusCode::OK, "{list}: {}", page.text());
            for mut item in page.json()["data"].as_array().unwrap().clone() {
                let inner: &[&str] = match list.rsplit('/').next().unwrap() {
                    "spaces" => &["collections", "webhooks"],
                    "webhooks" => &["deliveries"],
                    "collections" => &["connectors", "records", "changes"],
                    "connectors" => &["sync"],
                    _ => &[],
                };
                let id = item["id"].as_str().unwrap_or_default();
                lists.extend(inner.iter().map(|inner| format!("{list}/{id}/{inner}")));
                item.as_object_mut().unwrap().remove("last_used_at");
                all.push(item);
            }
        }
        all
    }
}

async fn things(app: &TestApp, name: &str) -> Things {
    let post = async |path: &str, body: Value| {
        let made = app.send(with(json_request(Method::POST, path, body), "x-api-key", OPERATOR)).await;
        assert!(made.status.is_success(), "{path}: {}", made.text());
        made.json()
    };
    let id = |made: &Value| made["id"].as_str().unwrap().to_owned();
    let space_id = format!("space-{name}");
    post("/v1/spaces", json!({"name": name, "id": space_id})).await;
    let collections = format!("/v1/spaces/{space_id}/collections");
    let collection_id = format!("collection-{name}");
    post(&collections, json!({"name": name, "id": collection_id})).await;
    let connectors = format!("{collections}/{collection_id}/connectors");
    let connector_id = id(&post(&connectors, json!({"name": name, "type": "external_source"})).await);
    let connector = format!("{connectors}/{connector_id}");
    post(&format!("{connector}/trigger-secret"), json!({})).await;
    // Two events, and a target that takes them at once: nothing of them changes afterwards.
    let target = target().await;
    let webhooks = format!("/v1/spaces/{space_id}/webhooks");
    let webhook = json!({"name": name, "url": target});
    let webhook_id = id(&post(&webhooks, webhook).await);
    let people = json!([{"id": 1, "name": name}, {"id": 2, "name": name}]);
    post(&format!("{connector}/records?stream=people&key_field=id"), people).await;
    let sync_id = id(&post(&format!("{connector}/sync"), json!({})).await);
    let sync = format!("{connector}/sync/{sync_id}");
    let ended = async {
        loop {
            let request = with(request(Method::GET, &sync, Body::empty()), "x-api-key", OPERATOR);
            if app.send(request).await.json()["status"] == "succeeded" {
                break;
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(30), ended).await.expect("the sync ends");
    let deliveries = format!("{webhooks}/{webhook_id}/deliveries");
    let delivered = async {
        loop {
            let request = with(request(Method::GET, &deliveries, Body::empty()), "x-api-key", OPERATOR);
            let found = app.send(request).await.json()["data"].as_array().unwrap().clone();
            if found.len() == 2 && found.iter().all(|delivery| delivery["state"] == "delivered") {
                break found[0].clone();
            }
            tokio::time::sleep(std::time::Duration::from_millis(2)).await;
        }
    };
    let delivery =
        tokio::time::timeout(std::time::Duration::from_secs(30), delivered).await.expect("it is delivered");
    let delivery_id = id(&delivery);
    let key =
        json!({"name": name, "role": "admin", "space_id": space_id, "expires_at": "2100-01-01T00:00:00Z"});
    let key_id = id(&post("/v1/keys", key).await);
    Things { space_id, collection_id, connector_id, sync_id, webhook_id, delivery_id, key_id }
}

/// The URL of a target that takes everything.
async fn target() -> String {
    let router = axum::Router::new().fallback(async || StatusCode::NO_CONTENT);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    format!("http://{address}/hook")
}
