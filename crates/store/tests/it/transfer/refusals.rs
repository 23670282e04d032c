//! When nothing is moved, and what nobody may open.

use std::ops::ControlFlow;
use std::path::Path;

use inlet_model::{SeededEntropy, SystemClock};
use inlet_store::postgres::Postgres;
use inlet_store::sqlite::{DataDir, inspect, open_catalog};
use inlet_store::transfer::{
    TransferError, TransferOptions, TransferProgress, TransferReport, TransferStep, into_database,
};
use inlet_store::{SqlCatalog, StoreErrorKind};

use super::servers::{Databases, connect};
use super::{SMALL, down, down_to, parts, scene, up, up_to};

fn code(outcome: Result<TransferReport, TransferError>) -> &'static str {
    outcome.unwrap_err().code()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_finished_cannot_be_opened() {
    let (databases, folder) = (Databases::start(), tempfile::tempdir().unwrap());
    let (dir, back, url) = (folder.path().join("first"), folder.path().join("back"), databases.empty().await);
    scene::write(&dir).await;
    assert_eq!(code(up_to(&dir, &url, SMALL, 9).await), "transfer.stopped");
    let database = Postgres::new(&url).unwrap();
    let refused = database.catalog(&SystemClock, &parts().1).await.unwrap_err();
    assert_eq!(refused.kind(), StoreErrorKind::Unfinished);
    let refused = database.migrate(&SystemClock, &parts().1).await.unwrap_err();
    assert_eq!(refused.kind(), StoreErrorKind::Unfinished);
    assert_eq!(code(down(&url, &back).await), "store.transfer_unfinished");
    up(&dir, &url).await.unwrap();
    database.catalog(&SystemClock, &parts().1).await.unwrap();

    assert_eq!(code(down_to(&url, &back, SMALL, 9).await), "transfer.stopped");
    let refused = open_catalog(&back.join("catalog.db"), &SystemClock, &parts().1).unwrap_err();
    assert_eq!(refused.kind(), StoreErrorKind::Unfinished);
    assert_eq!(inspect(&back).unwrap()[0].format.as_ref().unwrap_err().kind(), StoreErrorKind::Unfinished);
    assert_eq!(code(up(&back, &databases.empty().await).await), "store.transfer_unfinished");
    down(&url, &back).await.unwrap();
    open_catalog(&back.join("catalog.db"), &SystemClock, &parts().1).unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_an_empty_place_is_taken() {
    let (databases, folder) = (Databases::start(), tempfile::tempdir().unwrap());
    let (dir, other) = (folder.path().join("first"), folder.path().join("other"));
    scene::write(&dir).await;
    scene::write(&other).await;
    let url = databases.empty().await;
    // With what a server makes at its start: a space, and a collection in it.
    Postgres::new(&url).unwrap().catalog(&SystemClock, &parts().1).await.unwrap();
    up(&dir, &url).await.unwrap();
    assert_eq!(code(up(&dir, &url).await), "transfer.not_empty");
    let before = scene::everything(&other);
    assert_eq!(code(down(&url, &other).await), "transfer.not_empty");
    scene::assert_same(&scene::everything(&other), &before);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_move_of_one_thing_does_not_go_on_with_another() {
    let (databases, folder) = (Databases::start(), tempfile::tempdir().unwrap());
    let (dir, other, url) =
        (folder.path().join("first"), folder.path().join("other"), databases.empty().await);
    scene::write(&dir).await;
    drop(open_catalog_of(&other));
    assert_eq!(code(up_to(&dir, &url, SMALL, 5).await), "transfer.stopped");
    assert_eq!(code(up(&other, &url).await), "transfer.other_source");
    up(&dir, &url).await.unwrap();
}

/// A new directory, with a secret of its own.
fn open_catalog_of(dir: &Path) -> SqlCatalog {
    let dir = DataDir::lock(dir).unwrap();
    open_catalog(&dir.catalog_path(), &SystemClock, &SeededEntropy::new(5)).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_in_which_a_node_is_alive_is_left_alone_and_one_without_tables_too() {
    let (databases, folder) = (Databases::start(), tempfile::tempdir().unwrap());
    let (dir, back, url) = (folder.path().join("first"), folder.path().join("back"), databases.empty().await);
    assert_eq!(code(down(&url, &back).await), "transfer.nothing_there");
    scene::write(&dir).await;
    up(&dir, &url).await.unwrap();
    let client = connect(&url).await;
    client.batch_execute("UPDATE nodes SET lease_until = 9e15, name = 'left'").await.unwrap();
    assert_eq!(down(&url, &back).await.unwrap_err().to_string(), "the node `left` works with the database");
    client.batch_execute("UPDATE nodes SET lease_until = 0").await.unwrap();
    down(&url, &back).await.unwrap();
}

/// Stops a move when all is there and nothing is compared yet.
async fn copied(dir: &Path, url: &str) -> Result<TransferReport, TransferError> {
    let (dir, database) = (DataDir::lock(dir).unwrap(), Postgres::new(url).unwrap());
    let watch = |progress: &TransferProgress| match progress.step {
        TransferStep::Copying => ControlFlow::Continue(()),
        TransferStep::Checking => ControlFlow::Break(()),
    };
    into_database(dir, &database, parts(), TransferOptions::default(), watch).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_changed_meanwhile_is_found_and_named() {
    let (databases, folder) = (Databases::start(), tempfile::tempdir().unwrap());
    let (dir, url) = (folder.path().join("first"), databases.empty().await);
    scene::write(&dir).await;
    assert_eq!(code(copied(&dir, &url).await), "transfer.stopped");
    let client = connect(&url).await;
    client.batch_execute("UPDATE store_runs SET attempt = attempt + 1").await.unwrap();
    let error = up(&dir, &url).await.unwrap_err();
    assert!(error.to_string().contains("`store_runs`"), "{error}");
    assert_eq!(error.code(), "transfer.differs");
    // It stays what it is: not finished.
    assert_eq!(code(up(&dir, &url).await), "transfer.differs");
}
