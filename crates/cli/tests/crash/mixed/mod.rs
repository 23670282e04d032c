//! One real server, killed again and again over mixed syncs, while its API is used and a fifth of the calls of its sources fail.
//!
//! Files, SQLite and PostgreSQL databases change all the while; syncs are triggered, scheduled, cancelled, paused and approved;
//! records are pushed; a webhook is told. In the end nothing is wrong any more, and the collections equal their sources.
//!
//! `INLET_TEST_KILLS` says how many kills there are, 20 unless it does, and 1 when tests are to be quick. A run that fails names
//! its seed, and keeps its directory.

mod edits;
mod faults;
mod finale;
mod front;
mod load;
mod mirror;
mod pushing;
mod receiver;
mod sources;
mod way;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;

use self::faults::Drawn;
use self::front::Front;
use self::receiver::Receiver;
use self::sources::Sources;
use super::{Draw, seeds};
use crate::harness::{Calls, Home, Schema, Server};

/// A life that passes its drawn point late, or not at all, is ended at this age.
const LONGEST_LIFE: Duration = Duration::from_millis(3_000);
/// A life that ends at a drawn moment ends before this age.
const LATEST_MOMENT: u64 = 2_500;
/// Between two looks at whether a life has ended.
const PAUSE: Duration = Duration::from_millis(5);

/// What the connectors of these collections are.
const COLLECTIONS: [&str; 2] = ["one", "two"];

#[test]
fn a_server_that_is_killed_again_and_again_loses_and_doubles_nothing() {
    for seed in seeds(1) {
        let folder = TempDir::new().unwrap();
        let kept = folder.keep();
        println!("seed {seed}, in {}", kept.display());
        let mut story = Story::begin(Home::at(&kept), seed);
        println!("{}", story.kill(kills()));
        println!("{}", story.end());
        if let Some(schema) = Schema::of(&kept) {
            schema.drop();
        }
        std::fs::remove_dir_all(kept).unwrap();
    }
}

fn kills() -> u64 {
    let wanted = std::env::var("INLET_TEST_KILLS").ok();
    let usual = if std::env::var_os("INLET_TEST_QUICK").is_some() { 1 } else { 20 };
    wanted.map_or(usual, |kills| kills.parse().expect("a number of kills"))
}

/// The server's many lives.
struct Story {
    seed: u64,
    home: Home,
    draw: Draw,
    sources: Sources,
    receiver: Arc<Receiver>,
    front: Arc<Front>,
    load: load::Load,
    deck: faults::Deck,
    /// How often each fault ended a life; `""` for a kill at a moment.
    ended_by: BTreeMap<String, u64>,
}

impl Story {
    /// Makes the sources, the connectors and the webhook, and lets the load begin.
    fn begin(home: Home, seed: u64) -> Self {
        let mut draw = Draw(seed ^ 0x00c0_ffee);
        let sources = Sources::make(&home, &mut draw);
        let receiver = Receiver::start();
        let server = start(&home, &Drawn::none(), seed);
        let calls = Calls::to(server.url());
        for collection in COLLECTIONS {
            calls.post("/v1/spaces/default/collections", &json!({"name": collection, "id": collection}));
        }
        let connectors = sources.connect(&calls);
        let target = json!({"name": "all", "url": receiver.url()});
        let webhook = calls.post("/v1/spaces/default/webhooks", &target);
        receiver.verifies_by(webhook["secret"].as_str().unwrap());
        let front = Arc::new(Front::new(connectors, webhook["id"].as_str().unwrap()));
        front.is_at(Some(server.url()));
        let load = load::Load::begin(&front, seed);
        front.is_at(None);
        drop(server);
        let (deck, ended_by) = (faults::Deck::default(), BTreeMap::new());
        Self { seed, home, draw, sources, receiver, front, load, deck, ended_by }
    }

    /// Lives and kills, so many times; gives what happened, in words.
    fn kill(&mut self, kills: u64) -> String {
        for life in 0..kills {
            self.sources.change(&mut self.draw);
            let drawn = self.deck.draw(&mut self.draw);
            let ended_by = self.live(&drawn, life);
            *self.ended_by.entry(ended_by).or_default() += 1;
            self.front.assert_nothing_wrong(&format!("seed {}, life {life}", self.seed));
        }
        format!("{kills} kills, by: {:?}\nmeanwhile {}", self.ended_by, self.front.calls_in_words())
    }

    /// One life; gives the name of the fault that ended it.
    fn live(&mut self, drawn: &Drawn, life: u64) -> String {
        let seed = self.seed.wrapping_mul(1_000) + life;
        let Ok(mut server) = Server::started(command(&self.home, drawn, seed)) else {
            return drawn.name().to_owned();
        };
        self.front.is_at(Some(server.url()));
        let limit = match drawn.name() {
            "" => Duration::from_millis(self.draw.below(LATEST_MOMENT)),
            _ => LONGEST_LIFE,
        };
        let (born, change_at) = (Instant::now(), Duration::from_millis(self.draw.below(1_500)));
        let mut changed = false;
        while born.elapsed() < limit && !server.has_ended() {
            if !changed && born.elapsed() >= change_at {
                self.sources.change(&mut self.draw);
                changed = true;
            }
            pause();
        }
        let by_itself = server.has_ended();
        self.front.is_at(None);
        drop(server);
        if by_itself { drawn.name().to_owned() } else { String::new() }
    }

    /// Nothing goes wrong any more; all comes to its end, and is compared. Gives what the webhook was told, in words.
    fn end(self) -> String {
        let what = format!("seed {}", self.seed);
        self.sources.heal();
        let server = start(&self.home, &Drawn::none(), self.seed);
        self.front.is_at(Some(server.url()));
        let done = self.load.end();
        let calls = Calls::to(server.url());
        finale::settle(&calls, &self.front, &what);
        let held = finale::records(&calls, &what);
        self.sources.assert_equal(&held, self.front.connectors(), &what);
        done.pushed.assert_equal(&held, self.front.pushed(), &what);
        let mirrored = done.mirrors.into_iter().flat_map(|mirror| mirror.caught_up(&calls, &what)).collect();
        finale::assert_same(&mirrored, &held, &what);
        let told = finale::assert_told(&calls, &self.front, &self.receiver, &what);
        self.front.assert_nothing_wrong(&what);
        let ran = server.stop();
        assert_eq!(ran.code, Some(0), "{what}: {ran}");
        finale::assert_sound(&self.home, &what);
        told
    }
}

/// The connectors by their names.
type Connectors = BTreeMap<String, Connector>;

/// A connector of the story.
#[derive(Debug, Clone)]
struct Connector {
    id: String,
    path: String,
}

fn connect(calls: &Calls, collection: &str, connector: &Value) -> Connector {
    let path = format!("/v1/spaces/default/collections/{collection}/connectors");
    let created = calls.post(&path, connector);
    let id = created["id"].as_str().unwrap().to_owned();
    Connector { path: format!("{path}/{id}"), id }
}

fn start(home: &Home, drawn: &Drawn, seed: u64) -> Server {
    Server::of(command(home, drawn, seed))
}

fn command(home: &Home, drawn: &Drawn, seed: u64) -> std::process::Command {
    let line = "serve --listen 127.0.0.1:0 --auth none --files-root .";
    let mut command = home.command(line.split(' '));
    command.env("INLET_FAULTS", drawn.faults()).env("INLET_FAULTS_SEED", seed.to_string());
    command.env("INLET_FAULTS_LOG", home.join("faults.log"));
    if let Some(schema) = Schema::of(home.path()) {
        schema.serves(&mut command);
    }
    command
}

#[expect(clippy::disallowed_methods, reason = "another process lives meanwhile")]
fn pause() {
    std::thread::sleep(PAUSE);
}
