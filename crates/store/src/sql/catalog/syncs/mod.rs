//! Syncs.

mod approve;
mod blocked;
mod cancel;
pub(crate) mod claim;
mod dry_run;
mod finish;
pub(super) mod kept_settings;
mod lease;
pub(super) mod moves;
mod revert;
pub(crate) mod room;
pub(crate) mod sync_row;
pub(crate) mod tally;
mod trigger;
pub(crate) mod turn;
mod wait;

use std::convert::Infallible;

use async_trait::async_trait;
use inlet_model::approval::Approval;
use inlet_model::sync::{Failure, StateMove, SyncStatus};
use inlet_model::{ConnectorId, NodeId, SyncId, Timestamp};

pub(super) use self::approve::drop_discards_of;
pub(super) use self::blocked::settle as settle_queued;
pub(super) use self::cancel::want_cancelled_of;
pub(super) use self::lease::{release, renew};
use super::{SqlCatalog, idempotency};
use crate::StoreResult;
use crate::catalog::{
    Approvals, CancelEffect, Claim, Discard, Effect, Idempotent, Lease, OnConflict, Page, PageQuery, Sync,
    SyncFilter, SyncLimits, SyncTally, Syncs, Wait,
};
use crate::collection::{Fence, Run};

#[async_trait]
impl Syncs for SqlCatalog {
    async fn sync_trigger(
        &self,
        sync: Sync,
        on_conflict: OnConflict,
        idempotent: Option<Idempotent>,
    ) -> StoreResult<Effect<Option<Sync>>> {
        self.write("trigger a sync", move |tx| {
            idempotency::once(tx, idempotent.as_ref(), || trigger::trigger(tx, &sync, on_conflict))
        })
        .await
    }

    async fn sync_found(&self, idempotent: Idempotent) -> StoreResult<Effect<Infallible>> {
        self.write("record an answer", move |tx| idempotency::once(tx, Some(&idempotent), || Ok(None))).await
    }

    async fn sync_list(
        &self,
        connector_id: ConnectorId,
        filter: SyncFilter,
        query: PageQuery,
    ) -> StoreResult<Page<Sync>> {
        self.read_rows("list the syncs", move |db| sync_row::list(db, connector_id, &filter, query)).await
    }

    async fn sync_get(&self, connector_id: ConnectorId, id: SyncId) -> StoreResult<Option<Sync>> {
        self.read_row("get a sync", move |db| {
            Ok(sync_row::get(db, id)?.filter(|sync| sync.connector_id == connector_id))
        })
        .await
    }

    async fn sync_last(&self, connector_ids: &[ConnectorId]) -> StoreResult<Vec<Sync>> {
        let connector_ids = connector_ids.to_vec();
        self.read_rows("get the last syncs", move |db| sync_row::last_of_each(db, &connector_ids)).await
    }

    async fn sync_tally(&self) -> StoreResult<Vec<SyncTally>> {
        self.read_rows("count the syncs", tally::tally).await
    }

    async fn sync_cancel(
        &self,
        connector_id: ConnectorId,
        id: Option<SyncId>,
        now: Timestamp,
    ) -> StoreResult<CancelEffect> {
        self.write("cancel a sync", move |tx| cancel::cancel(tx, connector_id, id, now)).await
    }

    async fn sync_claim(
        &self,
        lease: Lease,
        limits: &SyncLimits,
        now: Timestamp,
    ) -> StoreResult<Option<Claim>> {
        let limits = limits.clone();
        self.write("claim a sync", move |tx| claim::claim(tx, lease, &limits, now)).await
    }

    async fn sync_take_over(&self, lease: Lease) -> StoreResult<Vec<Claim>> {
        self.write("take over the syncs", move |tx| claim::take_over(tx, lease)).await
    }

    async fn sync_wait(
        &self,
        id: SyncId,
        fence: Fence,
        wait: Wait,
        now: Timestamp,
    ) -> StoreResult<Option<Sync>> {
        self.write("let a sync wait", move |tx| wait::wait(tx, id, fence, wait.clone(), now)).await
    }

    async fn sync_give_back(&self, id: SyncId, node: NodeId) -> StoreResult<()> {
        self.write("give back a sync", move |tx| lease::give_back(tx, id, node)).await
    }

    async fn sync_next_resume(&self) -> StoreResult<Option<Timestamp>> {
        self.read_row("find the next waiting sync", wait::next_resume).await
    }

    async fn sync_moves(&self, id: SyncId, after: u64) -> StoreResult<Vec<StateMove>> {
        self.read_rows("list the moves of a sync", move |db| moves::list(db, id, after)).await
    }

    async fn sync_finish(&self, run: &Run) -> StoreResult<()> {
        let run = run.clone();
        self.write("finish a sync", move |tx| finish::finish(tx, run.clone())).await
    }

    async fn sync_give_up(&self, run: &Run, fence: Fence) -> StoreResult<()> {
        let run = run.clone();
        self.write("give a sync up", move |tx| finish::give_up(tx, run.clone(), fence)).await
    }

    async fn sync_finish_dry(&self, run: &Run, fence: Fence, preview: String) -> StoreResult<()> {
        let run = run.clone();
        self.write("finish a dry run", move |tx| dry_run::end(tx, run.clone(), fence, &preview)).await
    }

    async fn sync_preview(&self, id: SyncId) -> StoreResult<Option<String>> {
        self.read_row("get a preview", move |db| dry_run::preview(db, id)).await
    }

    async fn sync_abandon(
        &self,
        id: SyncId,
        fence: Fence,
        status: SyncStatus,
        failure: Option<Failure>,
        now: Timestamp,
    ) -> StoreResult<bool> {
        self.write("abandon a sync", move |tx| finish::abandon(tx, id, fence, status, failure.clone(), now))
            .await
    }
}

#[async_trait]
impl Approvals for SqlCatalog {
    async fn sync_ask(
        &self,
        run: &Run,
        fence: Fence,
        approval: Approval,
        now: Timestamp,
    ) -> StoreResult<Option<Sync>> {
        let run = run.clone();
        self.write("let a sync ask", move |tx| approve::ask(tx, run.clone(), fence, approval.clone(), now))
            .await
    }

    async fn sync_approve(
        &self,
        connector_id: ConnectorId,
        id: SyncId,
        now: Timestamp,
        idempotent: Option<Idempotent>,
    ) -> StoreResult<Effect<Option<Sync>>> {
        self.write("approve deletes", move |tx| {
            idempotency::once(tx, idempotent.as_ref(), || approve::approve(tx, connector_id, id, now))
        })
        .await
    }

    async fn sync_discard(
        &self,
        connector_id: ConnectorId,
        id: SyncId,
        now: Timestamp,
        idempotent: Option<Idempotent>,
    ) -> StoreResult<Effect<Option<Sync>>> {
        self.write("discard deletes", move |tx| {
            idempotency::once(tx, idempotent.as_ref(), || approve::discard(tx, connector_id, id, now))
        })
        .await
    }

    async fn sync_approval_spent(&self, id: SyncId, fence: Fence) -> StoreResult<()> {
        self.write("forget an approval", move |tx| approve::spent(tx, id, fence)).await
    }

    async fn discard_list(&self, limit: usize) -> StoreResult<Vec<Discard>> {
        self.read_rows("list the discards", move |db| approve::discards(db, limit)).await
    }

    async fn discard_done(&self, id: SyncId) -> StoreResult<()> {
        self.write("forget a discard", move |tx| approve::discard_done(tx, id)).await
    }
}
