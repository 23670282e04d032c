//! What stays of a deleted connector, and for how long.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use inlet_model::sync::Outcome;
use inlet_store::catalog::{Connector, ExpectedVersion, Remains};
use inlet_store::conformance::catalog::given::Given;

use super::{look_into, open};

const A_DAY: Duration = Duration::from_secs(24 * 60 * 60);

async fn delete(given: &Given, connector: &Connector) {
    let (space_id, collection_id) = (&connector.space_id, &connector.collection_id);
    let now = given.now();
    given
        .catalog
        .connector_delete(space_id, collection_id, connector.id, ExpectedVersion::Any, Remains::Kept, now)
        .await
        .unwrap()
        .deleted()
        .unwrap();
}

/// Any write that ends or deletes something tidies in passing.
async fn something_happens(given: &Given) {
    delete(given, &given.stored_connector().await).await;
}

fn rows(path: &Path, table: &str) -> i64 {
    let sql = format!("SELECT count(*) FROM {table}");
    look_into(path).query_row(&sql, [], |row| row.get(0)).unwrap()
}

#[tokio::test]
async fn its_config_is_forgotten_at_once() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("catalog.db");
    let given = Given::new(Arc::new(open(&path)));
    let one = given.stored_connector().await;
    given.running_sync(&one).await;
    delete(&given, &one).await;
    let two = given.stored_connector().await;
    given.running_sync(&two).await;
    given.catalog.space_delete(&two.space_id, true, given.now()).await.unwrap();
    let sql = "SELECT count(*) FROM connectors WHERE config != '{}' OR streams IS NOT NULL";
    assert_eq!(look_into(&path).query_row(sql, [], |row| row.get(0)), Ok(0));
    let sql = "SELECT count(*) FROM syncs WHERE claimed IS NOT NULL";
    assert_eq!(look_into(&path).query_row(sql, [], |row| row.get(0)), Ok(0));
}

#[tokio::test]
async fn its_rows_go_in_passing_after_a_day() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("catalog.db");
    let given = Given::new(Arc::new(open(&path)));
    let connector = given.stored_connector().await;
    let sync = given.finished_sync(&connector, Outcome::Succeeded).await;
    delete(&given, &connector).await;
    given.let_pass(A_DAY / 2);
    something_happens(&given).await;
    assert_eq!(given.sync(&sync).await, sync);
    given.let_pass(A_DAY);
    something_happens(&given).await;
    assert_eq!(given.catalog.sync_get(connector.id, sync.id).await.unwrap(), None);
    assert_eq!(rows(&path, "syncs"), 0);
}

#[tokio::test]
async fn its_rows_stay_as_long_as_a_sync_has_not_ended() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("catalog.db");
    let given = Given::new(Arc::new(open(&path)));
    let connector = given.stored_connector().await;
    let claim = given.running_sync(&connector).await;
    delete(&given, &connector).await;
    given.let_pass(10 * A_DAY);
    something_happens(&given).await;
    assert_eq!(rows(&path, "syncs"), 1);
    given.catalog.sync_finish(&given.a_run(&claim, Outcome::Cancelled)).await.unwrap();
    something_happens(&given).await;
    assert_eq!(rows(&path, "syncs"), 0);
}

#[tokio::test]
async fn a_long_history_goes_in_bounded_steps() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("catalog.db");
    let given = Given::new(Arc::new(open(&path)));
    let connector = given.stored_connector().await;
    let sync = given.finished_sync(&connector, Outcome::Succeeded).await;
    look_into(&path)
        .execute(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 500)
             INSERT INTO syncs (id, connector_id, status, asked_by, mode, attempt, created_at, counts, streams)
             SELECT 'syn_' || i, connector_id, status, asked_by, mode, attempt, created_at + i, counts, streams
             FROM syncs, n WHERE id = ?1",
            [sync.id.to_string()],
        )
        .unwrap();
    delete(&given, &connector).await;
    given.let_pass(2 * A_DAY);
    let mut left = Vec::new();
    while rows(&path, "syncs") > 0 {
        something_happens(&given).await;
        left.push(rows(&path, "syncs"));
    }
    assert_eq!(left, [301, 101, 0]);
}
