//! The data directory: which files it has, and the lock that makes one process its owner.
//!
//! The lock is the operating system's, on the file `inlet.lock`: it ends with the process, however that ends, so a file
//! that was left behind is no obstacle. A server writes into the file where it can be reached; whoever finds the
//! directory locked reads that, without the lock, and talks to the server instead. The file is emptied as the first act of
//! every owner and then written once, as one line: so a reader sees nothing, the start of a line, or the line, and only
//! a line with its end counts.

mod key_file;

use std::fmt;
use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use serde::{Deserialize, Serialize};

pub use self::key_file::{KeyFileError, read_key_file};

const LOCK_FILE: &str = "inlet.lock";
pub(super) const CATALOG_FILE: &str = "catalog.db";
pub(super) const COLLECTIONS_DIR: &str = "collections";

/// An announcement is one short line; whatever is longer is none of ours.
const MAX_ANNOUNCEMENT: usize = 4096;

/// A data directory that belongs to this process for as long as this lives.
#[derive(Debug)]
pub struct DataDir {
    path: PathBuf,
    lock: Mutex<File>,
}

/// Where the server that owns a data directory can be reached by the user who may read the directory.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Server {
    /// Its process.
    pub pid: u32,
    /// The address of its API, such as `http://127.0.0.1:8080`.
    pub address: String,
    /// An API key that is good for as long as it runs.
    pub token: String,
}

/// Why a data directory could not be had.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Another process owns it.
    #[error("the data directory is in use by another process")]
    Held {
        /// The server it announced; `None` if it is not (or not yet) a server.
        announced: Option<Server>,
    },
    /// Something else stands there.
    #[error("{} is not a directory", .path.display())]
    NotADirectory {
        /// Where.
        path: PathBuf,
    },
    /// It cannot be made, or not be written to.
    #[error("the data directory {} cannot be used", .path.display())]
    Unusable {
        /// Where.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
}

impl DataDir {
    /// Makes the directory, for its owner's eyes only, if it is not there, and takes its lock without waiting.
    pub fn lock(path: &Path) -> Result<Self, LockError> {
        let unusable = |source| LockError::Unusable { path: path.to_owned(), source };
        if path.exists() && !path.is_dir() {
            return Err(LockError::NotADirectory { path: path.to_owned() });
        }
        make_private_dir(path).map_err(unusable)?;
        let mut lock = open_private(&path.join(LOCK_FILE)).map_err(unusable)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(LockError::Held { announced: announced(&mut lock) }),
            Err(TryLockError::Error(source)) => return Err(unusable(source)),
        }
        // What a process that died has left there is not true any more.
        lock.set_len(0).map_err(unusable)?;
        make_private_dir(&path.join(COLLECTIONS_DIR)).map_err(unusable)?;
        Ok(Self { path: path.to_owned(), lock: Mutex::new(lock) })
    }

    /// Tells other processes of this user where the server in this process can be reached.
    pub fn announce(&self, address: &str, token: &str) -> io::Result<()> {
        let server = Server { pid: std::process::id(), address: address.to_owned(), token: token.to_owned() };
        let mut line = serde_json::to_vec(&server)?;
        line.push(b'\n');
        if line.len() > MAX_ANNOUNCEMENT {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "the address or the token is too long"));
        }
        let mut file = self.lock.lock().expect("no holder panics");
        file.set_len(0)?;
        file.seek(SeekFrom::Start(0))?;
        file.write_all(&line)
    }

    /// The directory.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The catalog's file.
    #[must_use]
    pub fn catalog_path(&self) -> PathBuf {
        self.path.join(CATALOG_FILE)
    }

    /// The directory of the collections' files.
    #[must_use]
    pub fn collections_dir(&self) -> PathBuf {
        self.path.join(COLLECTIONS_DIR)
    }
}

/// Takes the announcement back before the lock ends.
impl Drop for DataDir {
    fn drop(&mut self) {
        if let Ok(file) = self.lock.get_mut() {
            // If it fails, the next owner empties the file.
            let _ = file.set_len(0);
        }
    }
}

/// Without the token.
impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server")
            .field("pid", &self.pid)
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}

fn announced(file: &mut File) -> Option<Server> {
    // One call of the system, so that the start of one line is never joined to the end of the next.
    let mut text = [0; MAX_ANNOUNCEMENT];
    let len = file.read(&mut text).ok()?;
    serde_json::from_slice(text[..len].strip_suffix(b"\n")?).ok()
}

fn make_private_dir(path: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

fn open_private(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

#[cfg(test)]
mod tests;
