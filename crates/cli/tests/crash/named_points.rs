//! A kill at every named point: before and after each commit and each move of state.

use tempfile::TempDir;

use super::corpus::Corpus;
use super::{Draw, inspect, process, seeds};
use inlet_store::fault::POINTS;

/// Points that a sync of files passes. The others are of pushes, purges, secrets, upkeep, undos, schedules, webhooks and moves to another
/// backend, which have their own tests.
fn points() -> impl Iterator<Item = &'static str> {
    let elsewhere = |point: &str| {
        let parts = ["push.", "secrets.", "upkeep.", "undo.", "webhook.", "engine.scheduled", "transfer."];
        parts.iter().any(|part| point.starts_with(part)) || point.contains("purge")
    };
    POINTS.iter().copied().filter(move |point| !elsewhere(point))
}

#[test]
fn a_kill_at_any_named_point_loses_and_doubles_nothing() {
    for seed in seeds(2) {
        for point in points() {
            // The first time a point is passed, and a drawn later one.
            let mut draw = Draw(seed);
            let later = 2 + draw.below(12);
            for count in [1, later] {
                kill_and_go_on(seed, &format!("{point}@{count}=kill"));
            }
        }
    }
}

#[test]
fn two_kills_in_a_row_lose_and_double_nothing() {
    let points: Vec<_> = points().collect();
    for seed in seeds(10) {
        let mut draw = Draw(seed ^ 0xdead);
        let mut fault = || {
            let point = points[usize::try_from(draw.below(points.len() as u64)).unwrap()];
            format!("{point}@{}=kill", 1 + draw.below(6))
        };
        let (first, second) = (fault(), fault());
        let folder = TempDir::new().unwrap();
        let (corpus, data) = synced_then_changed(&folder, seed);
        process::run(&corpus.source(), &data, &first);
        process::run(&corpus.source(), &data, &second);
        process::run_well(&corpus.source(), &data);
        inspect::assert_holds(&data, &corpus.expected(), &format!("seed {seed}: {first}, {second}"));
    }
}

fn kill_and_go_on(seed: u64, fault: &str) {
    let folder = TempDir::new().unwrap();
    let (corpus, data) = synced_then_changed(&folder, seed);
    process::run(&corpus.source(), &data, fault);
    process::run_well(&corpus.source(), &data);
    inspect::assert_holds(&data, &corpus.expected(), &format!("seed {seed}: {fault}"));
}

fn synced_then_changed(folder: &TempDir, seed: u64) -> (Corpus, std::path::PathBuf) {
    let mut draw = Draw(seed);
    let data = folder.path().join("data");
    let mut corpus = Corpus::create(&folder.path().join("files"), 6, 120, &mut draw);
    process::run_well(&corpus.source(), &data);
    corpus.change(&mut draw);
    (corpus, data)
}
