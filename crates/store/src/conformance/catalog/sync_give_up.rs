//! Ending a sync whose run cannot be told of its end.

use std::sync::Arc;

use inlet_model::sync::{Outcome, SyncStatus};

use super::given::Given;
use crate::catalog::Catalog;

/// With what its run has done, and free for the next.
pub async fn a_sync_is_given_up_as_its_run_will_end(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let connector = given.stored_connector().await;
    let claim = given.cancelling_sync(&connector).await;
    let run = given.a_run(&claim, Outcome::Cancelled);
    given.catalog.sync_give_up(&run, claim.fence).await.unwrap();
    let ended = given.sync(&claim.sync).await;
    assert_eq!((ended.status, ended.counts), (SyncStatus::Cancelled, run.counts));
    assert_eq!((ended.streams, ended.finished_at), (run.streams, run.finished_at));
    given.running_sync(&connector).await;
}

/// Nor is a sync that is not there.
pub async fn what_has_ended_or_is_anothers_is_not_given_up(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let connector = given.stored_connector().await;
    let before = given.running_sync(&connector).await;
    let since = given.catalog.sync_take_over(given.a_lease(2, given.now())).await.unwrap().remove(0);
    let cancelled = given.a_run(&before, Outcome::Cancelled);
    given.catalog.sync_give_up(&cancelled, before.fence).await.unwrap();
    assert_eq!(given.sync(&since.sync).await, since.sync);
    given.catalog.sync_finish(&given.a_run(&since, Outcome::Succeeded)).await.unwrap();
    given.catalog.sync_give_up(&cancelled, since.fence).await.unwrap();
    assert_eq!(given.sync(&since.sync).await.status, SyncStatus::Succeeded);
    let mut unknown = cancelled;
    unknown.sync_id = given.a_sync(&connector).id;
    given.catalog.sync_give_up(&unknown, since.fence).await.unwrap();
    assert_eq!(given.catalog.sync_get(connector.id, unknown.sync_id).await.unwrap(), None);
}
