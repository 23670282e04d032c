//! The catalog's file: whose it is, who may read it, and what it keeps.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use inlet_model::{SeededEntropy, SystemClock};
use inlet_store::catalog::{
    Catalog, Collections, Effect, ExpectedVersion, NameFilter, Remains, Spaces, Tasks,
};
use inlet_store::conformance::catalog::given::{Given, first};
use inlet_store::sqlite::open_catalog;
use inlet_store::{StoreErrorKind, StoreResult};

use super::{look_into, open, try_open};

fn kind<T: std::fmt::Debug>(outcome: StoreResult<T>) -> StoreErrorKind {
    outcome.unwrap_err().kind()
}

#[test]
fn a_newer_format_is_refused_and_left_alone() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("catalog.db");
    drop(open(&path));
    look_into(&path).pragma_update(None, "user_version", 1_000).unwrap();
    let before = fs::read(&path).unwrap();
    let refused = try_open(&path).unwrap_err();
    assert_eq!(refused.kind(), StoreErrorKind::NewerFormat);
    assert_eq!(refused.to_string(), "open the catalog: the data were written by a newer version of Inlet");
    assert_eq!(fs::read(&path).unwrap(), before);
}

#[test]
fn the_database_of_another_program_is_refused_and_left_alone() {
    let directory = tempfile::tempdir().unwrap();
    for (name, sql) in [
        ("tables", "CREATE TABLE theirs (a); INSERT INTO theirs VALUES (1);"),
        ("version", "PRAGMA user_version = 1;"),
        ("application", "PRAGMA application_id = 7; PRAGMA user_version = 1;"),
    ] {
        let path = directory.path().join(name);
        look_into(&path).execute_batch(sql).unwrap();
        let before = fs::read(&path).unwrap();
        assert_eq!(kind(try_open(&path)), StoreErrorKind::Damaged, "{name}");
        assert_eq!(fs::read(&path).unwrap(), before, "{name}");
    }
}

#[test]
fn what_is_no_database_is_refused_and_left_alone() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("catalog.db");
    let text = "id,name\n1,not a database\n".repeat(100);
    fs::write(&path, &text).unwrap();
    assert_eq!(kind(try_open(&path)), StoreErrorKind::Damaged);
    assert_eq!(fs::read_to_string(&path).unwrap(), text);
}

#[test]
fn a_place_that_cannot_hold_a_file_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    assert_eq!(kind(try_open(directory.path())), StoreErrorKind::Unavailable);
    assert_eq!(kind(try_open(&directory.path().join("missing/catalog.db"))), StoreErrorKind::Unavailable);
}

/// A first start that died before its first transaction leaves an empty file, or an empty database.
#[tokio::test]
async fn an_empty_file_and_an_empty_database_become_a_new_catalog() {
    let directory = tempfile::tempdir().unwrap();
    let (file, database) = (directory.path().join("file.db"), directory.path().join("database.db"));
    fs::write(&file, "").unwrap();
    look_into(&database).pragma_update(None, "journal_mode", "WAL").unwrap();
    for path in [file, database] {
        let spaces = open(&path).space_list(NameFilter::default(), first(9)).await.unwrap();
        assert_eq!(spaces.items.len(), 1);
    }
}

#[cfg(unix)]
#[tokio::test]
async fn only_the_owner_may_read_the_files() {
    use std::os::unix::fs::PermissionsExt;

    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("catalog.db");
    let catalog = Given::new(Arc::new(open(&path)));
    catalog.stored_space().await;
    let mut names = Vec::new();
    for file in fs::read_dir(directory.path()).unwrap() {
        let file = file.unwrap();
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{:?}", file.path());
        names.push(file.file_name().into_string().unwrap());
    }
    names.sort();
    assert_eq!(names, ["catalog.db", "catalog.db-shm", "catalog.db-wal", "catalog.reserve"]);
}

#[tokio::test]
async fn a_closed_catalog_is_one_file_and_its_reserve() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("catalog.db");
    let given = Given::new(Arc::new(open(&path)));
    given.queued_sync(&given.stored_connector().await).await;
    drop(given);
    assert!(path.exists() && directory.path().join("catalog.reserve").exists());
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 2);
}

#[tokio::test]
async fn opening_again_keeps_everything() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("catalog.db");
    let given = Given::new(Arc::new(open(&path)));
    let secret = *given.catalog.secret();
    let connector = given.stored_connector().await;
    let running = given.running_sync(&connector).await;
    let gone = given.stored_connector().await;
    let now = given.now();
    let task = given
        .catalog
        .connector_delete(
            &gone.space_id,
            &gone.collection_id,
            gone.id,
            ExpectedVersion::Any,
            Remains::Kept,
            now,
        )
        .await
        .unwrap();
    let use_of_key = given.idempotent(1, 1);
    given.catalog.space_create(given.a_space(), Some(use_of_key.clone())).await.unwrap();
    let spaces = given.catalog.space_list(NameFilter::default(), first(9)).await.unwrap();
    drop(given);

    let again = Given::new(Arc::new(open(&path)));
    assert_eq!(*again.catalog.secret(), secret);
    assert_eq!(again.catalog.space_list(NameFilter::default(), first(9)).await.unwrap(), spaces);
    let (space_id, collection_id) = (&connector.space_id, &connector.collection_id);
    let found = again.catalog.connector_get(space_id, collection_id, connector.id).await.unwrap();
    assert_eq!(found, Some(connector));
    assert_eq!(again.sync(&running.sync).await, running.sync);
    assert_eq!(
        again.catalog.task_list(9).await.unwrap(),
        task.deleted().map(|deleted| deleted.task).into_iter().collect::<Vec<_>>()
    );
    let effect = again.catalog.space_create(again.a_space(), Some(use_of_key.clone())).await.unwrap();
    assert_eq!(effect, Effect::Replayed(use_of_key.answer));
    let claims = again.catalog.sync_take_over(again.a_lease(2, again.now())).await.unwrap();
    assert!(claims[0].fence > running.fence);
}

#[tokio::test]
async fn a_deleted_default_space_does_not_come_back() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("catalog.db");
    let given = Given::new(Arc::new(open(&path)));
    given.catalog.space_delete(&"default".parse().unwrap(), true, given.now()).await.unwrap();
    drop(given);
    let again = open(&path);
    assert_eq!(again.space_list(NameFilter::default(), first(9)).await.unwrap().items, []);
    assert_eq!(again.collection_stores().await.unwrap(), []);
    assert_eq!(again.task_list(9).await.unwrap().len(), 1);
}

#[test]
fn each_catalog_has_a_secret_of_its_own_and_never_shows_it() {
    let directory = tempfile::tempdir().unwrap();
    let catalog = |name: &str, seed| {
        open_catalog(&directory.path().join(name), &SystemClock, &SeededEntropy::new(seed)).unwrap()
    };
    let (one, two) = (catalog("one", 1), catalog("two", 2));
    assert_ne!(one.secret(), two.secret());
    let path = directory.path().join("one");
    assert_eq!(
        format!("{one:?}"),
        format!("SqlCatalog {{ database: SqliteDatabase {{ path: {path:?}, .. }}, .. }}")
    );
}

#[tokio::test]
async fn a_value_that_we_never_write_is_told_as_damage() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("catalog.db");
    let given = Given::new(Arc::new(open(&path)));
    let connector = given.stored_connector().await;
    for sql in
        ["UPDATE connectors SET config = '{'", "UPDATE connectors SET config = '{}', store_id = 'sto_'"]
    {
        look_into(&path).execute_batch(sql).unwrap();
        let (space_id, collection_id) = (&connector.space_id, &connector.collection_id);
        let outcome = given.catalog.connector_get(space_id, collection_id, connector.id).await;
        assert_eq!(kind(outcome), StoreErrorKind::Damaged, "{sql}");
    }
}

/// Whoever backs the directory up, or looks into it, must not stop the server.
#[tokio::test]
async fn another_process_that_reads_stops_nobody() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("catalog.db");
    let given = Given::new(Arc::new(open(&path)));
    let reader = look_into(&path);
    reader.execute_batch("BEGIN; SELECT * FROM spaces").unwrap();
    let before = count_of_spaces(&reader);
    given.stored_space().await;
    assert_eq!(count_of_spaces(&reader), before);
    reader.execute_batch("COMMIT").unwrap();
    assert_eq!(count_of_spaces(&reader), before + 1);
}

fn count_of_spaces(db: &rusqlite::Connection) -> i64 {
    db.query_row("SELECT count(*) FROM spaces", [], |row| row.get(0)).unwrap()
}

#[test]
fn the_journal_is_a_log_and_the_version_is_the_fourth() {
    let directory = tempfile::tempdir().unwrap();
    let path: &Path = &directory.path().join("catalog.db");
    drop(open(path));
    let db = look_into(path);
    let text = |pragma: &str| db.pragma_query_value(None, pragma, |row| row.get::<_, String>(0)).unwrap();
    let number = |pragma: &str| db.pragma_query_value(None, pragma, |row| row.get::<_, i32>(0)).unwrap();
    assert_eq!(text("journal_mode"), "wal");
    assert_eq!((number("user_version"), number("application_id")), (4, i32::from_be_bytes(*b"INLC")));
    assert_eq!(text("integrity_check"), "ok");
}
