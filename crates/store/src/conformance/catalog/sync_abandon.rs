//! Ending a sync that never had a run.

use std::sync::Arc;

use inlet_model::sync::{Outcome, SyncStatus};

use super::given::{Given, a_failure};
use crate::StoreErrorKind;
use crate::catalog::{Catalog, Claim, Sync};
use crate::collection::Fence;

/// A running sync can be abandoned as failed, with the reason, or as cancelled.
pub async fn a_running_sync_can_be_abandoned_as_failed_or_cancelled(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let connector = given.stored_connector().await;
    for (status, failure) in [(SyncStatus::Failed, Some(a_failure())), (SyncStatus::Cancelled, None)] {
        let Claim { sync, fence, .. } = given.running_sync(&connector).await;
        let now = given.now();
        assert!(given.catalog.sync_abandon(sync.id, fence, status, failure.clone(), now).await.unwrap());
        let expected = Sync { status, failure, finished_at: Some(now), ..sync };
        assert_eq!(given.sync(&expected).await, expected);
    }
}

/// A cancelling sync can be abandoned.
pub async fn a_cancelling_sync_can_be_abandoned(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let connector = given.stored_connector().await;
    for status in [SyncStatus::Failed, SyncStatus::Cancelled] {
        let Claim { sync, fence, .. } = given.cancelling_sync(&connector).await;
        given.catalog.sync_abandon(sync.id, fence, status, None, given.now()).await.unwrap();
        assert_eq!(given.sync(&sync).await.status, status);
    }
}

/// A queued sync can only be abandoned as cancelled: what never began cannot fail.
pub async fn a_queued_sync_can_only_be_abandoned_as_cancelled(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let sync = given.queued_sync(&given.stored_connector().await).await;
    let (failed, fence) = (SyncStatus::Failed, Fence(0));
    let refused =
        given.catalog.sync_abandon(sync.id, fence, failed, Some(a_failure()), given.now()).await.unwrap_err();
    assert_eq!(refused.kind(), StoreErrorKind::Internal);
    assert_eq!(given.sync(&sync).await, sync);
    given.catalog.sync_abandon(sync.id, fence, SyncStatus::Cancelled, None, given.now()).await.unwrap();
    assert_eq!(given.sync(&sync).await.status, SyncStatus::Cancelled);
}

/// No sync is abandoned as anything but cancelled or failed.
pub async fn no_sync_is_abandoned_as_anything_else(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let Claim { sync, fence, .. } = given.running_sync(&given.stored_connector().await).await;
    let others =
        SyncStatus::ALL.into_iter().filter(|to| !matches!(to, SyncStatus::Failed | SyncStatus::Cancelled));
    for status in others {
        let refused =
            given.catalog.sync_abandon(sync.id, fence, status, None, given.now()).await.unwrap_err();
        assert_eq!(refused.kind(), StoreErrorKind::Internal, "{status}");
    }
    assert_eq!(given.sync(&sync).await, sync);
}

/// A sync that has ended stays as it is, and an unknown one is passed over.
pub async fn an_ended_or_unknown_sync_is_passed_over(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let connector = given.stored_connector().await;
    for outcome in [Outcome::Succeeded, Outcome::Failed, Outcome::Cancelled] {
        let claim = given.running_sync(&connector).await;
        given.catalog.sync_finish(&given.a_run(&claim, outcome)).await.unwrap();
        let sync = given.sync(&claim.sync).await;
        let (fence, failed) = (claim.fence, SyncStatus::Failed);
        assert!(!given.catalog.sync_abandon(sync.id, fence, failed, None, given.now()).await.unwrap());
        assert_eq!(given.sync(&sync).await, sync);
    }
    let unknown = given.a_sync(&connector).id;
    given.catalog.sync_abandon(unknown, Fence(1), SyncStatus::Failed, None, given.now()).await.unwrap();
}

/// A sync that another claim has since is left to it.
pub async fn a_sync_that_another_claim_has_is_passed_over(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let before = given.running_sync(&given.stored_connector().await).await;
    let taken_over = given.catalog.sync_take_over(given.a_lease(2, given.now())).await.unwrap().remove(0);
    let abandon =
        |fence| given.catalog.sync_abandon(before.sync.id, fence, SyncStatus::Failed, None, given.now());
    assert!(!abandon(before.fence).await.unwrap());
    assert_eq!(given.sync(&before.sync).await.status, SyncStatus::Running);
    assert!(abandon(taken_over.fence).await.unwrap());
    assert_eq!(given.sync(&before.sync).await.status, SyncStatus::Failed);
}
