//! The demo's directory: made afresh each time, and never somebody else's.

use std::io;
use std::path::{Path, PathBuf};

use inlet_store::sqlite::DataDir;

use super::samples::SAMPLES;
use crate::errors::CommandError;
use crate::node::{self, Ownership};

/// Says that a demo made the directory and may empty it.
const MARK: &str = "made-by-inlet-demo";
const MARK_TEXT: &str = "`inlet demo` made this directory and empties it each time it starts.\n";
/// Where the sample files lie.
const FILES: &str = "files";

/// A fresh directory.
#[derive(Debug)]
pub(super) struct Folder {
    /// The data directory in it.
    pub(super) dir: DataDir,
    /// The sample files, as an absolute path.
    pub(super) files: PathBuf,
}

/// Makes the directory, or empties that of an earlier demo, and writes the sample files into it.
pub(super) fn prepare(path: &Path) -> Result<Folder, CommandError> {
    let unusable = |error: io::Error| {
        let message = format!("the demo's directory `{}` cannot be made", path.display());
        CommandError::from(CommandError::failure("demo.directory", message).because(error))
    };
    if !may_be_emptied(path).map_err(unusable)? {
        let message = format!("`{}` holds something else than a demo", path.display());
        let complaint = CommandError::input("input.data_dir", message);
        return Err(complaint.hint("say another directory with --data-dir").into());
    }
    std::fs::create_dir_all(path).map_err(unusable)?;
    std::fs::write(path.join(MARK), MARK_TEXT).map_err(unusable)?;
    let dir = match node::take(path)? {
        Ownership::Ours(dir) => dir,
        Ownership::Server(server) => {
            return Err(CommandError::failure("data_dir.in_use", "a demo is running already")
                .hint(format!("it is process {} and listens on {}", server.pid, server.address))
                .into());
        }
        Ownership::Somebody => return Err(node::in_use(path).hint("wait until it has ended").into()),
    };
    empty(&dir).map_err(unusable)?;
    let files = path.canonicalize().map_err(unusable)?.join(FILES);
    std::fs::create_dir_all(&files).map_err(unusable)?;
    SAMPLES.iter().try_for_each(|sample| sample.write(&files)).map_err(unusable)?;
    Ok(Folder { dir, files })
}

/// Whether nothing is there that a demo did not make.
fn may_be_emptied(path: &Path) -> io::Result<bool> {
    match std::fs::read_dir(path) {
        Ok(mut entries) => Ok(path.join(MARK).is_file() || entries.next().is_none()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(true),
        Err(error) => Err(error),
    }
}

/// Removes what an earlier demo left, but not the lock, which is ours.
fn empty(dir: &DataDir) -> io::Result<()> {
    let catalog = dir.catalog_path();
    for ending in ["", "-wal", "-shm"] {
        let mut file = catalog.clone().into_os_string();
        file.push(ending);
        unless_absent(std::fs::remove_file(file))?;
    }
    for entry in std::fs::read_dir(dir.collections_dir())? {
        std::fs::remove_file(entry?.path())?;
    }
    unless_absent(std::fs::remove_dir_all(dir.path().join(FILES)))
}

fn unless_absent(removed: io::Result<()>) -> io::Result<()> {
    match removed {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_earlier_demo_is_emptied_and_nothing_else() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("demo");
        let folder = prepare(&path).unwrap();
        std::fs::write(folder.files.join("more.csv"), "a\n1\n").unwrap();
        std::fs::write(folder.dir.collections_dir().join("sto_1.db"), "x").unwrap();
        drop(folder);
        let again = prepare(&path).unwrap();
        assert!(!again.files.join("more.csv").exists());
        assert_eq!(std::fs::read_dir(again.dir.collections_dir()).unwrap().count(), 0);

        let mine = directory.path().join("mine");
        std::fs::create_dir(&mine).unwrap();
        std::fs::write(mine.join("thesis.txt"), "years of work").unwrap();
        assert!(prepare(&mine).is_err());
        assert_eq!(std::fs::read_dir(&mine).unwrap().count(), 1, "it was not even looked into");
    }
}
