//! The catalog's file: is it ours, which version, and how it becomes the present one.

use std::path::Path;

use inlet_model::{Clock, Entropy};
use rusqlite::Connection;

use super::writer::transact;
use crate::sql::catalog::Trouble;
use crate::sql::catalog::{Start, schedules};
use crate::sqlite::Format;
use crate::sqlite::connection::{self, Access};
use crate::{StoreError, StoreErrorKind, StoreResult, transfer};

/// Step `n` makes version `n + 1`. Steps are only ever added.
const MIGRATIONS: &[&str] = &[
    include_str!("migrations/v1.sql"),
    include_str!("migrations/v2.sql"),
    include_str!("migrations/v3.sql"),
    include_str!("migrations/v4.sql"),
];

/// SQLite's mark of whose file this is: "INLC".
const APPLICATION_ID: i32 = 0x494e_4c43;

/// The first version in which connectors keep when they sync next.
const FIRST_WITH_TIMES: u32 = 3;

const CACHED_STATEMENTS: usize = 64;

const OPERATION: &str = "open the catalog";

/// Opens the file for writing, made or brought to the present version if need be, and reads its secret.
///
/// [`Unfinished`](StoreErrorKind::Unfinished) while data are moved into it.
pub(super) fn open(
    path: &Path,
    clock: &dyn Clock,
    entropy: &dyn Entropy,
) -> StoreResult<(Connection, [u8; 32])> {
    let db = open_whole(path, clock, entropy)?;
    refuse_unfinished(&db)?;
    let secret = db.query_row("SELECT secret FROM identity", [], |row| row.get(0)).map_err(sqlite)?;
    Ok((db, secret))
}

/// The same for whoever moves all that is in it.
pub(in crate::sqlite) fn open_whole(
    path: &Path,
    clock: &dyn Clock,
    entropy: &dyn Entropy,
) -> StoreResult<Connection> {
    connection::create_private(path)
        .map_err(|error| StoreError::new(StoreErrorKind::Unavailable, OPERATION).because(error))?;
    let mut db = connect(path, Access::Write).map_err(sqlite)?;
    // A file that is not ours must not even be switched to another journal.
    version(&db)?;
    db.pragma_update(None, "journal_mode", "WAL").map_err(sqlite)?;
    db.pragma_update(None, "synchronous", "FULL").map_err(sqlite)?;
    migrate(&mut db, MIGRATIONS, clock, entropy).map_err(|trouble| trouble.during(OPERATION))?;
    Ok(db)
}

/// Whether an older Inlet wrote the file, which is not touched.
pub(in crate::sqlite) fn is_older(path: &Path) -> StoreResult<bool> {
    let have = version(&connect(path, Access::Read).map_err(sqlite)?)?;
    Ok((1..newest(MIGRATIONS)).contains(&have))
}

fn refuse_unfinished(db: &Connection) -> StoreResult<()> {
    let is_unfinished = transfer::is_unfinished(db);
    match is_unfinished.map_err(|error| Trouble::from(error).during(OPERATION))? {
        true => Err(StoreError::new(StoreErrorKind::Unfinished, OPERATION)),
        false => Ok(()),
    }
}

/// A connection to the catalog's file.
pub(super) fn connect(path: &Path, access: Access) -> rusqlite::Result<Connection> {
    let db = connection::open(path, access)?;
    db.pragma_update(None, "foreign_keys", true)?;
    db.set_prepared_statement_cache_capacity(CACHED_STATEMENTS);
    Ok(db)
}

/// Looks at the file without changing it: its version, and that its pages hang together.
pub(in crate::sqlite) fn inspect(path: &Path) -> StoreResult<Format> {
    let db = connect(path, Access::Read).map_err(sqlite)?;
    let version = version(&db)?;
    refuse_unfinished(&db)?;
    let verdict: String = db.query_row("PRAGMA quick_check(1)", [], |row| row.get(0)).map_err(sqlite)?;
    if verdict != "ok" {
        return Err(StoreError::new(StoreErrorKind::Damaged, OPERATION).because(verdict));
    }
    Ok(Format { version, newest: newest(MIGRATIONS) })
}

/// The version of a file that is ours, 0 for an empty one.
fn version(db: &Connection) -> StoreResult<u32> {
    let number =
        |pragma: &str| db.pragma_query_value(None, pragma, |row| row.get::<_, i32>(0)).map_err(sqlite);
    let tables: i64 =
        db.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0)).map_err(sqlite)?;
    match (number("application_id")?, number("user_version")?) {
        (0, 0) if tables == 0 => Ok(0),
        (APPLICATION_ID, version) => match u32::try_from(version) {
            Ok(version) if version > newest(MIGRATIONS) => {
                Err(StoreError::new(StoreErrorKind::NewerFormat, OPERATION))
            }
            Ok(version) if version > 0 => Ok(version),
            _ => Err(StoreError::new(StoreErrorKind::Damaged, OPERATION)),
        },
        _ => {
            Err(StoreError::new(StoreErrorKind::Damaged, OPERATION)
                .because("the file is not a catalog of Inlet"))
        }
    }
}

/// Applies the steps that are missing, all in one transaction. A new file also gets what it starts with.
fn migrate(
    db: &mut Connection,
    steps: &[&str],
    clock: &dyn Clock,
    entropy: &dyn Entropy,
) -> Result<(), Trouble> {
    let have = |db: &Connection| db.pragma_query_value(None, "user_version", |row| row.get::<_, u32>(0));
    if have(db)? >= newest(steps) {
        return Ok(());
    }
    transact(db, |tx| {
        let have = have(tx)?;
        for step in steps.iter().skip(have as usize) {
            tx.execute_batch(step)?;
        }
        if have == 0 {
            Start::drawn(clock, entropy).write(&**tx)?;
            tx.pragma_update(None, "application_id", APPLICATION_ID)?;
        } else if have < FIRST_WITH_TIMES {
            schedules::set_all(&**tx, clock.now())?;
        }
        tx.pragma_update(None, "user_version", newest(steps))?;
        Ok(())
    })
}

/// The version that the steps lead to.
fn newest(steps: &[&str]) -> u32 {
    u32::try_from(steps.len()).expect("a list written by hand is short")
}

fn sqlite(error: rusqlite::Error) -> StoreError {
    Trouble::from(error).during(OPERATION)
}

#[cfg(test)]
mod tests {
    use inlet_model::sync::SyncStatus;
    use inlet_model::{ManualClock, SeededEntropy, Timestamp};

    use super::*;

    fn migrated(db: &mut Connection, steps: &[&str]) -> Result<(), Trouble> {
        migrate(db, steps, &ManualClock::new(Timestamp::from_millis(1)), &SeededEntropy::new(1))
    }

    fn dump(db: &Connection) -> Vec<String> {
        let sql = "SELECT coalesce(sql, name) FROM sqlite_schema UNION ALL SELECT hex(secret) FROM identity
                   UNION ALL SELECT id || store_id FROM collections UNION ALL SELECT id FROM spaces";
        let mut statement = db.prepare(sql).unwrap();
        statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
    }

    #[test]
    fn the_writer_waits_for_the_disk_and_holds_the_references() {
        let directory = tempfile::tempdir().unwrap();
        let clock = ManualClock::new(Timestamp::from_millis(1));
        let (db, _) = open(&directory.path().join("catalog.db"), &clock, &SeededEntropy::new(1)).unwrap();
        let number = |pragma: &str| db.pragma_query_value(None, pragma, |row| row.get::<_, i32>(0)).unwrap();
        assert_eq!((number("synchronous"), number("foreign_keys"), number("trusted_schema")), (2, 1, 0));
    }

    #[test]
    fn migrations_apply_from_nothing_and_do_nothing_again() {
        let mut db = Connection::open_in_memory().unwrap();
        migrated(&mut db, MIGRATIONS).unwrap();
        let first = dump(&db);
        assert_eq!(version(&db).unwrap(), newest(MIGRATIONS));
        migrated(&mut db, MIGRATIONS).unwrap();
        assert_eq!(dump(&db), first);
    }

    #[test]
    fn an_older_version_gets_only_the_steps_it_lacks_and_keeps_its_rows() {
        let mut db = Connection::open_in_memory().unwrap();
        migrated(&mut db, MIGRATIONS).unwrap();
        let before = dump(&db);
        let next = [MIGRATIONS, &["CREATE TABLE zeros (a)"], &["INSERT INTO zeros VALUES (0)"]].concat();
        migrated(&mut db, &next).unwrap();
        let version: u32 = db.pragma_query_value(None, "user_version", |row| row.get(0)).unwrap();
        assert_eq!(version, newest(&next));
        let after = dump(&db);
        assert_eq!(after.len(), before.len() + 1);
        assert!(before.iter().all(|row| after.contains(row)));
    }

    #[test]
    fn a_step_that_fails_undoes_all_steps() {
        let mut db = Connection::open_in_memory().unwrap();
        let broken = [MIGRATIONS, &["CREATE TABLE spaces (a)"]].concat();
        assert!(migrated(&mut db, &broken).is_err());
        assert_eq!(version(&db).unwrap(), 0);
        migrated(&mut db, MIGRATIONS).unwrap();
    }

    /// The file's rules and the statements write the states out; the table of states is the one that counts.
    #[test]
    fn the_states_in_the_schema_are_those_of_the_model() {
        let quoted = |statuses: &[SyncStatus]| {
            let names: Vec<String> = statuses.iter().map(|status| format!("'{status}'")).collect();
            names.join(", ")
        };
        let active: Vec<SyncStatus> =
            SyncStatus::ALL.into_iter().filter(|status| status.is_active()).collect();
        assert!(MIGRATIONS[0].contains(&format!("WHERE status IN ({});", quoted(&active))));
        assert!(
            MIGRATIONS[0].contains(&format!("CHECK (status IN (\n        {}\n", quoted(&SyncStatus::ALL)))
        );
    }
}
