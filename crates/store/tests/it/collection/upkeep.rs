//! What upkeep does to the file, and what a process that dies in a step leaves.

use std::path::Path;
use std::process::Command;

use inlet_model::StoreId;
use inlet_store::sqlite::CollectionOptions;
use inlet_store::{CollectionStore, CollectionStores};

use super::scene::{begin, commit, finish, held, synced, undo_step, upkeep_step};

const STORE: StoreId = StoreId::from_u128(1);

/// Set in the process that is to die: what it is to do, and where.
const CHILD: &str = "INLET_TEST_UPKEEP_CHILD";
const CHILD_DIR: &str = "INLET_TEST_UPKEEP_DIR";

#[tokio::test]
async fn the_room_of_what_has_gone_is_used_again_and_the_index_stays_right() {
    let folder = tempfile::tempdir().unwrap();
    let stores = super::open(folder.path(), CollectionOptions::default());
    let store = stores.open(STORE).await.unwrap();
    let mut pages_after = Vec::new();
    for round in 1..=12 {
        synced(&*store, 2 * round, 0..3_000, &format!("{round:0100}")).await;
        // Others are there for a moment.
        let passing = 10_000 + 100 * round;
        begin(&*store, 2 * round + 1, 2 * round + 1).await;
        commit(&*store, 2 * round + 1, passing..passing + 50, "x").await;
        commit(&*store, 2 * round + 1, passing..passing + 50, "").await;
        finish(&*store, 2 * round + 1, 2 * round + 1).await;
        while upkeep_step(&*store, 1_000, 700).await {
            assert_index_is_right(folder.path(), &*store).await;
        }
        pages_after.push(pages(folder.path()));
        let (records, changes) = held(&*store).await;
        assert_eq!((records.len(), changes), (3_000, 3_000));
    }
    let (early, late) = (pages_after[2], *pages_after.last().unwrap());
    assert!(late <= early + early / 4, "the file grows: {pages_after:?} pages");
}

#[tokio::test]
async fn blocks_of_small_commits_become_few() {
    let folder = tempfile::tempdir().unwrap();
    let stores = super::open(folder.path(), CollectionOptions::default());
    let store = stores.open(STORE).await.unwrap();
    begin(&*store, 1, 1).await;
    for id in 0..300 {
        commit(&*store, 1, id..id + 1, "a").await;
    }
    finish(&*store, 1, 1).await;
    let before = held(&*store).await;
    assert_eq!(number(folder.path(), "SELECT count(*) FROM blocks"), 300);
    while upkeep_step(&*store, 1_000, 2_000).await {}
    assert!(number(folder.path(), "SELECT count(*) FROM blocks") <= 4);
    assert_index_is_right(folder.path(), &*store).await;
    assert_eq!(held(&*store).await, before);
}

#[tokio::test]
async fn a_process_that_dies_in_upkeep_or_in_an_undo_loses_nothing() {
    if let Ok(what) = std::env::var(CHILD) {
        let dir = std::env::var_os(CHILD_DIR).unwrap();
        return work_until_killed(&what, Path::new(&dir)).await;
    }
    for what in ["upkeep", "undo"] {
        for point in ["before", "after"] {
            for passed in [1, 2, 3, 5] {
                let fault = format!("{what}.{point}@{passed}=kill");
                let folder = tempfile::tempdir().unwrap();
                let before = written(folder.path()).await;
                kill(what, folder.path(), &fault);
                match what {
                    "upkeep" => assert_upkeep_goes_on(folder.path(), &before, &fault).await,
                    _ => assert_undo_goes_on(folder.path(), &before, &fault).await,
                }
            }
        }
    }
}

/// A collection of two syncs; the records before the second, and after it.
async fn written(dir: &Path) -> [super::scene::Held; 2] {
    let stores = super::open(dir, CollectionOptions::default());
    let store = stores.open(STORE).await.unwrap();
    synced(&*store, 1, 0..900, "a").await;
    let (first, _) = held(&*store).await;
    begin(&*store, 2, 2).await;
    commit(&*store, 2, 300..600, "b").await;
    commit(&*store, 2, 600..700, "").await;
    commit(&*store, 2, 900..1_000, "b").await;
    finish(&*store, 2, 2).await;
    [first, held(&*store).await.0]
}

async fn work_until_killed(what: &str, dir: &Path) {
    let stores = super::open(dir, CollectionOptions::default());
    let store = stores.open(STORE).await.unwrap();
    if what == "undo" {
        begin(&*store, 3, 3).await;
        while !undo_step(&*store, 3, 3, 2).await.done {}
    }
    while upkeep_step(&*store, 1_000, 100).await {}
}

/// Does the work in another process, which dies there.
fn kill(what: &str, dir: &Path, fault: &str) {
    let this = "collection::upkeep::a_process_that_dies_in_upkeep_or_in_an_undo_loses_nothing";
    let child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", this])
        .envs([(CHILD, what), ("INLET_FAULTS", fault)])
        .env(CHILD_DIR, dir)
        .output()
        .unwrap();
    assert!(!child.status.success(), "{fault} killed nobody");
}

async fn assert_upkeep_goes_on(dir: &Path, [_, present]: &[super::scene::Held; 2], fault: &str) {
    let stores = super::open(dir, CollectionOptions::default());
    let store = stores.open(STORE).await.unwrap();
    assert_eq!(&held(&*store).await.0, present, "{fault}");
    assert_index_is_right(dir, &*store).await;
    while upkeep_step(&*store, 1_000, 100).await {}
    assert_eq!(held(&*store).await, (present.clone(), present.len()), "{fault}");
}

async fn assert_undo_goes_on(dir: &Path, [before, _]: &[super::scene::Held; 2], fault: &str) {
    let stores = super::open(dir, CollectionOptions::default());
    let store = stores.open(STORE).await.unwrap();
    held(&*store).await;
    begin(&*store, 3, 4).await;
    while !undo_step(&*store, 3, 4, 2).await.done {}
    finish(&*store, 3, 4).await;
    assert_eq!(&held(&*store).await.0, before, "{fault}");
    assert_eq!(undone(&*store).await, (100, 300, 100), "{fault}");
    assert_index_is_right(dir, &*store).await;
}

/// What the undo created, updated and deleted.
async fn undone(store: &dyn CollectionStore) -> (u64, u64, u64) {
    let counts = store.run(super::scene::sync_id(3)).await.unwrap().unwrap().counts;
    (counts.created, counts.updated, counts.deleted)
}

/// The index of blocks says of each what is in it, as far as that can be seen from outside.
async fn assert_index_is_right(dir: &Path, store: &dyn CollectionStore) {
    let records = i64::try_from(store.stats().await.unwrap().records).unwrap();
    assert_eq!(number(dir, "SELECT sum(live) FROM block_index"), records);
    let expired = "SELECT count(*) FROM block_index WHERE expired <>
        (SELECT count(*) FROM expired WHERE change BETWEEN first_change AND last_change)";
    assert_eq!(number(dir, expired), 0);
    let lost = "SELECT count(*) FROM expired WHERE NOT EXISTS
        (SELECT 1 FROM block_index WHERE change BETWEEN first_change AND last_change)";
    assert_eq!(number(dir, lost), 0);
    let unknown = "SELECT (SELECT count(*) FROM blocks) - (SELECT count(*) FROM block_index)";
    assert_eq!(number(dir, unknown), 0);
    let shown = number(dir, "SELECT sum(entries - expired) FROM block_index");
    let (_, changes) = held(store).await;
    assert_eq!(shown, i64::try_from(changes).unwrap());
    assert_eq!(
        number(dir, "SELECT count(*) FROM block_index WHERE live > entries - expired OR entries = 0"),
        0
    );
}

fn pages(dir: &Path) -> i64 {
    number(dir, "SELECT page_count FROM pragma_page_count()")
}

fn number(dir: &Path, sql: &str) -> i64 {
    let connection = rusqlite::Connection::open(dir.join(format!("{STORE}.db"))).unwrap();
    connection.query_row(sql, [], |row| row.get(0)).unwrap()
}
