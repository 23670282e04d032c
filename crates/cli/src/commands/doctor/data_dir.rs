//! The data directory: is it there, is it ours alone, is there room, and are the databases sound?

use std::fs;
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use inlet_store::sqlite::{FileReport, inspect};

use super::Finding;
use crate::node;
use crate::output::numbers;

/// With less room than this a sync may fail at any moment …
const TOO_LITTLE: u64 = 100_000_000;
/// … and with less than this soon.
const LITTLE: u64 = 1_000_000_000;

/// Files looked at for their permissions; a directory with more of them has most likely one fault for all.
const MOST_FILES: usize = 10_000;

/// Looks at the directory and all in it.
pub(super) fn examine(path: &Path) -> Vec<Finding> {
    let shown = path.display();
    let metadata = match fs::metadata(path) {
        Ok(metadata) if metadata.is_dir() => metadata,
        Ok(_) => {
            let hint = "say another one with --data-dir";
            return vec![Finding::wrong("directory", format!("{shown} is not a directory"), hint)];
        }
        Err(error) => {
            let hint = "say where it is with --data-dir; `inlet serve` and `inlet sync` make one";
            return vec![Finding::wrong("directory", format!("{shown} cannot be opened: {error}"), hint)];
        }
    };
    vec![directory(path), permissions(path, &metadata), disk(path), databases(path)]
        .into_iter()
        .flatten()
        .collect()
}

fn directory(path: &Path) -> Vec<Finding> {
    let shown = path.display();
    let access = rustix::fs::Access::READ_OK | rustix::fs::Access::WRITE_OK | rustix::fs::Access::EXEC_OK;
    let finding = match rustix::fs::access(path, access) {
        Err(error) => Finding::wrong(
            "directory",
            format!("{shown} cannot be written to: {}", io::Error::from(error)),
            "run inlet as the user who owns the directory",
        ),
        Ok(()) if !node::is_data_dir(path) => Finding::wrong(
            "directory",
            format!("{shown} holds no catalog.db"),
            "say where the data are with --data-dir; `inlet serve` and `inlet sync` make a new data directory",
        ),
        Ok(()) => Finding::good("directory", format!("{shown} is a data directory")),
    };
    vec![finding]
}

/// What holds data and keys is for its owner's eyes only.
fn permissions(path: &Path, metadata: &fs::Metadata) -> Vec<Finding> {
    let mut open = Vec::new();
    if is_open(metadata) {
        open.push(path.to_owned());
    }
    let (files, unseen) = files(path);
    open.extend(files.into_iter().filter(|(_, metadata)| is_open(metadata)).map(|(path, _)| path));
    if let Some((path, error)) = unseen {
        let hint = "run inlet as the user who owns the directory";
        return vec![Finding::wrong(
            "permissions",
            format!("{} cannot be looked at: {error}", path.display()),
            hint,
        )];
    }
    let finding = match open.as_slice() {
        [] => Finding::good("permissions", "others can read nothing"),
        [first, rest @ ..] => {
            let others = if rest.is_empty() { String::new() } else { format!(", and {} more", rest.len()) };
            Finding::wrong(
                "permissions",
                format!("others can read {}{others}", first.display()),
                format!("chmod -R go= '{}'", path.display()),
            )
        }
    };
    vec![finding]
}

fn is_open(metadata: &fs::Metadata) -> bool {
    metadata.permissions().mode() & 0o077 != 0
}

type Unseen = Option<(PathBuf, io::Error)>;

/// The files and folders in a data directory; and the first that could not be looked at.
fn files(path: &Path) -> (Vec<(PathBuf, fs::Metadata)>, Unseen) {
    let (mut found, mut folders) = (Vec::new(), vec![path.to_owned()]);
    while let Some(folder) = folders.pop() {
        let entries = match fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(error) => return (found, Some((folder, error))),
        };
        for entry in entries.flatten() {
            match entry.metadata() {
                Ok(metadata) => {
                    if metadata.is_dir() {
                        folders.push(entry.path());
                    }
                    found.push((entry.path(), metadata));
                }
                // A file of a server that is at work may go in the meantime.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return (found, Some((entry.path(), error))),
            }
            if found.len() >= MOST_FILES {
                return (found, None);
            }
        }
    }
    (found, None)
}

/// When anything in the directory was last written, in seconds since 1970.
pub(super) fn last_written(path: &Path) -> Option<i64> {
    files(path).0.iter().map(|(_, metadata)| metadata.mtime()).max()
}

fn disk(path: &Path) -> Vec<Finding> {
    let free = match rustix::fs::statvfs(path) {
        Ok(disk) => disk.f_bavail.saturating_mul(disk.f_frsize),
        Err(error) => {
            let detail = format!("the disk cannot be asked for its room: {}", io::Error::from(error));
            return vec![Finding::warning("disk", detail, "look with `df`")];
        }
    };
    vec![room(free)]
}

fn room(free: u64) -> Finding {
    let detail = format!("{} free", numbers::bytes(free));
    match free {
        ..TOO_LITTLE => Finding::wrong(
            "disk",
            detail,
            "make room, or move the data directory to a larger disk: syncs fail when it is full",
        ),
        TOO_LITTLE..LITTLE => Finding::warning("disk", detail, "make room soon"),
        _ => Finding::good("disk", detail),
    }
}

fn databases(path: &Path) -> Vec<Finding> {
    if !node::is_data_dir(path) {
        return Vec::new();
    }
    match inspect(path) {
        Err(error) => {
            let detail = format!("the collections cannot be listed: {error}");
            vec![Finding::wrong("databases", detail, "check the permissions of the folder `collections`")]
        }
        Ok(reports) => of_databases(&reports),
    }
}

fn of_databases(reports: &[FileReport]) -> Vec<Finding> {
    let formats = || reports.iter().filter_map(|report| report.format.as_ref().ok());
    let (sound, older) =
        (formats().count(), formats().filter(|format| format.version < format.newest).count());
    let detail =
        format!("{} can be read", numbers::counted(u64::try_from(sound).unwrap_or(u64::MAX), "database"));
    let note = if older > 0 {
        format!("; {older} of an older format, which the next start brings up to date")
    } else {
        String::new()
    };
    let sound = Finding::good("databases", format!("{detail}{note}"));
    std::iter::once(sound).chain(reports.iter().filter_map(broken)).collect()
}

fn broken(report: &FileReport) -> Option<Finding> {
    use inlet_store::StoreErrorKind;
    let error = report.format.as_ref().err()?;
    let mut detail = format!("{}: {error}", report.path.display());
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        detail.push_str(&format!(": {error}"));
        cause = error.source();
    }
    let hint = match error.kind() {
        StoreErrorKind::NewerFormat => "use the newer inlet that wrote it",
        StoreErrorKind::Unfinished => "give the command again that moves data here: it goes on where it was",
        StoreErrorKind::Damaged => {
            "put the file back from a backup; a lost collection can be synced again from its sources"
        }
        _ => "check the file's permissions and the disk, and try again",
    };
    Some(Finding::wrong("databases", detail, hint))
}

#[cfg(test)]
mod tests {
    use super::super::Verdict;
    use super::*;

    #[test]
    fn a_full_disk_is_wrong_and_a_nearly_full_one_is_a_warning() {
        assert_eq!(room(TOO_LITTLE - 1).status, Verdict::Wrong);
        assert_eq!(room(TOO_LITTLE).status, Verdict::Warning);
        assert_eq!(room(LITTLE).status, Verdict::Good);
    }
}
