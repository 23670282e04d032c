//! Watching a sync: its events, from the beginning or behind any of them, until it ends.

use std::time::Duration;

use axum::body::Body;
use axum::http::{Method, StatusCode};
use http_body_util::BodyExt;
use inlet_api::Limits;
use inlet_model::log::{LogLevel, NewLogLine};
use inlet_model::sync::{Failure, Outcome};
use inlet_model::{NodeId, SyncId, SystemEntropy};
use inlet_store::catalog::{Claim, Lease, SyncLimits, Wait};
use inlet_store::collection::{CancelFlag, Commit, FinishRun, Item, NewRun};
use serde_json::{Value, json};

use crate::app::{Setup, TestApp, request, with};
use crate::two_spaces::{OPERATOR, TwoSpaces};

const PATIENCE: Duration = Duration::from_secs(30);

#[derive(Debug, Clone, PartialEq)]
struct Event {
    id: Option<String>,
    name: String,
    data: Value,
}

/// A stream of events, as a listener reads it.
struct Listening {
    body: Body,
    text: String,
}

impl Listening {
    async fn to(app: &TestApp, path: &str) -> Self {
        Self::behind(app, path, None).await
    }

    async fn behind(app: &TestApp, path: &str, last_id: Option<&str>) -> Self {
        let mut asked = request(Method::GET, path, Body::empty());
        if let Some(id) = last_id {
            asked = with(asked, "last-event-id", id);
        }
        Self::opened(app, asked).await
    }

    async fn opened(app: &TestApp, asked: axum::http::Request<Body>) -> Self {
        let response = app.open(asked).await;
        assert_eq!(response.status(), StatusCode::OK);
        for (name, value) in [
            ("content-type", "text/event-stream"),
            ("cache-control", "no-store"),
            ("x-accel-buffering", "no"),
        ] {
            assert_eq!(response.headers()[name], value);
        }
        Self { body: response.into_body(), text: String::new() }
    }

    /// The next event; `None` at the end of the stream.
    async fn next(&mut self) -> Option<Event> {
        loop {
            while let Some((block, rest)) = self.text.split_once("\n\n") {
                let fields: Vec<(String, String)> = block
                    .lines()
                    .filter_map(|line| line.split_once(": "))
                    .map(|(name, value)| (name.to_owned(), value.to_owned()))
                    .collect();
                self.text = rest.to_owned();
                let of = |name: &str| {
                    fields.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone())
                };
                if let Some(name) = of("event") {
                    let data = serde_json::from_str(&of("data").unwrap()).unwrap();
                    return Some(Event { id: of("id"), name, data });
                }
            }
            let frame = tokio::time::timeout(PATIENCE, self.body.frame()).await.expect("it goes on or ends");
            self.text.push_str(std::str::from_utf8(&frame?.unwrap().into_data().unwrap()).unwrap());
        }
    }

    /// The next event that is as wanted.
    async fn until(&mut self, wanted: impl Fn(&Event) -> bool) -> Event {
        loop {
            let event = self.next().await.expect("it comes before the end");
            if wanted(&event) {
                return event;
            }
        }
    }

    /// Everything up to the end of the stream, but for progress, of which only the newest comes.
    async fn all(mut self) -> Vec<Event> {
        let mut all = Vec::new();
        while let Some(event) = self.next().await {
            if event.name != "progress" {
                all.push(event);
            }
        }
        all
    }
}

fn is_state(event: &Event, to: &str) -> bool {
    event.name == "state" && event.data["to"] == to
}

fn ids(events: &[Event]) -> Vec<&str> {
    events.iter().map(|event| event.id.as_deref().unwrap()).collect()
}

/// A sync of a file that has ended, and the path of its events.
async fn an_ended_sync(app: &TestApp) -> (Value, String) {
    let connector =
        app.connector(json!({"name": "c", "type": "files", "config": {"path": "people.jsonl"}})).await;
    let sync = app.sync(&connector).await;
    let path = format!("{connector}/sync/{}/events", sync["id"].as_str().unwrap());
    (sync, path)
}

fn with_people() -> Setup {
    Setup { files: vec![("people.jsonl", "{\"id\":1}\n{\"id\":2}\noops\n")], ..Setup::default() }
}

/// A sync of a source that hangs, and the path of its events.
async fn a_held_sync(app: &TestApp) -> (String, String) {
    let connector = app.connector(json!({"name": "held", "type": "held"})).await;
    let sync = app.post(&format!("{connector}/sync"), json!({})).await.location().to_owned();
    (connector, format!("{sync}/events"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sync_that_has_ended_tells_its_history_and_its_end() {
    let app = TestApp::with(with_people()).await;
    let (sync, path) = an_ended_sync(&app).await;
    let events = Listening::to(&app, &path).await.all().await;
    let states: Vec<&Value> =
        events.iter().filter(|event| event.name == "state").map(|event| &event.data["to"]).collect();
    assert_eq!(states, ["queued", "running", "succeeded"]);
    let codes: Vec<&Value> =
        events.iter().filter(|event| event.name == "log").map(|event| &event.data["code"]).collect();
    assert_eq!(
        codes,
        [
            "sync.begun",
            "stream.begun",
            "stream.listing_begun",
            "schema.learned",
            "stream.complete",
            "sync.succeeded"
        ]
    );
    let end = events.last().unwrap();
    assert_eq!((end.name.as_str(), &end.data["counts"]), ("end", &sync["counts"]));
    assert_eq!(end.data["counts"]["rejected"], 1);
    assert_eq!(end.id.as_deref(), Some("m3.l6.end"));
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_comes_back_gets_exactly_what_is_behind_also_from_another_server() {
    let app = TestApp::with(with_people()).await;
    let (_, path) = an_ended_sync(&app).await;
    let whole = Listening::to(&app, &path).await.all().await;
    let app = TestApp::over(app.closed().await, Setup::default()).await;
    for (place, event) in whole.iter().enumerate() {
        let id = event.id.as_deref().unwrap();
        if event.name == "end" {
            let nothing = app.send(with(request(Method::GET, &path, ""), "last-event-id", id)).await;
            assert_eq!((nothing.status, nothing.body.len()), (StatusCode::NO_CONTENT, 0));
            continue;
        }
        let rest = Listening::behind(&app, &path, Some(id)).await.all().await;
        assert_eq!(rest, whole[place + 1..], "behind {id}");
        let asked = format!("{path}?last_event_id={id}");
        assert_eq!(ids(&Listening::to(&app, &asked).await.all().await), ids(&whole[place + 1..]));
        // The header is what a client sends that was cut off; the address is still that of its first call.
        let stale = format!("{path}?last_event_id=m0.l0");
        assert_eq!(Listening::behind(&app, &stale, Some(id)).await.all().await, whole[place + 1..]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn all_who_watch_a_running_sync_are_told_each_step_until_it_ends() {
    let app = TestApp::new().await;
    let (connector, path) = a_held_sync(&app).await;
    let mut listeners = Vec::new();
    for _ in 0..3 {
        listeners.push(Listening::to(&app, &path).await);
    }
    for listening in &mut listeners {
        listening.until(|event| is_state(event, "running")).await;
        let progress = listening.until(|event| event.name == "progress").await;
        assert_eq!((&progress.id, &progress.data["counts"]["read"]), (&None, &json!(0)));
        assert!(progress.data["records_per_second"].is_null() || progress.data["records_per_second"] == 0);
    }
    app.post(&format!("{connector}/sync/cancel"), json!({})).await;
    for mut listening in listeners {
        listening.until(|event| is_state(event, "cancelling")).await;
        listening.until(|event| is_state(event, "cancelled")).await;
        let end = listening.until(|event| event.name == "end").await;
        assert_eq!(end.data["status"], "cancelled");
        assert_eq!(listening.next().await, None);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_progress_of_records_is_told_while_they_come() {
    let app = TestApp::new().await;
    let connector = app.connector(json!({"name": "c", "type": "external_source"})).await;
    app.post(&format!("{connector}/records?key_field=id"), json!([{"id": 1}, {"id": 2}])).await;
    let sync = app.post(&format!("{connector}/sync"), json!({})).await.location().to_owned();
    let events = Listening::to(&app, &format!("{sync}/events")).await.all().await;
    assert_eq!(events.last().unwrap().data["counts"]["created"], 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_queued_sync_is_told_as_such_and_its_end_without_a_beginning() {
    let app = TestApp::without_workers().await;
    let (connector, path) = a_held_sync(&app).await;
    let mut listening = Listening::to(&app, &path).await;
    let progress = listening.until(|event| event.name == "progress").await;
    assert_eq!((&progress.data["status"], &progress.data["attempt"]), (&json!("queued"), &json!(0)));
    app.post(&format!("{connector}/sync/cancel"), json!({})).await;
    assert_eq!(ids(&listening.all().await), ["m2.l0", "m2.l0.end"]);
}

/// Claims the one sync that is queued, as a worker of this server would.
async fn claimed(app: &TestApp) -> Claim {
    let lease = Lease { node: NodeId::new(app.now(), &SystemEntropy), until: app.now().plus(PATIENCE) };
    app.catalog.sync_claim(lease, &SyncLimits::default(), app.now()).await.unwrap().expect("one is queued")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_waiting_sync_is_told_with_the_time_at_which_it_goes_on() {
    let app = TestApp::without_workers().await;
    let (_, path) = a_held_sync(&app).await;
    let claim = claimed(&app).await;
    let resume_at = app.now().plus(Duration::from_secs(3_600));
    let failure = Failure {
        code: "source.rate_limited".to_owned(),
        message: "too many calls".to_owned(),
        hint: None,
        retryable: true,
    };
    let wait = Wait { resume_at, failure, progressed: false, run: None };
    app.catalog.sync_wait(claim.sync.id, claim.fence, wait, app.now()).await.unwrap();
    let mut listening = Listening::to(&app, &path).await;
    let state = listening.until(|event| is_state(event, "waiting")).await;
    assert_eq!(state.data["code"], "source.rate_limited");
    let progress = listening.until(|event| event.name == "progress").await;
    assert_eq!(
        (&progress.data["status"], &progress.data["resume_at"]),
        (&json!("waiting"), &json!(resume_at))
    );
    assert_eq!(progress.data["waiting_for"]["code"], "source.rate_limited");
}

/// Gives a sync a log of so many lines beside its last, and ends it.
async fn tell_much(app: &TestApp, claim: &Claim, count: usize) {
    let store = app.stores.open(claim.sync.store_id).await.unwrap();
    let (sync_id, connector_id, fence) = (claim.sync.id, claim.sync.connector_id, claim.fence);
    let line = |text: String| NewLogLine::new(LogLevel::Info, "test.line", text);
    let new_run = NewRun {
        sync_id,
        connector_id,
        fence,
        attempt: 1,
        after_crash: false,
        streams: Vec::new(),
        lines: Vec::new(),
        now: app.now(),
    };
    store.begin_run(new_run).await.unwrap();
    for part in (1..=count).collect::<Vec<_>>().chunks(50) {
        let items =
            part.iter().map(|number| Item::Log(line(format!("{number} {}", "x".repeat(500))))).collect();
        let (cancel, now) = (CancelFlag::default(), app.now());
        store.commit(Commit { sync_id, connector_id, fence, cancel, now, items }).await.unwrap();
    }
    let (outcome, failure, lines) = (Outcome::Succeeded, None, vec![line("the end".to_owned())]);
    let (cancel, now) = (CancelFlag::default(), app.now());
    let finish = FinishRun { sync_id, connector_id, fence, outcome, failure, lines, cancel, now };
    let run = store.finish_run(finish).await.unwrap();
    app.catalog.sync_finish(&run).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_listener_misses_no_line_however_many_there_are() {
    let app = TestApp::without_workers().await;
    let (_, path) = a_held_sync(&app).await;
    let mut slow = Listening::to(&app, &path).await;
    slow.until(|event| is_state(event, "queued")).await;
    let claim = claimed(&app).await;
    tell_much(&app, &claim, 800).await;
    for listening in [slow, Listening::to(&app, &path).await] {
        let events = listening.all().await;
        let told: Vec<u64> = events
            .iter()
            .filter(|event| event.name == "log")
            .map(|event| event.data["seq"].as_u64().unwrap())
            .collect();
        assert!((1..=801).eq(told));
        assert_eq!(events.last().unwrap().name, "end");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_listener_too_many_is_sent_away_until_another_leaves() {
    let limits = Limits { listeners: 1, ..Limits::default() };
    let app = TestApp::with(Setup { limits, ..Setup::default() }).await;
    let (_, path) = a_held_sync(&app).await;
    let first = Listening::to(&app, &path).await;
    let refused = app.get(&path).await;
    assert_eq!(
        (refused.status, refused.code().as_str()),
        (StatusCode::SERVICE_UNAVAILABLE, "server.unavailable")
    );
    assert!(refused.header("retry-after").is_some());
    drop(first);
    Listening::to(&app, &path).await.until(|event| is_state(event, "queued")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_listener_whose_key_is_revoked_or_expires_hears_no_more() {
    for ends_by in ["revoked", "expired"] {
        let server = TwoSpaces::new().await;
        let expires_at = server.app.now().plus(Duration::from_secs(3_600));
        let key = json!({"name": "k", "role": "read", "space_id": "space-one", "expires_at": expires_at});
        let key = server.send(OPERATOR, Method::POST, "/v1/keys", Some(key)).await.json();
        let held = json!({"name": "held", "type": "held"});
        let all = server.one.connector();
        let all = all.rsplit_once('/').unwrap().0;
        let connector = server.send(OPERATOR, Method::POST, all, Some(held)).await.location().to_owned();
        let sync = server.send(OPERATOR, Method::POST, &format!("{connector}/sync"), None).await;
        let asked = request(Method::GET, &format!("{}/events", sync.location()), Body::empty());
        let asked = with(asked, "x-api-key", key["secret"].as_str().unwrap());
        let mut listening = Listening::opened(&server.app, asked).await;
        listening.until(|event| is_state(event, "queued")).await;
        if ends_by == "revoked" {
            let path = format!("/v1/keys/{}", key["id"].as_str().unwrap());
            server.send(OPERATOR, Method::DELETE, &path, None).await;
        } else {
            server.app.clock.advance(2 * 3_600 * 1_000_000);
        }
        assert!(listening.all().await.iter().all(|event| event.name != "end"), "{ends_by}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn listeners_leave_when_the_connector_is_deleted() {
    for gone in ["connector", "space"] {
        let app = TestApp::without_workers().await;
        let (connector, path) = a_held_sync(&app).await;
        let mut listening = Listening::to(&app, &path).await;
        listening.until(|event| event.name == "progress").await;
        let deleted = match gone {
            "connector" => app.delete(&connector).await,
            _ => app.delete("/v1/spaces/default?cascade=true").await,
        };
        assert_eq!(deleted.status, StatusCode::NO_CONTENT);
        while listening.next().await.is_some() {}
    }
}

#[tokio::test]
async fn what_is_no_place_is_refused_and_what_is_no_sync_not_found() {
    let app = TestApp::without_workers().await;
    let (connector, path) = a_held_sync(&app).await;
    let bad = app.get(&format!("{path}?last_event_id=17")).await;
    assert_eq!(bad.code(), "request.invalid_parameter");
    let bad = app.send(with(request(Method::GET, &path, ""), "last-event-id", "m1")).await;
    assert_eq!(bad.code(), "request.invalid_header");
    let nowhere = format!("{connector}/sync/{}/events", SyncId::from_u128(1));
    assert_eq!(app.get(&nowhere).await.code(), "sync.not_found");
}
