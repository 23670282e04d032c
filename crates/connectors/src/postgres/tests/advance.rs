//! Incremental reading: no row is passed, whenever its transaction ends.

use super::*;

async fn table_by_time() -> (Sandbox, Subject, Collection) {
    let sandbox = Sandbox::with(
        "CREATE TABLE t (id int PRIMARY KEY, at timestamptz NOT NULL DEFAULT now()); INSERT INTO t VALUES (1)",
    )
    .await;
    let subject = sandbox.by_cursor("at").await;
    let mut collection = Collection::default();
    sync(&subject, &mut collection).await;
    (sandbox, subject, collection)
}

#[tokio::test]
async fn only_what_is_new_is_read() {
    let (sandbox, subject, mut collection) = table_by_time().await;
    sandbox.write("INSERT INTO t VALUES (2), (3)").await;
    assert_eq!(
        told(&sync(&subject, &mut collection).await),
        ["3 records", "end"],
        "the one at the bound comes again"
    );
    assert_eq!(told(&sync(&subject, &mut collection).await), ["2 records", "end"]);
    assert_eq!(keys(&collection), ["1", "2", "3"]);
}

#[tokio::test]
async fn a_row_whose_transaction_commits_late_is_not_passed() {
    let (sandbox, subject, mut collection) = table_by_time().await;
    let late = sandbox.server.connect("postgres").await;
    // Its time is taken here; it has written nothing, so it has no number yet.
    late.batch_execute("BEGIN").await.unwrap();
    sandbox.write("INSERT INTO t VALUES (2)").await;
    sync(&subject, &mut collection).await;
    late.batch_execute("INSERT INTO t VALUES (3)").await.unwrap();
    sandbox.write("INSERT INTO t VALUES (4)").await;
    for _ in 0..2 {
        sync(&subject, &mut collection).await;
    }
    assert_eq!(keys(&collection), ["1", "2", "4"]);
    late.batch_execute("COMMIT").await.unwrap();
    sync(&subject, &mut collection).await;
    assert_eq!(keys(&collection), ["1", "2", "3", "4"]);
}

#[tokio::test]
async fn a_prepared_transaction_is_waited_for() {
    let (sandbox, subject, mut collection) = table_by_time().await;
    let other = sandbox.server.connect("postgres").await;
    other.batch_execute("BEGIN; INSERT INTO t VALUES (2); PREPARE TRANSACTION 'late'").await.unwrap();
    for id in 3..6 {
        sandbox.write(&format!("INSERT INTO t VALUES ({id})")).await;
        sync(&subject, &mut collection).await;
    }
    other.batch_execute("COMMIT PREPARED 'late'").await.unwrap();
    sync(&subject, &mut collection).await;
    assert_eq!(keys(&collection), ["1", "2", "3", "4", "5"]);
}

#[tokio::test]
async fn a_transaction_that_is_prepared_between_two_syncs_is_waited_for() {
    let (sandbox, subject, mut collection) = table_by_time().await;
    let other = sandbox.server.connect("postgres").await;
    other.batch_execute("BEGIN; INSERT INTO t VALUES (2)").await.unwrap();
    sandbox.write("INSERT INTO t VALUES (3)").await;
    sync(&subject, &mut collection).await;
    other.batch_execute("PREPARE TRANSACTION 'late'").await.unwrap();
    for id in 4..7 {
        sandbox.write(&format!("INSERT INTO t VALUES ({id})")).await;
        sync(&subject, &mut collection).await;
    }
    other.batch_execute("COMMIT PREPARED 'late'").await.unwrap();
    sync(&subject, &mut collection).await;
    assert_eq!(keys(&collection), ["1", "2", "3", "4", "5", "6"]);
}

#[tokio::test]
async fn a_role_that_may_only_read_sees_what_runs() {
    let (sandbox, _, _) = table_by_time().await;
    sandbox.write("CREATE ROLE reader LOGIN PASSWORD 'pass'; GRANT SELECT ON t TO reader").await;
    let source = sandbox.source_with(json!({"user": "reader", "password": "pass"}));
    let subject = sandbox.by_cursor_of(source, "at").await;
    let mut collection = Collection::default();
    let late = sandbox.server.connect("postgres").await;
    late.batch_execute("BEGIN").await.unwrap();
    sandbox.write("INSERT INTO t VALUES (2)").await;
    sync(&subject, &mut collection).await;
    late.batch_execute("INSERT INTO t VALUES (3); COMMIT").await.unwrap();
    sync(&subject, &mut collection).await;
    assert_eq!(keys(&collection), ["1", "2", "3"]);
}

#[tokio::test]
async fn what_runs_in_other_databases_holds_nothing_up() {
    let (sandbox, subject, mut collection) = table_by_time().await;
    sandbox.write("CREATE DATABASE other").await;
    let other = sandbox.server.connect("other").await;
    other.batch_execute("BEGIN").await.unwrap();
    sandbox.write("INSERT INTO t VALUES (2)").await;
    sync(&subject, &mut collection).await;
    sandbox.write("INSERT INTO t VALUES (3)").await;
    let told = told(&sync(&subject, &mut collection).await);
    assert_eq!(told, ["2 records", "end"], "the cursor has moved");
}

#[tokio::test]
async fn rows_written_with_times_of_clients_are_read_behind_a_lag() {
    let (sandbox, _, _) = table_by_time().await;
    let source = sandbox.source_with(json!({"cursor_lag": "1h"}));
    let subject = sandbox.by_cursor_of(source, "at").await;
    let mut collection = Collection::default();
    sync(&subject, &mut collection).await;
    sandbox
        .write("INSERT INTO t VALUES (2, now() - interval '30 minutes'), (3, now() - interval '2 hours')")
        .await;
    sync(&subject, &mut collection).await;
    assert_eq!(keys(&collection), ["1", "2"], "what comes later than the lag waits for a full refresh");
    let of_numbers = sandbox.source_with(json!({"cursor_lag": "10"}));
    let subject = sandbox.by_cursor_of(of_numbers, "at").await;
    assert!(failure(&sync(&subject, &mut collection).await).to_string().contains("does not fit"));
}

#[tokio::test]
async fn rows_without_a_value_are_read_each_time_and_infinity_is_never_passed() {
    let sandbox = Sandbox::with(
        "CREATE TABLE t (id int PRIMARY KEY, at float8); INSERT INTO t VALUES (1, 1), (2, NULL), (3, 'Infinity'), (4, 'NaN'), (5, '-Infinity')",
    )
    .await;
    let subject = sandbox.by_cursor("at").await;
    let mut collection = Collection::default();
    sync(&subject, &mut collection).await;
    sandbox.write("INSERT INTO t VALUES (6, 2), (7, NULL)").await;
    let messages = sync(&subject, &mut collection).await;
    assert!(
        told(&messages)[0].starts_with("3 rows of public.t have no value in the cursor field `at`"),
        "{:?}",
        told(&messages)
    );
    assert_eq!(keys(&collection), ["1", "2", "3", "4", "5", "6", "7"]);
}

#[tokio::test]
async fn a_table_whose_columns_change_is_listed_again() {
    let (sandbox, subject, mut collection) = table_by_time().await;
    sandbox.write("ALTER TABLE t ADD COLUMN more int DEFAULT 7").await;
    assert_eq!(told(&sync(&subject, &mut collection).await)[0], "listing");
    assert!(data(&collection)[0].contains("\"more\":7"));
}
