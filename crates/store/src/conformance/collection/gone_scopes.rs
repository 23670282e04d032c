//! Scopes that are not there any more: their records go, and they with them.

use inlet_model::{ChangeOp, Scope};
use serde_json::json;

use super::given::{Claim, Given};
use super::items::{listing, put, puts, scopes, unchanged};

/// What belongs to a scope that is not named waits for the sweep, and the scope goes with it.
pub async fn a_scope_that_is_not_named_goes_with_its_records(given: Given) {
    let sync = three_scopes(&given).await;
    given.commit(&sync, vec![unchanged("s", "a"), scopes("s", &["a"])]).await;
    assert_eq!(given.ids("s").await, [1, 2, 3, 4, 5, 6]);
    assert_eq!(given.unswept(&sync).await, ["s"]);
    assert_eq!(given.sweep(&sync, "s").await, 4);
    assert_eq!(given.ids("s").await, [1, 2]);
    let left: Vec<Scope> = given.scopes(&sync, "s").await.into_keys().collect();
    assert_eq!(left, [Scope::new("a")]);
    assert_eq!(given.cursor(&sync, "s", "a").await, Some(json!("a")));
    assert!(given.unswept(&sync).await.is_empty());
    let tombstones = given.changes_after(6).await;
    assert_eq!(tombstones.len(), 4);
    assert!(
        tombstones
            .iter()
            .all(|change| change.op == ChangeOp::Deleted && change.sync_id == Some(sync.sync_id))
    );
    assert_eq!(given.counts(&sync).await.deleted, 4);
}

/// Where all scopes are named, none goes, new ones among them or not.
pub async fn scopes_that_are_named_stay(given: Given) {
    let sync = three_scopes(&given).await;
    given.commit(&sync, vec![scopes("s", &["c", "b", "a", "never seen"])]).await;
    assert!(given.unswept(&sync).await.is_empty());
    assert_eq!(given.sweep(&sync, "s").await, 0);
    assert_eq!(given.ids("s").await, [1, 2, 3, 4, 5, 6]);
    assert_eq!(given.cursor(&sync, "s", "b").await, Some(json!("b")));
}

/// If no scope is left, all records of the stream go.
pub async fn a_stream_without_scopes_has_no_records(given: Given) {
    let sync = three_scopes(&given).await;
    given.commit(&sync, vec![scopes("s", &[])]).await;
    assert_eq!(given.sweep(&sync, "s").await, 6);
    assert_eq!(given.stats().await.records, 0);
    assert!(given.scopes(&sync, "s").await.is_empty());
}

/// A record that has moved to a scope that stays, stays.
pub async fn a_record_that_moved_to_another_scope_stays(given: Given) {
    let sync = three_scopes(&given).await;
    let mut items = given.whole_listing("s", "a", &puts([1, 2, 3], "a"), json!("a"));
    items.push(scopes("s", &["a", "c"]));
    given.commit(&sync, items).await;
    assert_eq!(given.sweep(&sync, "s").await, 1);
    assert_eq!(given.ids("s").await, [1, 2, 3, 5, 6]);
}

/// A scope goes even if it is being listed.
pub async fn a_scope_with_an_open_listing_goes(given: Given) {
    let sync = three_scopes(&given).await;
    let items = vec![listing("s", "b"), given.records_to("s", "b", &[put(3, "a"), put(7, "b")], json!(1))];
    given.commit(&sync, items).await;
    given.commit(&sync, vec![scopes("s", &["a", "c"])]).await;
    assert_eq!(given.sweep(&sync, "s").await, 3);
    assert_eq!(given.ids("s").await, [1, 2, 5, 6]);
    assert!(!given.scopes(&sync, "s").await.contains_key(&Scope::new("b")));
}

/// A scope that went may come again, as one never seen.
pub async fn a_scope_that_went_may_come_again(given: Given) {
    let sync = three_scopes(&given).await;
    given.commit(&sync, vec![scopes("s", &["a", "c"])]).await;
    given.sweep(&sync, "s").await;
    given.finish(&sync).await;
    let next = given.begun(sync.connector_id, &["s"]).await;
    let receipt = given.commit(&next, given.whole_listing("s", "b", &puts([3, 8], "b"), json!("b"))).await;
    assert_eq!((receipt.counts.created, receipt.counts.rejected), (2, 0));
    assert_eq!(given.cursor(&next, "s", "b").await, Some(json!("b")));
    assert_eq!(given.sweep(&next, "s").await, 0);
    assert_eq!(given.ids("s").await, [1, 2, 3, 5, 6, 8]);
}

/// Only the stream's own scopes are meant, and only the connector's.
pub async fn other_streams_and_connectors_keep_their_scopes(given: Given) {
    let sync = three_scopes(&given).await;
    let other = given.begun(given.connector(), &["s"]).await;
    given.commit(&other, given.whole_listing("s", "b", &[put(30, "other")], json!("o"))).await;
    given.commit(&sync, given.whole_listing("t", "b", &[put(1, "t")], json!("t"))).await;
    given.commit(&sync, vec![scopes("s", &[])]).await;
    assert_eq!(given.sweep(&sync, "t").await, 0);
    assert_eq!(given.sweep(&sync, "s").await, 6);
    assert_eq!(given.ids("s").await, [30]);
    assert_eq!(given.ids("t").await, [1]);
    assert_eq!(given.cursor(&other, "s", "b").await, Some(json!("o")));
    assert_eq!(given.cursor(&sync, "t", "b").await, Some(json!("t")));
}

/// Scopes `a` with 1 and 2, `b` with 3 and 4, `c` with 5 and 6, all complete; then a new sync has begun.
async fn three_scopes(given: &Given) -> Claim {
    let connector = given.connector();
    let first = given.begun(connector, &["s"]).await;
    for (scope, ids) in [("a", [1, 2]), ("b", [3, 4]), ("c", [5, 6])] {
        given.commit(&first, given.whole_listing("s", scope, &puts(ids, "a"), json!(scope))).await;
    }
    given.finish(&first).await;
    given.begun(connector, &["s", "t"]).await
}
