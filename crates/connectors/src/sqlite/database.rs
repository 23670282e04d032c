//! Opening a database so that nothing is written to it, nor beside it, and asking it.

use std::fmt::Write;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use inlet_model::fault;
use inlet_source::{ErrorKind, SourceError};
use rusqlite::config::DbConfig;
use rusqlite::limits::Limit;
use rusqlite::{Connection, ErrorCode, OpenFlags, Statement, ffi};

use super::config::Settings;
use super::cursor::Files;
use crate::roots::Fingerprint;
use crate::trouble::Trouble;

/// How long it may take until there is another row.
const STUCK: Duration = Duration::from_secs(600);
/// Between two looks at something that passes by itself.
const PAUSE: Duration = Duration::from_millis(20);
/// Steps of SQLite's machine between two looks at the clock.
const STEPS: i32 = 10_000;

/// How a database is got at without writing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Access {
    /// It has a rollback journal: whoever reads keeps writers from committing, so reading lets go again and again.
    Journal,
    /// It has a write-ahead log: readers and writers do not keep each other waiting.
    Log,
    /// It has a write-ahead log that nobody uses now. To read it like any other SQLite would make two files beside it, which
    /// a program of another user could perhaps not write to later. So it is read without locks, and whenever
    /// something was read, the file must still be as it was.
    Still,
}

/// A database, open for reading by one thread.
#[derive(Debug)]
pub(super) struct Database {
    pub(super) connection: Connection,
    /// The files as they were before they were opened.
    pub(super) files: Files,
    path: PathBuf,
    access: Access,
    lock_patience: Duration,
    watch: Watch,
}

impl Database {
    /// Opens the database of `settings`. Values of more than `max_bytes` are not read.
    pub(super) fn open(settings: &Settings, max_bytes: usize, watch: Watch) -> Result<Self, Trouble> {
        let about = |error: crate::roots::OpenError| error.about(&settings.path);
        if fault::fails("source.open") {
            return Err(about(rustix::io::Errno::IO.into()).into());
        }
        let resolved = settings.roots.resolve(&settings.path).map_err(about)?;
        let (path, _) = settings.roots.locate(&resolved).map_err(about)?;
        let now = || settings.clock.now().as_millis().div_euclid(1000);
        // Before anything is opened: what is written from now on shows.
        let mut files = Files::at(&path, now())?;
        let mut access = access(&path, &files);
        while access == Access::Still && !files.settled {
            // A write within the same tick of the clock would not show.
            watch.pause()?;
            files = Files::at(&path, now())?;
            if files.log.is_some() {
                access = Access::Log;
            }
        }
        let mut connection = connect(&path, access).map_err(|error| explained(&path, error))?;
        let limit = i32::try_from(max_bytes).unwrap_or(i32::MAX).max(1 << 20);
        connection.set_limit(Limit::SQLITE_LIMIT_LENGTH, limit).map_err(|error| explained(&path, error))?;
        let handler = watch.clone();
        connection
            .progress_handler(STEPS, Some(move || handler.is_over()))
            .map_err(|error| explained(&path, error))?;
        let lock_patience = settings.lock_patience;
        let database = Self { connection, files, path, access, lock_patience, watch };
        database.begin()?;
        database.end()?;
        Ok(database)
    }

    /// Whether a transaction may stay open as long as it likes.
    pub(super) fn may_be_held(&self) -> bool {
        self.access != Access::Journal
    }

    /// Begins a transaction unless one is open.
    pub(super) fn enter(&self) -> Result<(), Trouble> {
        if self.connection.is_autocommit() { self.begin() } else { Ok(()) }
    }

    /// Ends the transaction if writers may be waiting for that.
    pub(super) fn leave(&self) -> Result<(), Trouble> {
        if self.may_be_held() { Ok(()) } else { self.end() }
    }

    /// A question to be asked.
    pub(super) fn prepare(&self, sql: &str) -> Result<Statement<'_>, Trouble> {
        self.watch.moves_on();
        self.connection.prepare(sql).map_err(|error| self.trouble(error))
    }

    /// The number that a pragma gives.
    pub(super) fn number(&self, pragma: &str) -> Result<i64, Trouble> {
        self.ask(|connection| connection.pragma_query_value(None, pragma, |row| row.get(0)))
    }

    /// Begins a read transaction, and waits if another program has locked the file.
    pub(super) fn begin(&self) -> Result<(), Trouble> {
        let until = Instant::now() + self.lock_patience;
        loop {
            self.watch.moves_on();
            self.ask(|connection| connection.execute_batch("BEGIN"))?;
            // Only the first read takes the lock.
            match self.connection.pragma_query_value(None, "schema_version", |_| Ok(())) {
                Ok(()) => return Ok(()),
                Err(error) => {
                    self.end()?;
                    let is_locked = error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy);
                    if !is_locked || Instant::now() >= until {
                        return Err(self.trouble(error));
                    }
                }
            }
            self.watch.pause()?;
        }
    }

    /// Ends the transaction, if there is one.
    pub(super) fn end(&self) -> Result<(), Trouble> {
        if self.connection.is_autocommit() {
            return Ok(());
        }
        self.ask(|connection| connection.execute_batch("ROLLBACK"))
    }

    /// Asks SQLite for something. Its errors become ours.
    pub(super) fn ask<T>(
        &self,
        question: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, Trouble> {
        self.watch.moves_on();
        question(&self.connection).map_err(|error| self.trouble(error))
    }

    /// Notes that SQLite has come on: it has found a row.
    pub(super) fn moves_on(&self) {
        self.watch.moves_on();
    }

    /// What an error of SQLite means.
    pub(super) fn trouble(&self, error: rusqlite::Error) -> Trouble {
        let is_closed =
            error.sqlite_error_code() == Some(ErrorCode::OperationInterrupted) && (self.watch.is_closed)();
        if is_closed { Trouble::Closed } else { Trouble::Failed(explained(&self.path, error)) }
    }

    /// Whether what was read so far can be relied on: the path still leads to the file that was opened, and a file
    /// read without locks has not changed.
    pub(super) fn unless_changed(&self) -> Result<(), Trouble> {
        let is_good = Fingerprint::at(&self.path).is_ok_and(|now| match self.access {
            Access::Still => now == self.files.file,
            Access::Journal | Access::Log => now.is_of_same_file(&self.files.file),
        });
        if is_good {
            return Ok(());
        }
        let message = "the database file changed or was replaced while it was read";
        let error = SourceError::new(ErrorKind::Changed, "read database", message);
        Err(error.with("path", self.path.display()).hint("the next sync reads it again").into())
    }
}

/// Sees to it that no question to SQLite outlives those who asked, or takes for ever.
#[derive(Clone)]
pub(super) struct Watch {
    is_closed: Arc<dyn Fn() -> bool + Send + Sync>,
    began: Instant,
    /// Milliseconds from the beginning until SQLite has been stuck for too long.
    due: Arc<AtomicU64>,
}

impl std::fmt::Debug for Watch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Watch").finish_non_exhaustive()
    }
}

impl Watch {
    pub(super) fn new(is_closed: impl Fn() -> bool + Send + Sync + 'static) -> Self {
        let watch = Self { is_closed: Arc::new(is_closed), began: Instant::now(), due: Arc::default() };
        watch.moves_on();
        watch
    }

    fn moves_on(&self) {
        let due = (self.began.elapsed() + STUCK).as_millis();
        self.due.store(u64::try_from(due).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    fn is_over(&self) -> bool {
        (self.is_closed)() || self.began.elapsed().as_millis() >= u128::from(self.due.load(Ordering::Relaxed))
    }

    /// Waits a moment for something that passes by itself.
    fn pause(&self) -> Result<(), Trouble> {
        if self.is_over() {
            return Err(Trouble::Closed);
        }
        // The thread is the source's own, and looks again soon.
        std::thread::park_timeout(PAUSE);
        Ok(())
    }
}

/// How the database can be got at. Its header says whether it has a log, but a file that SQLite has open must not be
/// opened by anybody else in the process: to close it would give SQLite's locks up. So SQLite is asked: without locks it
/// refuses to read a database with a log, before it touches anything else.
fn access(path: &Path, files: &Files) -> Access {
    let uri = uri(path, "nolock=1");
    let probed =
        connection(&uri).and_then(|probe| probe.pragma_query_value(None, "schema_version", |_| Ok(())));
    // Any other error may come from a write under way, and comes again if it does not.
    let has_log = probed.is_err_and(|error| error.sqlite_error_code() == Some(ErrorCode::CannotOpen));
    let is_shared = || beside(path, "-shm").exists();
    match (has_log, files.log.is_some() || is_shared()) {
        (false, _) => Access::Journal,
        (true, true) => Access::Log,
        (true, false) => Access::Still,
    }
}

/// The file that SQLite keeps beside a database.
pub(super) fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

fn connect(path: &Path, access: Access) -> rusqlite::Result<Connection> {
    match access {
        Access::Journal => connection(&uri(path, "")),
        Access::Still => connection(&uri(path, "immutable=1")),
        Access::Log => {
            // The index of the log is not written to either, if there is one that can be used as it is.
            let gentle = connection(&uri(path, "readonly_shm=1"))?;
            match gentle.pragma_query_value(None, "schema_version", |_| Ok(())) {
                Ok(()) => Ok(gentle),
                Err(error) if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) => Ok(gentle),
                Err(_) => connection(&uri(path, "")),
            }
        }
    }
}

/// The file as SQLite's URI says it.
fn uri(path: &Path, parameters: &str) -> String {
    let mut uri = "file://".to_owned();
    for byte in path.as_os_str().as_bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'-' | b'_' | b'.' => {
                uri.push(char::from(*byte))
            }
            byte => write!(uri, "%{byte:02X}").expect("a string takes everything"),
        }
    }
    uri + "?mode=ro&" + parameters
}

/// A connection that reads and does nothing else, whatever the database's schema says.
fn connection(uri: &str) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY
        | OpenFlags::SQLITE_OPEN_URI
        | OpenFlags::SQLITE_OPEN_NO_MUTEX
        | OpenFlags::SQLITE_OPEN_NOFOLLOW;
    let connection = Connection::open_with_flags(uri, flags)?;
    // Waiting is up to us: SQLite's own waiting cannot be stopped.
    connection.busy_timeout(Duration::ZERO)?;
    for (setting, value) in [
        (DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true),
        (DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false),
        (DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER, false),
        (DbConfig::SQLITE_DBCONFIG_ENABLE_FTS3_TOKENIZER, false),
        // A column that is not there must not be taken for a text.
        (DbConfig::SQLITE_DBCONFIG_DQS_DML, false),
    ] {
        connection.set_db_config(setting, value)?;
    }
    connection.pragma_update(None, "query_only", true)?;
    connection.pragma_update(None, "cell_size_check", true)?;
    connection.set_limit(Limit::SQLITE_LIMIT_ATTACHED, 0)?;
    Ok(connection)
}

/// An error of SQLite as the source reports it.
fn explained(path: &Path, error: rusqlite::Error) -> SourceError {
    let extended = error.sqlite_error().map_or(0, |error| error.extended_code);
    let (kind, message) = match (error.sqlite_error_code(), extended) {
        (_, ffi::SQLITE_CANTOPEN_SYMLINK) => (ErrorKind::Denied, "a symbolic link has just been put there"),
        (Some(ErrorCode::NotADatabase), _) => {
            (ErrorKind::Format, "the file is not a SQLite database, or it is encrypted")
        }
        (Some(ErrorCode::DatabaseCorrupt), _) => (ErrorKind::Format, "the database is damaged"),
        (Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked), _) => {
            (ErrorKind::Unavailable, "another program keeps the database locked")
        }
        (Some(ErrorCode::ReadOnly), _) => (
            ErrorKind::Unavailable,
            "a program broke off while it wrote to the database, and reading cannot mend that",
        ),
        (Some(ErrorCode::CannotOpen | ErrorCode::PermissionDenied), _) => {
            (ErrorKind::Denied, "the database, or the log beside it, may not be opened")
        }
        (Some(ErrorCode::OperationInterrupted), _) => {
            (ErrorKind::TimedOut, "SQLite found no row for too long")
        }
        (Some(ErrorCode::TooBig), _) => (ErrorKind::Limit, "a value is larger than a record may be"),
        (Some(ErrorCode::SystemIoFailure | ErrorCode::OutOfMemory | ErrorCode::DiskFull), _) => {
            (ErrorKind::Unavailable, "the operating system cannot read on")
        }
        _ => (ErrorKind::Config, "SQLite cannot carry the query out"),
    };
    let hint = match (error.sqlite_error_code(), kind) {
        (Some(ErrorCode::DatabaseCorrupt), _) => {
            Some("`PRAGMA integrity_check` shows where; restore a backup")
        }
        (Some(ErrorCode::ReadOnly), _) => {
            Some("open it once with the program that writes to it, or with `sqlite3`")
        }
        (_, ErrorKind::Limit) => Some("leave the column out of the view"),
        _ => None,
    };
    let told = SourceError::new(kind, "read database", message).with("path", path.display());
    let told = if kind == ErrorKind::Config { told.with("SQLite says", &error) } else { told };
    let told = match hint {
        Some(hint) => told.hint(hint),
        None => told,
    };
    told.because(error)
}
