//! Checkpoints: the position of an open listing, else the cursor.

use serde_json::{Value, json};

use super::given::Given;
use super::items::{WHOLE, listing, put, puts};

/// Outside a listing the position behind a batch is the scope's cursor.
pub async fn outside_a_listing_a_checkpoint_is_the_cursor(given: Given) {
    let sync = given.begun(given.connector(), &["s"]).await;
    given.commit(&sync, vec![given.records_to("s", WHOLE, &[put(1, "a")], json!(10))]).await;
    let state = given.scope(&sync, "s", WHOLE).await;
    assert_eq!((state.cursor, state.listing, state.listed_by), (Some(json!(10)), None, None));
}

/// Inside a listing it is the listing's position, and the cursor stays what it was.
pub async fn inside_a_listing_a_checkpoint_is_its_position(given: Given) {
    let connector = given.connector();
    let first = given.begun(connector, &["s"]).await;
    given.commit(&first, given.whole_listing("s", WHOLE, &[put(1, "a")], json!("cursor"))).await;
    let second = given.begun(connector, &["s"]).await;
    let items = vec![listing("s", WHOLE), given.records_to("s", WHOLE, &[put(1, "a")], json!("position"))];
    given.commit(&second, items).await;
    let state = given.scope(&second, "s", WHOLE).await;
    assert_eq!(state.listing.unwrap().position, Some(json!("position")));
    assert_eq!(state.cursor, Some(json!("cursor")));
}

/// A batch without a checkpoint leaves the cursor where it was.
pub async fn a_batch_without_a_checkpoint_leaves_the_cursor(given: Given) {
    let sync = given.begun(given.connector(), &["s"]).await;
    given.commit(&sync, vec![given.records_to("s", WHOLE, &[put(1, "a")], json!(1))]).await;
    given.commit(&sync, vec![given.records("s", WHOLE, &[put(2, "a")])]).await;
    assert_eq!(given.cursor(&sync, "s", WHOLE).await, Some(json!(1)));
}

/// A batch without a checkpoint takes the position from an open listing, which then starts again after a restart.
pub async fn a_batch_without_a_checkpoint_makes_the_listing_start_again(given: Given) {
    let sync = given.begun(given.connector(), &["s"]).await;
    let items = vec![listing("s", WHOLE), given.records_to("s", WHOLE, &[put(1, "a")], json!(1))];
    given.commit(&sync, items).await;
    given.commit(&sync, vec![given.records("s", WHOLE, &[put(2, "a")])]).await;
    let sync = given.begun_again(&sync).await;
    let open = given.scope(&sync, "s", WHOLE).await.listing.expect("the listing is not complete");
    assert_eq!(open.position, None);
    // Begun anew it meets everything once more, and nothing of it is a duplicate.
    let counts =
        given.commit(&sync, given.whole_listing("s", WHOLE, &puts(1..=3, "a"), json!(3))).await.counts;
    assert_eq!((counts.created, counts.unchanged, counts.rejected), (3, 2, 0));
    assert_eq!(given.cursor(&sync, "s", WHOLE).await, Some(json!(3)));
}

/// Each scope of each stream of each connector has its own.
pub async fn each_scope_has_its_own_checkpoint(given: Given) {
    let (one, two) = (given.connector(), given.connector());
    let first = given.begun(one, &["s", "t"]).await;
    let second = given.begun(two, &["s"]).await;
    let items = vec![
        given.records_to("s", "a", &[put(1, "a")], json!("s a")),
        given.records_to("s", "b", &[put(2, "a")], json!("s b")),
        given.records_to("t", "a", &[put(1, "a")], json!("t a")),
    ];
    given.commit(&first, items).await;
    given.commit(&second, vec![given.records_to("s", "a", &[put(1, "a")], json!("two"))]).await;
    assert_eq!(given.cursor(&first, "s", "a").await, Some(json!("s a")));
    assert_eq!(given.cursor(&first, "s", "b").await, Some(json!("s b")));
    assert_eq!(given.cursor(&first, "t", "a").await, Some(json!("t a")));
    assert_eq!(given.scopes(&first, "t").await.len(), 1);
    assert_eq!(given.cursor(&second, "s", "a").await, Some(json!("two")));
}

/// A batch that holds no record still says how far reading came.
pub async fn an_empty_batch_moves_the_checkpoint(given: Given) {
    let sync = given.begun(given.connector(), &["s"]).await;
    given.commit(&sync, vec![given.records_to("s", WHOLE, &[], json!(1))]).await;
    assert_eq!(given.cursor(&sync, "s", WHOLE).await, Some(json!(1)));
    given.commit(&sync, vec![listing("s", WHOLE), given.records_to("s", WHOLE, &[], json!(2))]).await;
    let open = given.scope(&sync, "s", WHOLE).await.listing.unwrap();
    assert_eq!(open.position, Some(json!(2)));
}

/// The last checkpoint of a commit counts.
pub async fn the_last_checkpoint_of_a_commit_counts(given: Given) {
    let sync = given.begun(given.connector(), &["s"]).await;
    let items = vec![
        given.records_to("s", WHOLE, &[put(1, "a")], json!(1)),
        given.records_to("s", WHOLE, &[put(2, "a")], json!(2)),
    ];
    given.commit(&sync, items).await;
    assert_eq!(given.cursor(&sync, "s", WHOLE).await, Some(json!(2)));
}

/// A checkpoint is any JSON, and comes back as it was given, in the next sync too.
pub async fn a_checkpoint_comes_back_as_it_was_given(given: Given) {
    let connector = given.connector();
    let checkpoints = [
        json!({"offset": u64::MAX, "below": i64::MIN, "deep": [[{"ü\u{0}\"": "😀"}], null, true], "": {}}),
        json!("text"),
        json!([]),
        json!(0.1),
        json!(false),
    ];
    for checkpoint in checkpoints {
        let sync = given.begun(connector, &["s", "t"]).await;
        let items = vec![
            given.records_to("s", WHOLE, &[], checkpoint.clone()),
            listing("t", WHOLE),
            given.records_to("t", WHOLE, &[], checkpoint.clone()),
        ];
        given.commit(&sync, items).await;
        given.finish(&sync).await;
        let next = given.begun(connector, &["s", "t"]).await;
        let cursor: Option<Value> = given.cursor(&next, "s", WHOLE).await;
        assert_eq!(cursor, Some(checkpoint.clone()));
        let open = given.scope(&next, "t", WHOLE).await.listing.unwrap();
        assert_eq!(open.position, Some(checkpoint));
    }
}
