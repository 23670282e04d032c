//! The files that are synced, and what a collection must hold after them.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use super::Draw;

/// A directory of JSON Lines files, one stream by a glob, keyed by `id`.
#[derive(Debug)]
pub(super) struct Corpus {
    folder: PathBuf,
    /// File name → id → record.
    files: BTreeMap<String, BTreeMap<u64, String>>,
}

impl Corpus {
    /// `files` files of `records` records each.
    pub(super) fn create(folder: &Path, files: u64, records: u64, draw: &mut Draw) -> Self {
        std::fs::create_dir_all(folder).unwrap();
        let mut corpus = Self { folder: folder.to_owned(), files: BTreeMap::new() };
        for file in 0..files {
            let ids = file * 1_000_000..file * 1_000_000 + records;
            corpus.files.insert(name(file), ids.map(|id| (id, record(id, draw))).collect());
        }
        corpus.write();
        corpus
    }

    /// Changes, adds and removes records in most files, removes one file, adds another, and moves records between some.
    pub(super) fn change(&mut self, draw: &mut Draw) {
        let removed = name(draw.below(self.files.len() as u64));
        let left = self.files.remove(&removed).unwrap();
        std::fs::remove_file(self.folder.join(removed)).unwrap();
        for records in self.files.values_mut() {
            match draw.below(4) {
                0 => continue,
                _ => change_some(records, draw),
            }
        }
        let added = 500 + draw.below(100);
        let ids = added * 1_000_000..added * 1_000_000 + 50;
        self.files.insert(name(added), ids.map(|id| (id, record(id, draw))).collect());
        self.move_some(left, draw);
        self.write();
    }

    /// Gives every record other content, but for those of the first file, which is removed.
    pub(super) fn spoil(&mut self, draw: &mut Draw) {
        self.remove_files(1);
        for (id, kept) in self.files.values_mut().flatten() {
            *kept = record(*id, draw);
        }
        self.write();
    }

    /// Removes the first files, so many of them.
    pub(super) fn remove_files(&mut self, count: usize) {
        for _ in 0..count {
            let (removed, _) = self.files.pop_first().unwrap();
            std::fs::remove_file(self.folder.join(removed)).unwrap();
        }
    }

    /// Moves records to a file that is read earlier or later: some between two files, and some of the removed file's.
    fn move_some(&mut self, left: BTreeMap<u64, String>, draw: &mut Draw) {
        let names: Vec<String> = self.files.keys().cloned().collect();
        let mut drawn = || names[usize::try_from(draw.below(names.len() as u64)).unwrap()].clone();
        let (one, other, heir) = (drawn(), drawn(), drawn());
        let (ones, others) = (self.take_some(&one), self.take_some(&other));
        self.files.get_mut(&other).unwrap().extend(ones);
        self.files.get_mut(&one).unwrap().extend(others);
        self.files.get_mut(&heir).unwrap().extend(left.into_iter().step_by(5));
    }

    fn take_some(&mut self, file: &str) -> BTreeMap<u64, String> {
        let records = self.files.get_mut(file).unwrap();
        let ids: Vec<u64> = records.keys().copied().step_by(7).collect();
        ids.into_iter().filter_map(|id| records.remove_entry(&id)).collect()
    }

    /// The glob that matches all files.
    pub(super) fn source(&self) -> String {
        self.folder.join("part-*.jsonl").display().to_string()
    }

    /// What the collection must hold: key → canonical JSON.
    pub(super) fn expected(&self) -> BTreeMap<String, String> {
        let records = self.files.values().flatten();
        records.map(|(id, record)| (id.to_string(), record.clone())).collect()
    }

    fn write(&self) {
        for (name, records) in &self.files {
            let mut text = String::new();
            for record in records.values() {
                writeln!(text, "{record}").unwrap();
            }
            let path = self.folder.join(name);
            // What has not changed is not even touched, so that it is found unchanged.
            if std::fs::read_to_string(&path).ok().as_ref() != Some(&text) {
                std::fs::write(path, text).unwrap();
            }
        }
    }
}

fn name(file: u64) -> String {
    format!("part-{file:03}.jsonl")
}

/// A record in canonical form.
fn record(id: u64, draw: &mut Draw) -> String {
    let filler = "x".repeat(usize::try_from(draw.below(120)).unwrap());
    format!(r#"{{"id":{id},"note":"{filler}","value":{}}}"#, draw.next())
}

fn change_some(records: &mut BTreeMap<u64, String>, draw: &mut Draw) {
    let ids: Vec<u64> = records.keys().copied().collect();
    for id in ids {
        match draw.below(10) {
            0 => drop(records.remove(&id)),
            1..=3 => drop(records.insert(id, record(id, draw))),
            _ => {}
        }
    }
    let next = records.keys().next_back().map_or(0, |last| last + 1);
    for id in next..next + draw.below(40) {
        records.insert(id, record(id, draw));
    }
}
