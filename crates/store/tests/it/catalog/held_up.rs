//! Syncs that wait or need approval: states the catalog knows, and that later versions of the engine will set.

use std::path::PathBuf;
use std::sync::Arc;

use inlet_model::sync::{Outcome, SyncStatus};
use inlet_store::catalog::{CancelEffect, Connector, Effect, ExpectedVersion, OnConflict, Remains, Sync};
use inlet_store::conformance::catalog::given::Given;
use tempfile::TempDir;

use super::{look_into, open};

const HELD_UP: [SyncStatus; 2] = [SyncStatus::Waiting, SyncStatus::NeedsApproval];

struct HeldUp {
    given: Given,
    path: PathBuf,
    _directory: TempDir,
}

impl HeldUp {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("catalog.db");
        Self { given: Given::new(Arc::new(open(&path))), path, _directory: directory }
    }

    /// A connector with a sync that was begun and stands in `status`.
    async fn sync_that_is(&self, status: SyncStatus) -> (Connector, Sync) {
        let connector = self.given.stored_connector().await;
        let claim = self.given.running_sync(&connector).await;
        let sql = "UPDATE syncs SET status = ?2 WHERE id = ?1";
        let changed = look_into(&self.path).execute(sql, [claim.sync.id.to_string(), status.to_string()]);
        assert_eq!(changed, Ok(1));
        let sync = self.given.sync(&claim.sync).await;
        assert_eq!(sync.status, status);
        (connector, sync)
    }
}

#[tokio::test]
async fn it_is_the_conflict_of_a_trigger() {
    let held_up = HeldUp::new();
    for status in HELD_UP {
        let (connector, sync) = held_up.sync_that_is(status).await;
        let wanted = held_up.given.a_sync(&connector);
        let effect = held_up.given.catalog.sync_trigger(wanted, OnConflict::Reject, None).await.unwrap();
        assert_eq!(effect, Effect::Conflict(Some(sync)));
    }
}

#[tokio::test]
async fn it_is_cancelled_at_once_with_and_without_its_id() {
    let held_up = HeldUp::new();
    for status in HELD_UP {
        for by_id in [true, false] {
            let (connector, sync) = held_up.sync_that_is(status).await;
            let now = held_up.given.now();
            let id = by_id.then_some(sync.id);
            let effect = held_up.given.catalog.sync_cancel(connector.id, id, now).await.unwrap();
            let cancelled = Sync { status: SyncStatus::Cancelled, finished_at: Some(now), ..sync };
            assert_eq!(effect, CancelEffect::Cancelled(cancelled.clone()));
            assert_eq!(held_up.given.sync(&cancelled).await, cancelled);
        }
    }
}

#[tokio::test]
async fn it_is_cancelled_when_its_connector_goes() {
    let held_up = HeldUp::new();
    for status in HELD_UP {
        let (connector, sync) = held_up.sync_that_is(status).await;
        let (space_id, collection_id) = (&connector.space_id, &connector.collection_id);
        let now = held_up.given.now();
        held_up
            .given
            .catalog
            .connector_delete(space_id, collection_id, connector.id, ExpectedVersion::Any, Remains::Kept, now)
            .await
            .unwrap();
        assert_eq!(held_up.given.sync(&sync).await.status, SyncStatus::Cancelled);
    }
}

#[tokio::test]
async fn it_is_neither_claimed_nor_taken_over() {
    let held_up = HeldUp::new();
    for status in HELD_UP {
        held_up.sync_that_is(status).await;
    }
    assert_eq!(held_up.given.claim().await, None);
    assert_eq!(
        held_up.given.catalog.sync_take_over(held_up.given.a_lease(2, held_up.given.now())).await.unwrap(),
        []
    );
}

#[tokio::test]
async fn it_follows_its_run_to_the_end() {
    let held_up = HeldUp::new();
    for status in HELD_UP {
        for outcome in [Outcome::Succeeded, Outcome::Failed, Outcome::Cancelled] {
            let connector = held_up.given.stored_connector().await;
            let claim = held_up.given.running_sync(&connector).await;
            let sql = "UPDATE syncs SET status = ?2 WHERE id = ?1";
            look_into(&held_up.path).execute(sql, [claim.sync.id.to_string(), status.to_string()]).unwrap();
            held_up.given.catalog.sync_finish(&held_up.given.a_run(&claim, outcome)).await.unwrap();
            assert_eq!(held_up.given.sync(&claim.sync).await.status, outcome.into());
        }
    }
}

/// What no race may break does not hang on a check in the code: the file itself refuses it.
#[tokio::test]
async fn the_file_refuses_a_second_active_and_a_second_queued_sync() {
    let held_up = HeldUp::new();
    let (connector, sync) = held_up.sync_that_is(SyncStatus::Waiting).await;
    let db = look_into(&held_up.path);
    let copy = |id: &str, status: &str| {
        db.execute(
            "INSERT INTO syncs (id, connector_id, status, asked_by, mode, attempt, created_at, counts, streams)
             SELECT ?1, connector_id, ?2, asked_by, mode, attempt, created_at, counts, streams
             FROM syncs WHERE id = ?3",
            [id, status, &sync.id.to_string()],
        )
    };
    for active in SyncStatus::ALL.into_iter().filter(|status| status.is_active()) {
        assert!(copy("syn_second", active.as_str()).is_err(), "{active}");
    }
    assert_eq!(copy("syn_queued", "queued"), Ok(1));
    assert!(copy("syn_queued_too", "queued").is_err());
    assert_eq!(copy("syn_ended", "succeeded"), Ok(1));
    assert!(copy("syn_odd", "odd").is_err());
    assert_eq!(connector.id, sync.connector_id);
}
