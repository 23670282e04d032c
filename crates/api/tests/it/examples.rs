//! The examples of docs/api.md, run one by one.

use serde_json::json;

use crate::app::{COLLECTION, TestApp, request};
use crate::curl;

/// Every `curl` command of the page, in one line.
fn examples() -> Vec<String> {
    let page = include_str!("../../../../docs/api.md").replace("\\\n", " ");
    let in_shell_blocks = page.split("```sh\n").skip(1).filter_map(|rest| rest.split("```").next());
    let lines = in_shell_blocks.flat_map(str::lines).filter(|line| line.starts_with("curl "));
    lines.map(str::to_owned).collect()
}

/// A server where what the examples speak of is there: a space and a collection to delete, people to read, and for a
/// cancel a sync that runs.
async fn prepared(example: &str) -> (TestApp, String, String) {
    let app = TestApp::new().await;
    if !example.contains("\"id\": \"sales\"") {
        app.post("/v1/spaces", json!({"name": "Sales", "id": "sales"})).await;
    }
    if !example.contains("\"id\": \"orders\"") {
        app.post("/v1/spaces/default/collections", json!({"name": "Orders", "id": "orders"})).await;
    }
    let connector = app.connector(json!({"name": "people", "type": "external_source"})).await;
    app.post(&format!("{connector}/trigger-secret"), json!({})).await;
    app.post(&format!("{connector}/records?stream=people&key_field=id"), json!([{"id": 1, "name": "Ada"}]))
        .await;
    if example.contains("/rejected/replay") {
        app.post(&format!("{connector}/records?stream=people"), json!([{"name": "Grace"}])).await;
        app.patch(&connector, json!({"streams": [{"name": "people", "primary_key": ["id"]}]})).await;
    }
    let sync = app.sync(&connector).await["id"].as_str().unwrap().to_owned();
    if example.contains("/approve") || example.contains("/discard") {
        let (connector, sync) = app.asking(&format!("{COLLECTION}/connectors")).await;
        let sync = sync.rsplit('/').next().unwrap().to_owned();
        return (app, connector, sync);
    }
    if !example.contains("/cancel") {
        return (app, connector, sync);
    }
    let held = app.connector(json!({"name": "held", "type": "held"})).await;
    let running = app.send(request(axum::http::Method::POST, &format!("{held}/sync"), "")).await;
    app.until(running.location(), |sync| sync["status"] == "running").await;
    let sync = running.json()["id"].as_str().unwrap().to_owned();
    (app, held, sync)
}

/// A webhook, and a delivery of it.
async fn a_webhook(app: &TestApp) -> (String, String) {
    let body = json!({"name": "example", "url": "http://127.0.0.1:1/hook"});
    let webhook = app.post("/v1/spaces/default/webhooks", body).await.location().to_owned();
    let connector = app.connector(json!({"name": "told of", "type": "external_source"})).await;
    app.sync(&connector).await;
    let delivery = app.get(&format!("{webhook}/deliveries")).await.ids().remove(0);
    (webhook.rsplit('/').next().unwrap().to_owned(), delivery)
}

async fn a_key(app: &TestApp) -> String {
    let made = app.post("/v1/keys", json!({"name": "example", "role": "read"})).await;
    made.json()["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn every_example_of_the_page_does_what_it_says() {
    let examples = examples();
    assert!(examples.len() >= 20, "the page has an example for each operation: {examples:#?}");
    for example in examples {
        let (app, connector, sync) = prepared(&example).await;
        let (webhook, delivery) = a_webhook(&app).await;
        let command = example
            .replace("$webhook", &webhook)
            .replace("$delivery", &delivery)
            .replace("$api", &format!("http://127.0.0.1:8080{COLLECTION}"))
            .replace("$connector", connector.rsplit('/').next().unwrap())
            .replace("$sync", &sync)
            .replace("$key", &a_key(&app).await)
            .replace('…', "x");
        let answer = app.send(curl::request(&command)).await;
        assert!(answer.status.is_success(), "{command}\n{}", answer.text());
    }
}
