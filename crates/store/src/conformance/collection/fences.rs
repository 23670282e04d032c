//! Fences: only the last claim of a connector writes.

use inlet_model::sync::Outcome;

use super::given::{Claim, Given, kind};
use super::items::{WHOLE, put, puts};
use crate::StoreErrorKind::Fenced;
use crate::collection::Fence;

/// A run does not begin under a fence below the last.
pub async fn a_run_does_not_begin_under_a_lower_fence(given: Given) {
    let connector = given.connector();
    let earlier = given.claim(connector, &["s"]);
    let later = given.begun(connector, &["s"]).await;
    assert_eq!(kind(given.try_begin(&earlier).await), Fenced);
    assert_eq!(given.try_run(earlier.sync_id).await, None);
    // Nor does an earlier attempt of the same sync.
    let again = given.begun_again(&later).await;
    assert_eq!(kind(given.try_begin(&later).await), Fenced);
    assert_eq!(given.run(&again).await.attempt, 2);
}

/// Nor does another sync under the fence of this one.
pub async fn another_sync_does_not_begin_under_the_same_fence(given: Given) {
    let connector = given.connector();
    let first = given.begun(connector, &["s"]).await;
    let second = Claim { fence: first.fence, ..given.claim(connector, &["s"]) };
    assert_eq!(kind(given.try_begin(&second).await), Fenced);
    assert_eq!(given.try_run(second.sync_id).await, None);
    given.commit(&first, vec![given.records("s", WHOLE, &[put(1, "a")])]).await;
}

/// Once another sync has begun, the one before writes nothing more: no commit, no sweep, no end but that which it has.
pub async fn a_run_that_lost_its_connector_writes_nothing(given: Given) {
    let (given, old) = about_to_sweep(given).await;
    let new = given.begun(old.connector_id, &["s"]).await;
    assert_refused(&given, &old).await;
    given.commit(&new, vec![given.records("s", WHOLE, &[put(9, "a")])]).await;
    given.sweep(&new, "s").await;
    given.finish(&new).await;
    assert_eq!(given.run(&old).await.outcome, Some(Outcome::Cancelled));
}

/// So it is with the earlier attempt of a sync that was taken over.
pub async fn an_attempt_that_was_taken_over_writes_nothing(given: Given) {
    let (given, old) = about_to_sweep(given).await;
    let new = given.begun_again(&old).await;
    assert_refused(&given, &old).await;
    given.commit(&new, vec![given.records("s", WHOLE, &[put(9, "a")])]).await;
}

/// A fence is durable.
pub async fn a_fence_outlives_a_restart(given: Given) {
    let (given, old) = about_to_sweep(given).await;
    let new = given.begun(old.connector_id, &["s"]).await;
    let given = given.reopened().await;
    assert_refused(&given, &old).await;
    assert_eq!(kind(given.try_begin(&old).await), Fenced);
    given.commit(&new, vec![given.records("s", WHOLE, &[put(9, "a")])]).await;
}

/// Each connector has its own fence.
pub async fn each_connector_has_its_own_fence(given: Given) {
    let high = Claim { fence: Fence(1 << 40), ..given.claim(given.connector(), &["s"]) };
    given.begin(&high).await;
    let low = given.begun(given.connector(), &["s"]).await;
    given.commit(&low, vec![given.records("s", WHOLE, &[put(1, "a")])]).await;
    given.commit(&high, vec![given.records("s", WHOLE, &[put(1, "a")])]).await;
    given.finish(&low).await;
}

/// A fence that no claim has reached yet does not open the door either.
pub async fn a_commit_of_a_run_that_never_began_is_refused(given: Given) {
    let connector = given.connector();
    let first = given.begun(connector, &["s"]).await;
    let never_began = given.claim(connector, &["s"]);
    let commit = given.try_commit(&never_began, vec![given.records("s", WHOLE, &[put(1, "a")])]).await;
    assert!(commit.is_err());
    assert_eq!(given.stats().await.last_change, 0);
    given.commit(&first, vec![given.records("s", WHOLE, &[put(1, "a")])]).await;
}

/// A sync whose listing waits to be swept.
async fn about_to_sweep(given: Given) -> (Given, Claim) {
    let connector = given.connector();
    let first = given.begun(connector, &["s"]).await;
    given.commit(&first, given.whole_listing("s", WHOLE, &puts(1..=3, "a"), 1.into())).await;
    let sync = given.begun(connector, &["s"]).await;
    given.commit(&sync, given.whole_listing("s", WHOLE, &[put(1, "a")], 2.into())).await;
    (given, sync)
}

async fn assert_refused(given: &Given, old: &Claim) {
    let before = given.sight(old).await;
    let commit = given.try_commit(old, vec![given.records("s", WHOLE, &[put(1, "late")])]).await;
    assert_eq!(kind(commit), Fenced);
    assert_eq!(kind(given.try_commit(old, Vec::new()).await), Fenced);
    assert_eq!(kind(given.try_sweep(old, "s", 100).await), Fenced);
    match given.try_finish(old, Outcome::Succeeded).await {
        // Another sync has taken its place, and ended it.
        Ok(run) => assert_eq!(run.outcome, Some(Outcome::Cancelled)),
        Err(error) => assert_eq!(error.kind(), Fenced),
    }
    assert_eq!(given.sight(old).await, before);
}
