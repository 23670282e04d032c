//! Looking at the database files of a data directory without changing them.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::data_dir::{CATALOG_FILE, COLLECTIONS_DIR};
use super::{catalog, collection};
use crate::StoreResult;

/// What is known of a database file after a look at it.
#[derive(Debug)]
pub struct FileReport {
    /// Where it is.
    pub path: PathBuf,
    /// Its format, or why it cannot be used.
    pub format: StoreResult<Format>,
}

/// The version of a file's format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Format {
    /// The version it has; 0 if nothing has been written yet.
    pub version: u32,
    /// The version that this program writes, to which an older file is brought when it is next opened.
    pub newest: u32,
}

/// Looks at the catalog and at every collection's file: that each can be opened, is ours, and of which version. The catalog's
/// pages are checked too. Reads only, also beside a process that works in the directory.
///
/// `Err` if the directory itself cannot be listed.
pub fn inspect(data_dir: &Path) -> io::Result<Vec<FileReport>> {
    let catalog = data_dir.join(CATALOG_FILE);
    let mut reports = vec![FileReport { format: catalog::inspect(&catalog), path: catalog }];
    let mut collections = Vec::new();
    for entry in fs::read_dir(data_dir.join(COLLECTIONS_DIR))? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "db") {
            collections.push(path);
        }
    }
    collections.sort();
    reports
        .extend(collections.into_iter().map(|path| FileReport { format: collection::inspect(&path), path }));
    Ok(reports)
}
