//! A kill anywhere in a revert of many records: it goes on where it was, and the collection is as it was before the sync.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::corpus::Corpus;
use super::{Draw, inspect, process};

/// So many records that it takes several steps to collect what a sync did to them, and several to take it back.
const FILES: u64 = 6;
const RECORDS: u64 = 1_700;

/// A data directory whose newest sync spoilt every record.
struct Spoilt {
    data: PathBuf,
    /// What was there before.
    before: BTreeMap<String, String>,
    connector: String,
    sync: String,
}

impl Spoilt {
    fn make(folder: &Path) -> Self {
        let data = folder.join("data");
        let mut draw = Draw(1);
        let mut corpus = Corpus::create(&folder.join("files"), FILES, RECORDS, &mut draw);
        process::run_well(&corpus.source(), &data);
        let before = corpus.expected();
        corpus.spoil(&mut draw);
        process::run_well(&corpus.source(), &data);
        let (connector, sync) = process::newest_sync(&data);
        Self { data, before, connector, sync }
    }

    fn copy(&self, to: &Path) -> PathBuf {
        copy_folder(&self.data, to);
        to.to_owned()
    }

    /// Asks for the revert, with these faults; gives what the command said, and whether it went well.
    fn revert(&self, data: &Path, faults: &str) -> (bool, String) {
        let mut command = process::syncs_command(&["revert", &self.connector, &self.sync], data, faults);
        let output = command.output().unwrap();
        (output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned())
    }

    /// Asks again, in a new process; if the killed one had got so far that there is a revert, sees that to its end.
    fn go_on(&self, data: &Path, what: &str) {
        let (went_well, said) = self.revert(data, "");
        if went_well {
            return;
        }
        assert!(said.contains("revert.already_reverted"), "{what}: {said}");
        let followed = process::syncs_command(&["follow", &self.connector], data, "").output().unwrap();
        assert!(followed.status.success(), "{what}: {}", String::from_utf8_lossy(&followed.stderr));
    }
}

fn copy_folder(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_folder(&entry.path(), &to);
        } else {
            std::fs::copy(entry.path(), to).unwrap();
        }
    }
}

#[test]
fn a_kill_anywhere_in_a_revert_leaves_one_that_is_gone_on_with() {
    let folder = TempDir::new().unwrap();
    let spoilt = Spoilt::make(folder.path());
    let around = ["catalog.write.before", "catalog.write.after", "engine.claimed", "run.begin.before"];
    let behind = ["run.begin.after", "run.finish.before", "run.finish.after", "engine.finished"];
    let mut faults: Vec<String> = around.iter().chain(&behind).map(|point| format!("{point}@1")).collect();
    // Three steps look at the changes, and three take them back.
    for count in 1..=6 {
        faults.extend(["undo.before", "undo.after"].map(|point| format!("{point}@{count}")));
    }
    for fault in faults {
        let data = spoilt.copy(&folder.path().join(fault.replace('@', "-")));
        let (went_well, said) = spoilt.revert(&data, &format!("{fault}=kill"));
        assert!(!went_well, "{fault} was not passed: {said}");
        spoilt.go_on(&data, &fault);
        inspect::assert_holds(&data, &spoilt.before, &fault);
    }
}

#[test]
fn two_kills_in_one_revert_lose_and_double_nothing() {
    let folder = TempDir::new().unwrap();
    let spoilt = Spoilt::make(folder.path());
    for (first, second) in [("undo.after@2", "undo.before@2"), ("undo.before@6", "undo.after@1")] {
        let data = spoilt.copy(&folder.path().join(first.replace('@', "-")));
        assert!(!spoilt.revert(&data, &format!("{first}=kill")).0, "{first} was not passed");
        let follow = ["follow", spoilt.connector.as_str()];
        let killed = process::syncs_command(&follow, &data, &format!("{second}=kill")).output().unwrap();
        assert!(!killed.status.success(), "{second} was not passed");
        spoilt.go_on(&data, first);
        inspect::assert_holds(&data, &spoilt.before, &format!("{first}, {second}"));
    }
}
