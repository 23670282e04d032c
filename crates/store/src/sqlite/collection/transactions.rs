//! The transactions of a file's writer: one connection, and the key log.

use std::cell::RefCell;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, TransactionBehavior};

use super::keys::{KeyLog, KeyLogRoom};
use super::stores::Options;
use super::tables::{FileTables, WriteFileTables};
use super::wal::Wal;
use crate::sql::collection::{Memory, Outcome, Transactions, Work, WriteTables};

/// What the writer's thread has of a file.
pub(super) struct FileTransactions {
    // Let go before the connection, which is then the file's last.
    wal: Wal,
    connection: Connection,
    path: PathBuf,
    key_log: KeyLog,
}

impl FileTransactions {
    pub(super) fn new(
        mut connection: Connection,
        path: &Path,
        options: &Options,
        room: &KeyLogRoom,
    ) -> Outcome<Self> {
        let wal = Wal::of(&mut connection, path, options.wal_pages)?;
        Ok(Self { wal, connection, path: path.to_owned(), key_log: KeyLog::new(options, room) })
    }
}

impl Transactions for FileTransactions {
    fn run(&mut self, memory: &mut Memory, work: Work<'_>) -> Outcome<()> {
        let Self { connection, path, key_log, .. } = self;
        let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let tables = WriteFileTables { tables: FileTables::new(&tx, path), key_log: RefCell::new(key_log) };
        let done = work(&tables, memory).and_then(|()| Ok(tx.commit()?));
        if done.is_err() {
            key_log.forget();
        }
        done
    }

    fn forget(&mut self) {
        self.key_log.forget();
    }

    fn tend(&mut self) {
        self.wal.tend(&self.connection);
    }

    /// Leaves no key log to the next run.
    fn tidy(&mut self, memory: &mut Memory) {
        // Whatever goes wrong, the rows are where they were.
        let _ = self.run(memory, &mut |tables: &dyn WriteTables, _| tables.gather_keys(&mut || Ok(())));
        self.rest();
        self.tend();
    }

    fn rest(&mut self) {
        // It only makes the next write slower if it fails.
        let _ = self.connection.release_memory();
    }
}
