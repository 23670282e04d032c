//! `kill -9` at random moments of a slow sync.

use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::corpus::Corpus;
use super::{Draw, inspect, process, seeds};

/// How long the slowed sync takes, about.
const SLOWED_TO: Duration = Duration::from_secs(10);

#[test]
fn a_kill_at_any_moment_loses_and_doubles_nothing() {
    let (mut kills, mut landed_in_running) = (0, 0);
    for seed in seeds(3) {
        kills += 1;
        landed_in_running += u32::from(kill_once(seed));
    }
    println!("{landed_in_running} of {kills} kills landed in a running sync");
    assert!(
        landed_in_running * 5 >= kills * 4,
        "only {landed_in_running} of {kills} kills landed in a running sync"
    );
}

/// Kills one slowed sync, goes on, and checks; whether the kill landed in a running sync.
fn kill_once(seed: u64) -> bool {
    let mut draw = Draw(seed ^ 0xbeef);
    let folder = TempDir::new().unwrap();
    let data = folder.path().join("data");
    let mut corpus = Corpus::create(&folder.path().join("files"), 30, 60, &mut draw);
    process::run_well(&corpus.source(), &data);
    corpus.change(&mut draw);
    // About 90 messages: a listing, a batch and a complete for each file.
    let faults = "engine.batch@*=sleep:110";
    let mut child = process::start(&corpus.source(), &data, faults);
    let moment = Duration::from_millis(draw.below(u64::try_from(SLOWED_TO.as_millis()).unwrap() * 8 / 10));
    wait(&mut child, moment);
    child.kill().unwrap();
    child.wait().unwrap();
    let running = inspect::has_running_sync(&data);
    process::run_well(&corpus.source(), &data);
    inspect::assert_holds(&data, &corpus.expected(), &format!("seed {seed}: killed after {moment:?}"));
    running
}

/// Waits for the moment, or until the child has ended.
#[expect(clippy::disallowed_methods, reason = "a kill at a random moment needs the moment to pass")]
fn wait(child: &mut std::process::Child, moment: Duration) {
    let begun = Instant::now();
    while begun.elapsed() < moment && child.try_wait().unwrap().is_none() {
        std::thread::sleep(Duration::from_millis(5));
    }
}
