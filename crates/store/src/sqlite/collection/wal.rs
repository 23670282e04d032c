//! The write-ahead log, moved into the file beside the writer.
//!
//! SQLite would move it within a commit, which then takes many times as long, and whoever hands in batches waits. Here another
//! connection moves what is there while the writer goes on; what came meanwhile the writer moves itself, which is little, so
//! that its next transaction begins the log anew. <https://sqlite.org/wal.html#ckpt>

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread::JoinHandle;

use rusqlite::Connection;

use crate::sql::collection::Outcome;
use crate::sqlite::connection::{self, Access};

/// If the log has grown to so many times the pages at which it is moved, the writer waits.
const MOST: u32 = 2;

/// The log of one file, as its writer sees it.
pub(super) struct Wal {
    path: PathBuf,
    /// Its pages after the last commit.
    pages: Arc<AtomicU32>,
    /// It is moved when it has so many; 0: never.
    limit: u32,
    mover: Mover,
}

/// Who moves the log.
enum Mover {
    /// Nobody has yet.
    Unborn,
    Idle(Connection),
    Moving(JoinHandle<Outcome<Connection>>),
}

impl Wal {
    /// Takes over from SQLite how the log of `writer` is moved.
    pub(super) fn of(writer: &mut Connection, path: &Path, limit: u32) -> rusqlite::Result<Self> {
        let pages = Arc::new(AtomicU32::new(0));
        let counter = Arc::clone(&pages);
        writer.wal_hook(Some(move |_: &mut rusqlite::hooks::Wal, pages| {
            counter.store(u32::try_from(pages).unwrap_or(0), Ordering::Relaxed);
            Ok(())
        }))?;
        Ok(Self { path: path.to_owned(), pages, limit, mover: Mover::Unborn })
    }

    /// To be called after each transaction of `writer`. Where nobody else can move the log, the writer does.
    pub(super) fn tend(&mut self, writer: &Connection) {
        let pages = self.pages.load(Ordering::Relaxed);
        let is_long = self.limit > 0 && pages >= self.limit;
        let is_to_move_it = match std::mem::replace(&mut self.mover, Mover::Unborn) {
            Mover::Moving(thread) if thread.is_finished() || pages >= MOST * self.limit => {
                if let Ok(Ok(connection)) = thread.join() {
                    self.mover = Mover::Idle(connection);
                }
                is_long
            }
            Mover::Unborn if is_long => !self.begin(None),
            Mover::Idle(connection) if is_long => !self.begin(Some(connection)),
            mover => {
                self.mover = mover;
                false
            }
        };
        if is_to_move_it && move_log(writer).is_ok_and(|is_all| is_all) {
            self.pages.store(0, Ordering::Relaxed);
        }
    }

    /// Begins to move the log over the other connection. Whether that could be.
    fn begin(&mut self, connection: Option<Connection>) -> bool {
        let path = self.path.clone();
        let thread = std::thread::Builder::new().name("collection-log".to_owned()).spawn(move || {
            let connection = connection.map_or_else(|| connection::open(&path, Access::Write), Ok)?;
            move_log(&connection)?;
            Ok(connection)
        });
        let begun = thread.is_ok();
        self.mover = thread.map_or(Mover::Unborn, Mover::Moving);
        begun
    }
}

/// So that the writer's connection is the last that is closed.
impl Drop for Wal {
    fn drop(&mut self) {
        if let Mover::Moving(thread) = std::mem::replace(&mut self.mover, Mover::Unborn) {
            // Whatever went wrong, closing the writer's connection moves the log.
            let _ = thread.join();
        }
    }
}

/// Moves what no reader still needs where it is. Whether that was all.
fn move_log(connection: &Connection) -> rusqlite::Result<bool> {
    connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |row| {
        let (pages, moved): (i64, i64) = (row.get(1)?, row.get(2)?);
        Ok(pages == moved)
    })
}

#[cfg(test)]
mod tests {
    use inlet_model::SeededEntropy;
    use tempfile::TempDir;

    use super::super::{schema, stores::Options};
    use super::*;

    /// A file, and its log, which is long at so many pages.
    fn opened(limit: u32) -> (TempDir, Connection, Wal) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("collection.db");
        let (mut writer, _) = schema::open(&path, &Options::default(), &SeededEntropy::new(1)).unwrap();
        let wal = Wal::of(&mut writer, &path, limit).unwrap();
        (folder, writer, wal)
    }

    /// A commit of about `pages` pages.
    fn write(connection: &Connection, pages: u32) {
        let sql = "INSERT INTO blocks (first_change, stored) VALUES (NULL, zeroblob(?1 * 8192))";
        connection.execute(sql, [pages]).unwrap();
    }

    #[test]
    fn a_log_that_is_long_is_moved_beside_the_writer_and_begun_anew() {
        let (_folder, writer, mut wal) = opened(300);
        write(&writer, 100);
        wal.tend(&writer);
        assert!(matches!(wal.mover, Mover::Unborn), "it is short");
        write(&writer, 200);
        wal.tend(&writer);
        let Mover::Moving(thread) = &wal.mover else { panic!("it is long") };
        while !thread.is_finished() {
            std::thread::yield_now();
        }
        write(&writer, 5);
        wal.tend(&writer);
        assert!(matches!(wal.mover, Mover::Idle(_)));
        assert!(wal.pages.load(Ordering::Relaxed) < 50, "begun anew");
    }

    #[test]
    fn a_log_that_grows_faster_than_it_is_moved_is_waited_for() {
        let (_folder, writer, mut wal) = opened(100);
        for _ in 0..100 {
            write(&writer, 50);
            wal.tend(&writer);
            assert!(wal.pages.load(Ordering::Relaxed) < 300);
        }
    }

    #[test]
    fn while_a_reader_looks_back_the_writer_goes_on() {
        let (_folder, writer, mut wal) = opened(100);
        let mut reader = schema::open_reader(&wal.path, 1 << 20).unwrap();
        let reading = reader.transaction().unwrap();
        let count = |connection: &Connection| -> i64 {
            connection.query_row("SELECT count(*) FROM blocks", [], |row| row.get(0)).unwrap()
        };
        assert_eq!(count(&reading), 0);
        for _ in 0..10 {
            write(&writer, 50);
            wal.tend(&writer);
        }
        assert_eq!(count(&reading), 0);
        drop(reading);
        for _ in 0..3 {
            write(&writer, 50);
            wal.tend(&writer);
        }
        assert!(wal.pages.load(Ordering::Relaxed) < 300, "moved once nobody looks back");
        assert_eq!(count(&reader), 13);
    }
}
