//! A kill while a large delete is asked about, approved, carried out or taken back.

use std::path::Path;
use std::process::Output;

use tempfile::TempDir;

use super::corpus::Corpus;
use super::{Draw, inspect, process};

/// The points that a sync passes from its question to its end.
const APPROVED: &[&str] = &[
    "engine.asked",
    "catalog.write.before",
    "catalog.write.after",
    "engine.claimed",
    "run.begin.before",
    "run.begin.after",
    "deletes.approve.before",
    "deletes.approve.after",
    "engine.approved",
    "sweep.before",
    "sweep.after",
    "engine.swept",
    "run.finish.before",
    "run.finish.after",
    "engine.finished",
];

/// The points that a discard passes.
const DISCARDED: &[&str] = &[
    "catalog.write.before",
    "catalog.write.after",
    "deletes.drop.before",
    "deletes.drop.after",
    "engine.discarded",
];

/// A directory of files that was synced, and of which most are gone since.
fn most_is_gone(folder: &TempDir) -> (Corpus, std::path::PathBuf) {
    let data = folder.path().join("data");
    let mut corpus = Corpus::create(&folder.path().join("files"), 6, 60, &mut Draw(1));
    process::run_well(&corpus.source(), &data);
    corpus.remove_files(4);
    (corpus, data)
}

fn approving(source: &str, data: &Path, faults: &str) -> Output {
    process::sync_command(source, data, faults).arg("--approve-deletes").output().unwrap()
}

#[test]
fn a_kill_around_an_approval_deletes_what_was_approved_and_no_more() {
    for point in APPROVED {
        for count in [1, 3] {
            let folder = TempDir::new().unwrap();
            let (corpus, data) = most_is_gone(&folder);
            let fault = format!("{point}@{count}=kill");
            approving(&corpus.source(), &data, &fault);
            let output = approving(&corpus.source(), &data, "");
            assert!(output.status.success(), "{fault}: {}", String::from_utf8_lossy(&output.stderr));
            inspect::assert_holds(&data, &corpus.expected(), &fault);
        }
    }
}

#[test]
fn a_kill_around_a_discard_keeps_everything_and_the_next_sync_asks_again() {
    for point in DISCARDED {
        let folder = TempDir::new().unwrap();
        let (corpus, data) = most_is_gone(&folder);
        let asked = asks(&corpus.source(), &data);
        let (connector, sync) = (asked.0.as_str(), asked.1.as_str());
        process::syncs_command(&["discard", connector, sync], &data, &format!("{point}@1=kill"))
            .output()
            .unwrap();
        // Whatever became of the discard: a sync asks, the old one or another, and no record is gone.
        asks(&corpus.source(), &data);
        assert!(approving(&corpus.source(), &data, "").status.success(), "{point}");
        inspect::assert_holds(&data, &corpus.expected(), point);
    }
}

/// Runs a sync, which asks about all that is gone; gives its connector and itself.
fn asks(source: &str, data: &Path) -> (String, String) {
    let output = process::run(source, data, "");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("would delete 240 of 360 records"), "{said}");
    process::newest_sync(data)
}
