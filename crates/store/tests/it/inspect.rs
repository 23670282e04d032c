//! Looking at the files of a data directory: what is found, and that nothing is changed.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use inlet_model::{ManualClock, SeededEntropy, StoreId, Timestamp};
use inlet_store::SqlCatalog;
use inlet_store::sqlite::{CollectionOptions, DataDir, Format, SqliteCollections, inspect, open_catalog};
use inlet_store::{CollectionStores, StoreErrorKind};

/// A data directory with a catalog and the file of one collection.
async fn data_dir(path: &Path) -> (SqlCatalog, SqliteCollections) {
    let dir = DataDir::lock(path).unwrap();
    let clock = ManualClock::new(Timestamp::from_millis(1));
    let catalog = open_catalog(&dir.catalog_path(), &clock, &SeededEntropy::new(1)).unwrap();
    let options = CollectionOptions::default();
    let stores =
        SqliteCollections::new(&dir.collections_dir(), Arc::new(SeededEntropy::new(2)), options).unwrap();
    stores.open(StoreId::from_u128(1)).await.unwrap();
    (catalog, stores)
}

fn databases(path: &Path) -> BTreeMap<String, Vec<u8>> {
    let folders = [path.to_owned(), path.join("collections")];
    let files =
        folders.iter().flat_map(|folder| fs::read_dir(folder).unwrap()).map(|entry| entry.unwrap().path());
    let databases = files.filter(|file| file.extension().is_some_and(|extension| extension == "db"));
    databases.map(|file| (file.display().to_string(), fs::read(&file).unwrap())).collect()
}

#[tokio::test]
async fn every_file_is_found_with_its_version_and_none_is_changed() {
    let folder = tempfile::tempdir().unwrap();
    let open = data_dir(folder.path()).await;
    let versions = || -> Vec<Format> {
        inspect(folder.path()).unwrap().into_iter().map(|report| report.format.unwrap()).collect()
    };
    let beside_a_process = versions();
    assert_eq!(beside_a_process.len(), 2);
    assert!(beside_a_process.iter().all(|format| format.version == format.newest && format.version > 0));
    drop(open);
    let before = databases(folder.path());
    assert_eq!(versions(), beside_a_process);
    assert_eq!(databases(folder.path()), before);
}

#[tokio::test]
async fn a_file_that_cannot_be_used_is_named_and_the_others_are_looked_at_still() {
    let folder = tempfile::tempdir().unwrap();
    drop(data_dir(folder.path()).await);
    fs::write(folder.path().join("catalog.db"), "not a database ".repeat(100)).unwrap();
    fs::write(folder.path().join("collections/zz.db"), "").unwrap();
    fs::write(folder.path().join("collections/zz.txt"), "no database").unwrap();
    let collection = folder.path().join(format!("collections/{}.db", StoreId::from_u128(1)));
    rusqlite::Connection::open(&collection).unwrap().pragma_update(None, "user_version", 1_000).unwrap();
    let found = inspect(folder.path()).unwrap();
    let kinds: Vec<_> =
        found.iter().map(|report| report.format.as_ref().map_err(|error| error.kind())).collect();
    let empty = found[2].format.as_ref().unwrap();
    assert_eq!(kinds, [Err(StoreErrorKind::Damaged), Err(StoreErrorKind::NewerFormat), Ok(empty)]);
    assert_eq!(empty.version, 0);
}

#[tokio::test]
async fn a_torn_page_of_the_catalog_is_damage() {
    let folder = tempfile::tempdir().unwrap();
    drop(data_dir(folder.path()).await);
    let catalog = folder.path().join("catalog.db");
    let mut bytes = fs::read(&catalog).unwrap();
    // Behind the first page, whose header still says that it is ours.
    for byte in &mut bytes[4096..12_288] {
        *byte = 0x5a;
    }
    fs::write(&catalog, bytes).unwrap();
    let found = inspect(folder.path()).unwrap();
    assert_eq!(found[0].format.as_ref().unwrap_err().kind(), StoreErrorKind::Damaged);
}

#[test]
fn a_directory_that_is_none_is_an_error() {
    assert!(inspect(Path::new("/nowhere/at/all")).is_err());
}
