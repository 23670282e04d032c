//! The files of collections: whose they are, who may read them, and how many are open.

use std::fs;
use std::path::{Path, PathBuf};

use inlet_model::StoreId;
use inlet_store::sqlite::CollectionOptions;
use inlet_store::{CollectionStores, StoreErrorKind};

use super::open;

const STORE: StoreId = StoreId::from_u128(1);

fn file(dir: &Path, id: StoreId) -> PathBuf {
    dir.join(format!("{id}.db"))
}

/// How opening the collection fails.
async fn refusal(dir: &Path) -> StoreErrorKind {
    open(dir, CollectionOptions::default()).open(STORE).await.unwrap_err().kind()
}

fn look_into(dir: &Path) -> rusqlite::Connection {
    rusqlite::Connection::open(file(dir, STORE)).unwrap()
}

fn names(dir: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[tokio::test]
async fn a_newer_format_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    drop(open(folder.path(), CollectionOptions::default()).open(STORE).await.unwrap());
    look_into(folder.path()).pragma_update(None, "user_version", 1_000).unwrap();
    let before = fs::read(file(folder.path(), STORE)).unwrap();
    assert_eq!(refusal(folder.path()).await, StoreErrorKind::NewerFormat);
    assert_eq!(fs::read(file(folder.path(), STORE)).unwrap(), before);
}

#[tokio::test]
async fn the_database_of_another_program_is_refused_and_left_alone() {
    for sql in [
        "CREATE TABLE theirs (a); INSERT INTO theirs VALUES (1);",
        "PRAGMA user_version = 1;",
        "PRAGMA application_id = 7; PRAGMA user_version = 1;",
    ] {
        let folder = tempfile::tempdir().unwrap();
        look_into(folder.path()).execute_batch(sql).unwrap();
        let before = fs::read(file(folder.path(), STORE)).unwrap();
        assert_eq!(refusal(folder.path()).await, StoreErrorKind::Damaged, "{sql}");
        assert_eq!(fs::read(file(folder.path(), STORE)).unwrap(), before, "{sql}");
    }
}

#[tokio::test]
async fn what_is_no_database_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let text = "id,name\n1,not a database\n".repeat(1_000);
    fs::write(file(folder.path(), STORE), &text).unwrap();
    assert_eq!(refusal(folder.path()).await, StoreErrorKind::Damaged);
    assert_eq!(fs::read_to_string(file(folder.path(), STORE)).unwrap(), text);
}

#[tokio::test]
async fn a_place_that_cannot_hold_files_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(file(folder.path(), STORE)).unwrap();
    assert_eq!(refusal(folder.path()).await, StoreErrorKind::Unavailable);
}

#[cfg(unix)]
#[tokio::test]
async fn only_the_owner_may_read_the_files() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("collections");
    let stores = open(&dir, CollectionOptions::default());
    let store = stores.open(STORE).await.unwrap();
    assert_eq!(store.stats().await.unwrap().records, 0);
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&dir), 0o700);
    assert_eq!(names(&dir).len(), 3, "the file, its log and the log's index");
    for name in names(&dir) {
        assert_eq!(mode(&dir.join(&name)), 0o600, "{name}");
    }
}

#[tokio::test]
async fn a_closed_collection_is_one_file() {
    let folder = tempfile::tempdir().unwrap();
    {
        let stores = open(folder.path(), CollectionOptions::default());
        let store = stores.open(STORE).await.unwrap();
        assert_eq!(store.stats().await.unwrap().last_change, 0);
    }
    assert_eq!(names(folder.path()), [format!("{STORE}.db")]);
    let connection = look_into(folder.path());
    let number =
        |pragma: &str| connection.pragma_query_value(None, pragma, |row| row.get::<_, i64>(0)).unwrap();
    assert_eq!((number("application_id"), number("user_version")), (0x494e_4c52, 1));
    assert_eq!(number("page_size"), 8192);
    let mode: String = connection.pragma_query_value(None, "journal_mode", |row| row.get(0)).unwrap();
    assert_eq!(mode, "wal");
}

#[tokio::test]
async fn collections_that_nobody_uses_are_closed_beyond_the_allowed_number() {
    let folder = tempfile::tempdir().unwrap();
    let stores = open(folder.path(), CollectionOptions { max_open: 3, ..CollectionOptions::default() });
    let is_open = |id: u128| {
        let mut log = file(folder.path(), StoreId::from_u128(id)).into_os_string();
        log.push("-wal");
        Path::new(&log).exists()
    };
    let open = async |id: u128| stores.open(StoreId::from_u128(id)).await.unwrap();
    // The first is used all the time, the second again and again.
    let used = open(1).await;
    for id in 2..=6 {
        open(id).await;
        open(2).await;
    }
    assert_eq!((1..=6).filter(|id| is_open(*id)).collect::<Vec<_>>(), [1, 2, 6]);
    assert_eq!(used.stats().await.unwrap().records, 0);
    assert_eq!(open(3).await.stats().await.unwrap().records, 0, "a closed one is opened again");
    assert_eq!(stores.list().await.unwrap().len(), 6);
}

#[tokio::test]
async fn only_the_files_of_collections_are_listed() {
    let folder = tempfile::tempdir().unwrap();
    let stores = open(folder.path(), CollectionOptions::default());
    let _open = stores.open(STORE).await.unwrap();
    for name in [
        "notes.txt",
        "sto_x.db",
        "con_00000000000000000000000001.db",
        "sto_00000000000000000000000001.db.bak",
    ] {
        fs::write(folder.path().join(name), "").unwrap();
    }
    assert_eq!(stores.list().await.unwrap(), [STORE]);
}
