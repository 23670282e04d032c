//! Ending a sync that never had a run.

use std::sync::Arc;

use inlet_model::sync::{Outcome, SyncStatus};

use super::given::{Given, a_failure};
use crate::StoreErrorKind;
use crate::catalog::{Catalog, Sync};

/// A running sync can be abandoned as failed, with the reason, or as cancelled.
pub async fn a_running_sync_can_be_abandoned_as_failed_or_cancelled(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let connector = given.stored_connector().await;
    for (status, failure) in [(SyncStatus::Failed, Some(a_failure())), (SyncStatus::Cancelled, None)] {
        let sync = given.running_sync(&connector).await.sync;
        let now = given.now();
        given.catalog.sync_abandon(sync.id, status, failure.clone(), now).await.unwrap();
        let expected = Sync { status, failure, finished_at: Some(now), ..sync };
        assert_eq!(given.sync(&expected).await, expected);
    }
}

/// A cancelling sync can be abandoned.
pub async fn a_cancelling_sync_can_be_abandoned(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let connector = given.stored_connector().await;
    for status in [SyncStatus::Failed, SyncStatus::Cancelled] {
        let sync = given.cancelling_sync(&connector).await.sync;
        given.catalog.sync_abandon(sync.id, status, None, given.now()).await.unwrap();
        assert_eq!(given.sync(&sync).await.status, status);
    }
}

/// A queued sync can only be abandoned as cancelled: what never began cannot fail.
pub async fn a_queued_sync_can_only_be_abandoned_as_cancelled(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let sync = given.queued_sync(&given.stored_connector().await).await;
    let failed = SyncStatus::Failed;
    let refused =
        given.catalog.sync_abandon(sync.id, failed, Some(a_failure()), given.now()).await.unwrap_err();
    assert_eq!(refused.kind(), StoreErrorKind::Internal);
    assert_eq!(given.sync(&sync).await, sync);
    given.catalog.sync_abandon(sync.id, SyncStatus::Cancelled, None, given.now()).await.unwrap();
    assert_eq!(given.sync(&sync).await.status, SyncStatus::Cancelled);
}

/// No sync is abandoned as anything but cancelled or failed.
pub async fn no_sync_is_abandoned_as_anything_else(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let sync = given.running_sync(&given.stored_connector().await).await.sync;
    let others =
        SyncStatus::ALL.into_iter().filter(|to| !matches!(to, SyncStatus::Failed | SyncStatus::Cancelled));
    for status in others {
        let refused = given.catalog.sync_abandon(sync.id, status, None, given.now()).await.unwrap_err();
        assert_eq!(refused.kind(), StoreErrorKind::Internal, "{status}");
    }
    assert_eq!(given.sync(&sync).await, sync);
}

/// A sync that has ended stays as it is, and an unknown one is passed over.
pub async fn an_ended_or_unknown_sync_is_passed_over(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let connector = given.stored_connector().await;
    for outcome in [Outcome::Succeeded, Outcome::Failed, Outcome::Cancelled] {
        let sync = given.finished_sync(&connector, outcome).await;
        given.catalog.sync_abandon(sync.id, SyncStatus::Failed, None, given.now()).await.unwrap();
        assert_eq!(given.sync(&sync).await, sync);
    }
    let unknown = given.a_sync(&connector).id;
    given.catalog.sync_abandon(unknown, SyncStatus::Failed, None, given.now()).await.unwrap();
}
