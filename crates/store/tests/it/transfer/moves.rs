//! What is moved, and that it is the same there.

use std::sync::Arc;

use inlet_model::{SeededEntropy, SystemClock};
use inlet_store::postgres::{Postgres, PostgresCollections};
use inlet_store::sqlite::open_catalog;
use inlet_store::transfer::{CATALOG, STORE};
use inlet_store::{Catalog, CollectionStores};

use super::servers::{Databases, connect, number};
use super::{down, parts, scene, up};
use crate::catalog::golden::show_everything;
use crate::collection::scene::{commit, finish, held};
use crate::collection::{logging_options, open};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everything_goes_over_and_back_unchanged() {
    let (databases, folder) = (Databases::start(), tempfile::tempdir().unwrap());
    let (first, url, back) =
        (folder.path().join("first"), databases.empty().await, folder.path().join("back"));
    scene::write(&first).await;
    let over = up(&first, &url).await.unwrap();
    let before = scene::everything(&first);
    for table in CATALOG.iter().chain(STORE) {
        assert!(over.rows(table.name) > 0, "the scene has nothing in {}", table.name);
    }
    assert_eq!(over.stores, 3);
    let again = down(&url, &back).await.unwrap();
    assert_eq!(again, over);
    scene::assert_same(&scene::everything(&back), &before);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_opens_the_database_goes_on_where_the_directory_ended() {
    let (databases, folder) = (Databases::start(), tempfile::tempdir().unwrap());
    let (dir, url) = (folder.path().join("first"), databases.empty().await);
    scene::write(&dir).await;
    let before = {
        let store = open(&dir.join("collections"), logging_options()).open(scene::BUSY).await.unwrap();
        held(&*store).await
    };
    up(&dir, &url).await.unwrap();
    let database = Postgres::new(&url).unwrap();
    let secret = *database.catalog(&SystemClock, &parts().1).await.unwrap().secret();
    let in_directory = open_catalog(&dir.join("catalog.db"), &SystemClock, &parts().1).unwrap();
    assert_eq!(&secret, in_directory.secret());
    let stores = PostgresCollections::new(&database, Arc::new(SeededEntropy::new(1)));
    let store = stores.open(scene::BUSY).await.unwrap();
    assert_eq!(held(&*store).await, before);
    // Its run is open still, under the fence that it had.
    commit(&*store, 5, 6_000..6_003, "there").await;
    finish(&*store, 5, 5).await;
    let (records, changes) = held(&*store).await;
    assert_eq!((records.len(), changes), (before.0.len() + 3, before.1 + 3));
}

/// Syncs that run, wait, are queued and ask; schedules, keys of requests that come again, deliveries: each as its methods show it, and
/// what is claimed and taken over next.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_catalog_says_the_same_there_and_gives_out_the_same_work() {
    let (databases, folder) = (Databases::start(), tempfile::tempdir().unwrap());
    let (dir, url) = (folder.path().join("first"), databases.empty().await);
    scene::write(&dir).await;
    up(&dir, &url).await.unwrap();
    let database = Postgres::new(&url).unwrap();
    let there = show_everything(database.catalog(&SystemClock, &parts().1).await.unwrap()).await;
    let here = open_catalog(&dir.join("catalog.db"), &SystemClock, &parts().1).unwrap();
    let here = show_everything(here).await;
    assert!(here.contains("waiting") && there == here, "there it shows:\n{there}");
}

/// Numbers that were given out may be of rows that have gone.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_counted_goes_on_behind_the_last_number() {
    let (databases, folder) = (Databases::start(), tempfile::tempdir().unwrap());
    let (dir, url, back) = (folder.path().join("first"), databases.empty().await, folder.path().join("back"));
    scene::write(&dir).await;
    let catalog = rusqlite::Connection::open(dir.join("catalog.db")).unwrap();
    catalog
        .execute_batch("UPDATE sqlite_sequence SET seq = 41; DELETE FROM tasks; DELETE FROM audit")
        .unwrap();
    let file = dir.join(format!("collections/{}.db", scene::FULL));
    let store = rusqlite::Connection::open(&file).unwrap();
    store.execute_batch("UPDATE sqlite_sequence SET seq = 41").unwrap();
    drop((catalog, store));
    up(&dir, &url).await.unwrap();
    for sequence in ["tasks_id_seq", "purges_id_seq", "delivery_numbers"] {
        assert_eq!(number(&url, &format!("SELECT nextval('{sequence}')")).await, 42, "{sequence}");
    }
    assert_eq!(number(&url, "SELECT nextval('audit_number_seq')").await, 1);
    assert_eq!(number(&url, "SELECT max(next_push) FROM store_meta").await, 42);
    // A place was left out: the next one is behind it.
    connect(&url)
        .await
        .batch_execute("UPDATE store_meta SET next_push = 51 WHERE next_push = 42")
        .await
        .unwrap();
    down(&url, &back).await.unwrap();
    let last = |file: std::path::PathBuf, table: &str| -> i64 {
        let file = rusqlite::Connection::open(file).unwrap();
        file.query_row("SELECT seq FROM sqlite_sequence WHERE name = ?1", [table], |row| row.get(0)).unwrap()
    };
    for table in ["tasks", "purges", "deliveries"] {
        assert_eq!(last(back.join("catalog.db"), table), 42);
    }
    assert_eq!(last(back.join(format!("collections/{}.db", scene::FULL)), "inbox"), 50);
}
