//! A collection's file: is it ours, which version, and how a new one begins.

use std::path::Path;

use inlet_model::{Entropy, HashSeed};
use rusqlite::{Connection, Transaction, TransactionBehavior, params};

use super::stores::Options;
use crate::StoreResult;
use crate::sql::collection::{Outcome, Trouble};
use crate::sqlite::Format;
use crate::sqlite::connection::{self, Access};

/// Step `n` makes version `n + 1`. Steps are only ever added.
const MIGRATIONS: &[&str] = &[include_str!("migrations/v1.sql")];

/// SQLite's mark of whose file this is: "INLR".
const APPLICATION_ID: i32 = 0x494e_4c52;

/// Large enough that the key table is flat, small enough that a commit of random keys does not write far more than it
/// changes; measured together with the commit sizes of the engine.
const PAGE_SIZE: u32 = 8192;

/// The log is cut to this length when it is begun anew, so that one large commit does not keep its room for ever.
const WAL_LIMIT: u32 = 64 << 20;

/// Statements of ours, with some to spare.
const CACHED_STATEMENTS: usize = 96;

const OPERATION: &str = "open a collection";

/// Opens the file for writing, made if it is not there yet, and reads its seed.
pub(super) fn open(
    path: &Path,
    options: &Options,
    entropy: &dyn Entropy,
) -> StoreResult<(Connection, HashSeed)> {
    open_writer(path, options, entropy).map_err(|trouble| trouble.during(OPERATION))
}

fn open_writer(path: &Path, options: &Options, entropy: &dyn Entropy) -> Outcome<(Connection, HashSeed)> {
    connection::create_private(path)?;
    let mut connection = connection::open(path, Access::Write)?;
    // A file that is not ours must not even be switched to another journal.
    if version(&connection)? == 0 {
        connection.pragma_update(None, "page_size", PAGE_SIZE)?;
    }
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    // The writer sees to that.
    connection.pragma_update(None, "wal_autocheckpoint", 0)?;
    connection.pragma_update(None, "journal_size_limit", WAL_LIMIT)?;
    configure(&connection, options.writer_cache_bytes)?;
    migrate(&mut connection, MIGRATIONS, entropy)?;
    let seed: [u8; 8] = connection.query_row("SELECT seed FROM meta", [], |row| row.get(0))?;
    Ok((connection, HashSeed(u64::from_be_bytes(seed))))
}

/// Opens the file for reading beside the writer.
pub(super) fn open_reader(path: &Path, cache_bytes: u32) -> Outcome<Connection> {
    let connection = connection::open(path, Access::Read)?;
    configure(&connection, cache_bytes)?;
    Ok(connection)
}

fn configure(connection: &Connection, cache_bytes: u32) -> rusqlite::Result<()> {
    // Below zero SQLite takes it for kibibytes.
    connection.pragma_update(None, "cache_size", -i64::from(cache_bytes / 1024))?;
    connection.set_prepared_statement_cache_capacity(CACHED_STATEMENTS);
    Ok(())
}

/// Looks at the file without changing it: its version. Its pages are too many to look at each.
pub(in crate::sqlite) fn inspect(path: &Path) -> StoreResult<Format> {
    let read = || -> Outcome<u32> { version(&connection::open(path, Access::Read)?) };
    Ok(Format { version: read().map_err(|trouble| trouble.during(OPERATION))?, newest: newest(MIGRATIONS) })
}

/// The version of a file that is ours, 0 for an empty one.
fn version(connection: &Connection) -> Outcome<u32> {
    let number = |pragma: &str| connection.pragma_query_value(None, pragma, |row| row.get::<_, i32>(0));
    let tables: i64 = connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    match (number("application_id")?, number("user_version")?) {
        (0, 0) if tables == 0 => Ok(0),
        (APPLICATION_ID, version) => match u32::try_from(version) {
            Ok(version) if version > newest(MIGRATIONS) => Err(Trouble::NewerFormat),
            Ok(version) if version > 0 => Ok(version),
            _ => Err(Trouble::Damaged("the file has no version")),
        },
        _ => Err(Trouble::Damaged("the file is not a collection of Inlet")),
    }
}

/// Applies the steps that are missing, all in one transaction.
fn migrate(connection: &mut Connection, steps: &[&str], entropy: &dyn Entropy) -> Outcome<()> {
    let have = |connection: &Connection| {
        connection.pragma_query_value(None, "user_version", |row| row.get::<_, u32>(0))
    };
    if have(connection)? >= newest(steps) {
        return Ok(());
    }
    let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let have = have(&tx)?;
    for step in steps.iter().skip(have as usize) {
        tx.execute_batch(step)?;
    }
    if have == 0 {
        start(&tx, entropy)?;
        tx.pragma_update(None, "application_id", APPLICATION_ID)?;
    }
    tx.pragma_update(None, "user_version", newest(steps))?;
    tx.commit()?;
    Ok(())
}

/// The version that the steps lead to.
fn newest(steps: &[&str]) -> u32 {
    u32::try_from(steps.len()).expect("a list written by hand is short")
}

/// What a new collection holds: its seed.
fn start(tx: &Transaction<'_>, entropy: &dyn Entropy) -> rusqlite::Result<()> {
    let seed: [u8; 8] = entropy.bytes();
    tx.execute(
        "INSERT INTO meta (one, seed, next_change, next_generation, next_stream, compacted_through, walked_through)
         VALUES (1, ?1, 1, 1, 1, 0, 0)",
        params![seed],
    )?;
    Ok(())
}
