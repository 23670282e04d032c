//! Tables without partitions, which are made so beforehand.

use std::sync::Arc;

use inlet_model::{SeededEntropy, StoreId};
use inlet_store::CollectionStores;
use inlet_store::postgres::{Layout, Postgres, PostgresCollections, PostgresOptions};
use inlet_store::transfer::STORE;

use super::scene::{self, assert_same, everything};
use super::servers::{Databases, connect, number};
use super::{down, parts, up};

async fn without_partitions(url: &str) -> Postgres {
    let options = PostgresOptions { layout: Layout::Shared, ..Default::default() };
    let database = Postgres::with_options(url, options).unwrap();
    assert_eq!(database.migrate(&parts().0, &parts().1).await.unwrap().layout, Layout::Shared);
    database
}

#[tokio::test]
async fn a_directory_comes_back_from_tables_without_partitions_as_it_was() {
    let (folder, back, databases) =
        (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap(), Databases::start());
    scene::write(folder.path()).await;
    let url = databases.empty().await;
    without_partitions(&url).await;
    up(folder.path(), &url).await.unwrap();
    // What waited in the log has been filed by now.
    let before = everything(folder.path());
    assert_eq!(number(&url, "SELECT count(*) FROM pg_inherits").await, 0);
    down(&url, back.path()).await.unwrap();
    assert_same(&before, &everything(back.path()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_collection_without_partitions_goes_with_all_its_rows_and_no_others() {
    let (folder, databases) = (tempfile::tempdir().unwrap(), Databases::start());
    scene::write(folder.path()).await;
    let url = databases.empty().await;
    let database = without_partitions(&url).await;
    up(folder.path(), &url).await.unwrap();
    // More than go at once, some of them with keys that are as low as keys can be.
    let many = format!(
        "INSERT INTO store_keys SELECT '{0}', decode(to_hex(n), 'hex'), '' FROM generate_series(4096, 40000) AS n WHERE length(to_hex(n)) = 4;
         INSERT INTO store_keys VALUES ('{0}', '\\x00', '');
         INSERT INTO store_expired SELECT '{0}', n FROM generate_series(-9, 25000) AS n ON CONFLICT DO NOTHING;",
        uuid(scene::FULL)
    );
    connect(&url).await.batch_execute(&many).await.unwrap();
    let (gone, kept) = (count(&url, "=", scene::FULL).await, count(&url, "<>", scene::FULL).await);
    assert!(gone.iter().all(|rows| *rows > 0), "{gone:?}");

    let stores = PostgresCollections::new(&database, Arc::new(SeededEntropy::new(1)));
    stores.remove(scene::FULL).await.unwrap();
    assert!(stores.find(scene::FULL).await.unwrap().is_none());
    assert_eq!(
        (count(&url, "=", scene::FULL).await, count(&url, "<>", scene::FULL).await),
        (vec![0; gone.len()], kept)
    );

    // One that was killed right after its beginning, and is asked for again.
    let begun = format!("DELETE FROM store_meta WHERE store = '{}'", uuid(scene::BUSY));
    connect(&url).await.batch_execute(&begun).await.unwrap();
    stores.remove(scene::BUSY).await.unwrap();
    assert_eq!(count(&url, "=", scene::BUSY).await, vec![0; gone.len()]);
}

/// The rows of each table that are, or are not, of a store.
async fn count(url: &str, sign: &str, store: StoreId) -> Vec<i64> {
    let mut rows = Vec::new();
    for table in STORE {
        let sql = format!("SELECT count(*) FROM {} WHERE store {sign} '{}'", table.name, uuid(store));
        rows.push(number(url, &sql).await);
    }
    rows
}

fn uuid(id: StoreId) -> String {
    format!("{:032x}", id.as_u128())
}
