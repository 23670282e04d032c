//! Sweeps that delete only what the source was asked for and does not have.

use std::collections::BTreeSet;

use inlet_model::{Scope, key};
use serde_json::json;

use super::given::{Claim, Given, kind};
use super::items::{WHOLE, complete_to_be_asked, key_of, listing, puts};
use crate::StoreErrorKind;

/// Only what is absent goes; what was not seen and may be there stays, and the cursor is set.
pub async fn of_an_askable_listing_only_what_is_absent_goes(given: Given) {
    let sync = five_to_be_asked_of_ten(&given).await;
    let progress = given.sweep_absent(&sync, "s", 100, [2, 6, 10].map(key_of)).await;
    assert_eq!((progress.deleted, progress.done), (3, true));
    assert_eq!(given.ids("s").await, [1, 3, 4, 5, 7, 8, 9]);
    assert_eq!(given.counts(&sync).await.deleted, 3);
    assert_eq!(given.cursor(&sync, "s", WHOLE).await, Some(json!(2)));
    assert!(given.unswept(&sync).await.is_empty());
}

/// What was seen stays, whatever is said of it.
pub async fn what_an_askable_listing_saw_stays(given: Given) {
    let sync = five_to_be_asked_of_ten(&given).await;
    given.sweep_absent(&sync, "s", 100, (1..=10).map(key_of)).await;
    assert_eq!(given.ids("s").await, [1, 3, 5, 7, 9]);
}

/// A step is told beforehand for which keys it needs an answer, and it is the same step.
pub async fn each_step_names_its_candidates(given: Given) {
    let sync = five_to_be_asked_of_ten(&given).await;
    let mut asked = Vec::new();
    for _ in 0..100 {
        let before = given.sight(&sync).await;
        let candidates = given.try_candidates(&sync, "s", 3).await.unwrap();
        assert_eq!(given.try_candidates(&sync, "s", 3).await.unwrap(), candidates);
        assert_eq!(given.sight(&sync).await, before, "to ask changes nothing");
        assert!(candidates.len() <= 3);
        asked.extend(candidates.clone());
        let progress = given.sweep_absent(&sync, "s", 3, candidates.clone()).await;
        assert_eq!(progress.deleted, candidates.len() as u64);
        if progress.done {
            break;
        }
    }
    assert_eq!(asked, [2, 4, 6, 8, 10].map(key_of));
    assert_eq!(given.ids("s").await, [1, 3, 5, 7, 9]);
}

/// The steps go on after a restart, and so do their candidates.
pub async fn candidates_go_on_after_a_restart(given: Given) {
    let mut sync = five_to_be_asked_of_ten(&given).await;
    let mut given = given;
    let mut asked = BTreeSet::new();
    for _ in 0..100 {
        let candidates = given.try_candidates(&sync, "s", 1).await.unwrap();
        given = given.reopened().await;
        sync = given.begun_again(&sync).await;
        assert_eq!(given.try_candidates(&sync, "s", 1).await.unwrap(), candidates);
        asked.extend(candidates);
        // None is said to be absent.
        if given.sweep_step(&sync, "s", 1).await.done {
            break;
        }
    }
    assert_eq!(asked, [2, 4, 6, 8, 10].map(key_of).into());
    assert_eq!(given.stats().await.records, 10);
}

/// A key that is filed under its beginning and a hash is asked for whole.
pub async fn a_long_key_is_asked_for_whole(given: Given) {
    let connector = given.connector();
    let first = given.begun(connector, &["s"]).await;
    let long = |end: &str| {
        let mut encoded = Vec::new();
        let text = format!("\"{}{end}\"", "k".repeat(3_000));
        key::encode_json_scalar(text.as_bytes(), &mut encoded).unwrap();
        encoded
    };
    let mut batch = inlet_model::Batch::new(super::given::name("s"), Scope::whole(), given.store.seed());
    batch.upsert(1, &long("a"), b"{}");
    batch.upsert(2, &long("b"), b"{}");
    let batch = crate::collection::Item::Batch { batch, checkpoint: None };
    given.commit(&first, vec![listing("s", WHOLE), batch, complete_to_be_asked("s", WHOLE, json!(1))]).await;
    let second = given.begun(connector, &["s"]).await;
    given.commit(&second, vec![listing("s", WHOLE), complete_to_be_asked("s", WHOLE, json!(2))]).await;
    let candidates: BTreeSet<_> = given.try_candidates(&second, "s", 10).await.unwrap().into_iter().collect();
    assert_eq!(candidates, [long("a"), long("b")].into());
    assert_eq!(given.sweep_absent(&second, "s", 10, [long("b")]).await.deleted, 1);
    assert_eq!(given.stats().await.records, 1);
}

/// What a certified listing did not see needs no answer, also beside a scope that does.
pub async fn a_certified_listing_has_no_candidates(given: Given) {
    let connector = given.connector();
    let first = given.begun(connector, &["s"]).await;
    for (scope, ids) in [("sure", [1, 2]), ("unsure", [3, 4])] {
        given.commit(&first, given.whole_listing("s", scope, &puts(ids, "a"), json!(1))).await;
    }
    let second = given.begun(connector, &["s"]).await;
    assert!(given.try_candidates(&second, "s", 10).await.unwrap().is_empty());
    given.commit(&second, given.whole_listing("s", "sure", &[], json!(2))).await;
    assert!(given.try_candidates(&second, "s", 10).await.unwrap().is_empty());
    given.commit(&second, vec![listing("s", "unsure"), complete_to_be_asked("s", "unsure", json!(2))]).await;
    assert_eq!(given.try_candidates(&second, "s", 10).await.unwrap(), [3, 4].map(key_of));
    assert_eq!(given.sweep_absent(&second, "s", 10, [key_of(4)]).await.deleted, 3);
    assert_eq!(given.ids("s").await, [3]);
    assert!(given.try_candidates(&second, "never named", 10).await.unwrap().is_empty());
}

/// Who may not sweep is not told what a sweep would delete.
pub async fn candidates_are_fenced_and_cancelled_as_sweeps_are(given: Given) {
    let sync = five_to_be_asked_of_ten(&given).await;
    let newer = given.begun_again(&sync).await;
    assert_eq!(kind(given.try_candidates(&sync, "s", 10).await), StoreErrorKind::Fenced);
    newer.cancel.raise();
    assert_eq!(kind(given.try_candidates(&newer, "s", 10).await), StoreErrorKind::Cancelled);
}

/// Records 1 to 10, of which a complete listing that is not certified has seen the odd ones.
async fn five_to_be_asked_of_ten(given: &Given) -> Claim {
    let connector = given.connector();
    let first = given.begun(connector, &["s"]).await;
    given.commit(&first, given.whole_listing("s", WHOLE, &puts(1..=10, "a"), json!(1))).await;
    given.finish(&first).await;
    let second = given.begun(connector, &["s"]).await;
    let seen = given.records("s", WHOLE, &puts([1, 3, 5, 7, 9], "a"));
    given.commit(&second, vec![listing("s", WHOLE), seen, complete_to_be_asked("s", WHOLE, json!(2))]).await;
    second
}
