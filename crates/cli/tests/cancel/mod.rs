//! Every source, hanging at every place: the cancel is acknowledged at once, the sync ends within a second, nothing of it is
//! written after that, and the next sync goes on from its checkpoint.
//!
//! What a second is to a test on a busy machine is said generously here. `INLET_TEST_CANCEL_TIMES` names a file that gets a line for
//! each cancel, with the milliseconds it took; `bench/cancel` makes a table of many.

mod hanging;
mod subjects;

use std::io::Write as _;
use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::{Value, json};

use super::harness::{Calls, Home, Server};
use hanging::Faults;
use subjects::{Subject, all_subjects};

/// Where a sync hangs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Before anything was read.
    Connect,
    /// Between two batches, with some committed.
    Read,
    /// In a commit, behind others.
    Commit,
}

/// The promise is 50 milliseconds.
const ACKNOWLEDGED: Duration = Duration::from_secs(1);
/// The promise is one second.
const CANCELLED: Duration = Duration::from_secs(5);

const COLLECTION: &str = "/v1/spaces/default/collections/default";

#[test]
fn a_source_that_hangs_when_it_is_connected_to_is_cancelled() {
    everywhere(Place::Connect);
}

#[test]
fn a_source_that_hangs_while_it_is_read_is_cancelled() {
    everywhere(Place::Read);
}

#[test]
fn a_commit_that_hangs_is_cancelled_and_leaves_nothing() {
    everywhere(Place::Commit);
}

#[test]
fn there_is_a_subject_for_every_type_of_connector() {
    let home = Home::new();
    let server = Server::start(&home, "--auth none");
    let types = Calls::to(server.url()).get("/v1/connector-types");
    let types = types["data"].as_array().unwrap();
    let mut types: Vec<&str> = types.iter().map(|kind| kind["type"].as_str().unwrap()).collect();
    let subjects = all_subjects(Place::Connect);
    let mut covered: Vec<&str> = subjects.iter().map(|subject| subject.kind()).collect();
    types.sort_unstable();
    covered.sort_unstable();
    covered.dedup();
    assert_eq!(types, covered);
}

fn everywhere(place: Place) {
    for mut subject in all_subjects(place) {
        let what = format!("{} at {place:?}", subject.name());
        let took = Stage::set(&mut *subject, &what).cancel(&mut *subject, place);
        note(subject.name(), place, took);
    }
}

/// A server with one connector, and something that is about to hang.
struct Stage<'a> {
    what: &'a str,
    home: Home,
    server: Server,
    calls: Calls,
    connector: String,
    faults: Faults,
}

impl<'a> Stage<'a> {
    fn set(subject: &mut dyn Subject, what: &'a str) -> Self {
        let home = Home::new();
        subject.prepare(&home);
        let calm = start(&home, &Faults::none(&home));
        let calls = Calls::to(calm.url());
        let created = calls.post(&format!("{COLLECTION}/connectors"), &subject.connector());
        let connector = format!("{COLLECTION}/connectors/{}", created["id"].as_str().unwrap());
        subject.fill(&calls, &connector);
        calm.stop();
        let faults = Faults::new(&home, &subject.faults());
        let server = start(&home, &faults);
        Self { what, calls: Calls::to(server.url()), home, server, connector, faults }
    }

    /// Lets the sync hang, cancels it, heals what hangs, and syncs again; gives how long it took until the cancel was
    /// acknowledged, and until the sync was cancelled.
    fn cancel(self, subject: &mut dyn Subject, place: Place) -> [Duration; 2] {
        let what = self.what;
        subject.break_before();
        let sync = self.trigger();
        if place != Place::Connect {
            self.calls.until(&sync, |sync| sync["counts"]["created"] != json!(0));
            subject.break_midway();
        }
        subject.wait_until_it_hangs(&self.faults, &self.calls, &sync);
        let asked = Instant::now();
        let answer = self.calls.call(Method::POST, &format!("{sync}/cancel"), None).unwrap();
        let acknowledged = asked.elapsed();
        assert_eq!((answer.0, &answer.1["status"]), (202, &json!("cancelling")), "{what}: {}", answer.1);
        let cancelled = self.calls.until(&sync, |sync| sync["finished_at"].is_string());
        let ended = asked.elapsed();
        assert_eq!(cancelled["status"], "cancelled", "{what}: {cancelled}");
        assert!(acknowledged < ACKNOWLEDGED && ended < CANCELLED, "{what}: {acknowledged:?}, {ended:?}");
        let last_change = self.calls.get(COLLECTION)["last_change"].as_u64().unwrap();
        subject.heal();
        self.go_on(subject, place, &cancelled, last_change);
        [acknowledged, ended]
    }

    /// The next sync goes on from the checkpoint; nothing of the cancelled one came after `last_change`.
    fn go_on(self, subject: &dyn Subject, place: Place, cancelled: &Value, last_change: u64) {
        let what = self.what;
        let next = self.calls.until(&self.trigger(), |sync| sync["finished_at"].is_string());
        assert_eq!(next["status"], "succeeded", "{what}: {next}");
        let (read, all) = (next["counts"]["read"].as_u64().unwrap(), subject.rows_to_read());
        match place {
            Place::Connect => assert!(read >= all, "{what}: {next}"),
            Place::Read | Place::Commit if subject.goes_on_midway() => {
                assert!(read < all, "{what}: all is read again: {next}");
            }
            Place::Read | Place::Commit => assert_ne!(next["counts"]["unchanged"], 0, "{what}: {next}"),
        }
        self.faults.wait_until_over();
        let changes = changes_behind(&self.calls, last_change);
        let late = changes.iter().find(|change| change["sync_id"] == cancelled["id"]);
        assert_eq!(late, None, "{what}: it wrote after it was cancelled");
        let exported = self.home.inlet_well("export default");
        let mut held: Vec<(u64, String)> = exported.lines().map(|line| subject.row(line)).collect();
        held.sort();
        assert!(held == subject.rows(), "{what}: the collection equals its source");
        let ran = self.server.stop();
        assert_eq!(ran.code, Some(0), "{what}: {ran}");
    }

    fn trigger(&self) -> String {
        let sync = self.calls.post(&format!("{}/sync", self.connector), &json!({}));
        format!("{}/sync/{}", self.connector, sync["id"].as_str().unwrap())
    }
}

fn start(home: &Home, faults: &Faults) -> Server {
    let line = "serve --listen 127.0.0.1:0 --auth none --files-root .";
    let mut command = home.command(line.split(' '));
    faults.apply_to(&mut command);
    Server::of(command)
}

fn changes_behind(calls: &Calls, last_change: u64) -> Vec<Value> {
    let (mut changes, mut cursor) = (Vec::new(), "0".to_owned());
    loop {
        let page = calls.get(&format!("{COLLECTION}/changes?limit=1000&cursor={cursor}"));
        let more = page["data"].as_array().unwrap();
        if more.is_empty() {
            return changes;
        }
        let is_behind = |change: &&Value| change["change"].as_u64().unwrap() > last_change;
        changes.extend(more.iter().filter(is_behind).cloned());
        page["next_cursor"].as_str().unwrap().clone_into(&mut cursor);
    }
}

fn note(name: &str, place: Place, took: [Duration; 2]) {
    let Some(path) = std::env::var_os("INLET_TEST_CANCEL_TIMES") else { return };
    let [acknowledged, ended] = took.map(|took| took.as_secs_f64() * 1000.0);
    let line = format!("{name},{place:?},{acknowledged:.1},{ended:.1}\n");
    let file = std::fs::OpenOptions::new().append(true).create(true).open(path);
    file.unwrap().write_all(line.as_bytes()).unwrap();
}
