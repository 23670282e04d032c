//! The directories under which local files may be read, and the only place that opens one.

use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Component, Path, PathBuf};

use inlet_model::fault;
use inlet_source::{ErrorKind, SourceError};
use rustix::fs::{FileType, Mode, OFlags};
use serde::{Deserialize, Serialize};

/// What tells whether a file is still the one that was read.
///
/// The device is not in it: its number changes when a file system is mounted again. The time of the last change of
/// the file's inode is: nobody can set it back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Fingerprint {
    pub(crate) size: u64,
    inode: String,
    modified: FileTime,
    changed: FileTime,
}

/// Seconds and nanoseconds since 1970 began, as text: JSON numbers lose digits on the way through a browser.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
struct FileTime(String);

impl FileTime {
    fn new(seconds: i64, nanoseconds: i64) -> Self {
        Self(format!("{seconds}.{nanoseconds:09}"))
    }

    fn seconds(&self) -> Option<i64> {
        self.0.split('.').next()?.parse().ok()
    }
}

impl Fingerprint {
    fn of(metadata: &std::fs::Metadata) -> Self {
        Self {
            size: metadata.size(),
            inode: metadata.ino().to_string(),
            modified: FileTime::new(metadata.mtime(), metadata.mtime_nsec()),
            changed: FileTime::new(metadata.ctime(), metadata.ctime_nsec()),
        }
    }

    /// Of the file that `path` leads to now.
    pub(crate) fn at(path: &Path) -> io::Result<Self> {
        std::fs::metadata(path).map(|metadata| Self::of(&metadata))
    }

    /// Whether `other` is of the same file, whatever was written to it meanwhile.
    pub(crate) fn is_of_same_file(&self, other: &Self) -> bool {
        self.inode == other.inode
    }

    /// Whether nothing was written between `other` and this, unless somebody has set the time of a write back.
    pub(crate) fn has_same_content(&self, other: &Self) -> bool {
        (self.size, &self.inode, &self.modified) == (other.size, &other.inode, &other.modified)
    }

    /// Whether the last write is so long before `now` (seconds since 1970) that any later one must show in the times.
    /// File systems count in ticks, so two writes within one can carry the same time.
    pub(crate) fn is_settled(&self, now: i64) -> bool {
        const TICK: i64 = 2;
        let is_old = |time: &FileTime| time.seconds().is_some_and(|seconds| seconds < now - TICK);
        is_old(&self.modified) && is_old(&self.changed)
    }
}

/// Why a file was not opened.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OpenError {
    #[error("there is no such file")]
    NotFound,
    #[error("the path leads outside the directories that may be read")]
    Outside,
    #[error("it is {0}, and only regular files are read")]
    NotAFile(&'static str),
    #[error("the operating system refuses")]
    Io(#[source] io::Error),
}

impl From<io::Error> for OpenError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::NotFound => Self::NotFound,
            _ => Self::Io(error),
        }
    }
}

impl From<rustix::io::Errno> for OpenError {
    fn from(error: rustix::io::Errno) -> Self {
        io::Error::from(error).into()
    }
}

impl OpenError {
    /// The error as the source reports it.
    pub(crate) fn about(self, path: &Path) -> SourceError {
        let kind = match &self {
            Self::NotFound => ErrorKind::NotFound,
            Self::Outside | Self::NotAFile(_) => ErrorKind::Denied,
            Self::Io(error) if error.kind() == io::ErrorKind::PermissionDenied => ErrorKind::Denied,
            Self::Io(_) => ErrorKind::Unavailable,
        };
        let message = self.to_string();
        let error = SourceError::new(kind, "open file", message).with("path", path.display());
        match self {
            Self::Io(cause) => error.because(cause),
            Self::Outside => error.hint("start the server with `--files-root` for the directory it lies in"),
            Self::NotFound | Self::NotAFile(_) => error,
        }
    }
}

/// The directories under which files may be read, as canonical paths.
#[derive(Debug, Clone)]
pub(crate) struct Roots(Vec<PathBuf>);

impl Roots {
    pub(crate) fn new(roots: Vec<PathBuf>) -> Self {
        Self(roots)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The root that a canonical path lies in.
    pub(crate) fn of(&self, canonical: &Path) -> Option<&Path> {
        self.0.iter().map(PathBuf::as_path).find(|root| canonical.starts_with(root))
    }

    /// Where `path` lies, if that is under a root: what exists of it with symbolic links resolved, the rest as written.
    /// A relative path is one under the first root that has it, else under the first root.
    pub(crate) fn resolve(&self, path: &Path) -> Result<PathBuf, OpenError> {
        let path = if path.is_absolute() {
            path.to_owned()
        } else {
            let first = self.0.first().ok_or(OpenError::Outside)?;
            self.0.iter().map(|root| root.join(path)).find(|path| path.exists()).unwrap_or(first.join(path))
        };
        let resolved = canonical_as_far_as_it_exists(&path)?;
        if self.of(&resolved).is_some() { Ok(resolved) } else { Err(OpenError::Outside) }
    }

    /// Where a regular file really lies, and what it is like now, for a reader that opens it by its path. That reader
    /// must refuse symbolic links, as the names may be swapped meanwhile.
    pub(crate) fn locate(&self, path: &Path) -> Result<(PathBuf, Fingerprint), OpenError> {
        let canonical = path.canonicalize()?;
        if self.of(&canonical).is_none() {
            return Err(OpenError::Outside);
        }
        let metadata = std::fs::symlink_metadata(&canonical)?;
        refuse_special(FileType::from_raw_mode(metadata.mode()))?;
        Ok((canonical, Fingerprint::of(&metadata)))
    }

    /// Opens a regular file for reading.
    ///
    /// The canonical path is walked from its root name by name without following a symbolic link, so that what is
    /// opened lies under the root even if somebody swaps names meanwhile. Opening never waits, as a pipe would make it.
    pub(crate) fn open(&self, path: &Path) -> Result<(File, Fingerprint), OpenError> {
        if fault::fails("source.open") {
            return Err(rustix::io::Errno::IO.into());
        }
        let canonical = path.canonicalize()?;
        let root = self.of(&canonical).ok_or(OpenError::Outside)?;
        let below = canonical.strip_prefix(root).map_err(|_| OpenError::Outside)?;
        let mut names = below.components().peekable();
        let directory = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC | OFlags::NOFOLLOW;
        let mut parent = rustix::fs::open(root, directory, Mode::empty())?;
        while let Some(Component::Normal(name)) = names.next() {
            if names.peek().is_some() {
                parent = rustix::fs::openat(&parent, name, directory, Mode::empty())?;
                continue;
            }
            let stat = rustix::fs::statat(&parent, name, rustix::fs::AtFlags::SYMLINK_NOFOLLOW)?;
            refuse_special(FileType::from_raw_mode(stat.st_mode))?;
            let flags =
                OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC | OFlags::NOFOLLOW;
            let file = File::from(rustix::fs::openat(&parent, name, flags, Mode::empty())?);
            let metadata = file.metadata()?;
            refuse_special(FileType::from_raw_mode(metadata.mode()))?;
            return Ok((file, Fingerprint::of(&metadata)));
        }
        Err(OpenError::NotAFile("a directory"))
    }
}

fn refuse_special(kind: FileType) -> Result<(), OpenError> {
    Err(OpenError::NotAFile(match kind {
        FileType::RegularFile => return Ok(()),
        FileType::Directory => "a directory",
        FileType::Symlink => "a symbolic link that has just been put there",
        FileType::Fifo => "a named pipe",
        FileType::Socket => "a socket",
        FileType::CharacterDevice | FileType::BlockDevice => "a device",
        FileType::Unknown => "no regular file",
    }))
}

fn canonical_as_far_as_it_exists(path: &Path) -> io::Result<PathBuf> {
    let (mut front, mut missing) = (path.to_path_buf(), Vec::<OsString>::new());
    loop {
        match front.canonicalize() {
            Ok(canonical) => return Ok(missing.iter().rev().fold(canonical, |path, name| path.join(name))),
            Err(error) => {
                let Some(name) = front.file_name() else { return Err(error) };
                missing.push(name.to_owned());
                front.pop();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    struct Place {
        _directory: tempfile::TempDir,
        base: PathBuf,
        roots: Roots,
    }

    /// `root/a.csv`, `root/deep/b.csv` and, outside, `secret.csv`.
    fn place() -> Place {
        let directory = tempfile::tempdir().unwrap();
        let base = directory.path().canonicalize().unwrap();
        std::fs::create_dir_all(base.join("root/deep")).unwrap();
        for file in ["root/a.csv", "root/deep/b.csv", "secret.csv"] {
            std::fs::write(base.join(file), file).unwrap();
        }
        let roots = Roots::new(vec![base.join("root")]);
        Place { _directory: directory, base, roots }
    }

    fn resolve(place: &Place, path: &str) -> Result<PathBuf, OpenError> {
        place.roots.resolve(Path::new(path))
    }

    #[test]
    fn relative_paths_begin_at_a_root() {
        let place = place();
        assert_eq!(resolve(&place, "deep/b.csv").unwrap(), place.base.join("root/deep/b.csv"));
        assert_eq!(resolve(&place, "new/b.csv").unwrap(), place.base.join("root/new/b.csv"));
        let two = Roots::new(vec![place.base.join("root/deep"), place.base.join("root")]);
        assert_eq!(two.resolve(Path::new("a.csv")).unwrap(), place.base.join("root/a.csv"));
    }

    #[test]
    fn what_lies_outside_is_neither_resolved_nor_opened() {
        let place = place();
        symlink(place.base.join("secret.csv"), place.base.join("root/link.csv")).unwrap();
        symlink(&place.base, place.base.join("root/up")).unwrap();
        let secret = place.base.join("secret.csv").display().to_string();
        for path in [secret.as_str(), "/etc/passwd", "link.csv", "up/secret.csv", "up", "/"] {
            assert!(matches!(resolve(&place, path), Err(OpenError::Outside)), "{path}");
        }
        for path in ["secret.csv", "root/link.csv", "root/up/secret.csv", "root/../secret.csv"] {
            assert!(matches!(place.roots.open(&place.base.join(path)), Err(OpenError::Outside)), "{path}");
        }
    }

    #[test]
    fn links_within_the_root_are_followed() {
        let place = place();
        symlink(place.base.join("root/deep"), place.base.join("root/other")).unwrap();
        let (_, fingerprint) = place.roots.open(&place.base.join("root/other/b.csv")).unwrap();
        assert_eq!(fingerprint, Fingerprint::at(&place.base.join("root/deep/b.csv")).unwrap());
    }

    #[test]
    fn only_regular_files_are_opened_and_a_pipe_does_not_hold_us_up() {
        let place = place();
        let pipe = place.base.join("root/pipe.csv");
        rustix::fs::mknodat(rustix::fs::CWD, &pipe, FileType::Fifo, Mode::from_raw_mode(0o600), 0).unwrap();
        assert!(matches!(place.roots.open(&pipe), Err(OpenError::NotAFile("a named pipe"))));
        for path in ["root/deep", "root"] {
            assert!(matches!(
                place.roots.open(&place.base.join(path)),
                Err(OpenError::NotAFile("a directory"))
            ));
        }
        assert!(matches!(place.roots.open(&place.base.join("root/x")), Err(OpenError::NotFound)));
    }

    #[test]
    fn a_fresh_write_is_not_settled() {
        let place = place();
        let fingerprint = Fingerprint::at(&place.base.join("root/a.csv")).unwrap();
        let written = fingerprint.changed.seconds().unwrap();
        assert!(!fingerprint.is_settled(written + 2));
        assert!(fingerprint.is_settled(written + 3));
        assert!(!fingerprint.is_settled(written - 100), "a clock that runs behind proves nothing");
    }

    #[test]
    fn a_write_that_sets_the_time_back_still_shows() {
        let place = place();
        let path = place.base.join("root/a.csv");
        let before = Fingerprint::at(&path).unwrap();
        let modified = std::fs::metadata(&path).unwrap().modified().unwrap();
        // The inode's own time moves in ticks of the kernel; write until it has.
        while Fingerprint::at(&path).unwrap() == before {
            std::fs::write(&path, "root/B.csv").unwrap();
            File::options().write(true).open(&path).unwrap().set_modified(modified).unwrap();
        }
        assert_eq!(Fingerprint::at(&path).unwrap().modified, before.modified);
    }
}
