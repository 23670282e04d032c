//! The catalog as a node sees it: the real one, with what may happen to a call, and with planted bugs.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use inlet_model::approval::Approval;
use inlet_model::secret::{Sealed, Secrets};
use inlet_model::sync::{Failure, Outcome, StateMove, SyncStatus};
use inlet_model::{
    CollectionId, ConnectorId, DeliveryId, KeyId, NodeId, SpaceId, StoreId, StreamName, SyncId, Timestamp,
    WebhookId,
};
use inlet_store::SqlCatalog;
use inlet_store::catalog::Node as AnnouncedNode;
use inlet_store::catalog::{
    ApiKey, Approvals, Audit, AuditEntry, AuditQuery, CancelEffect, Claim, ClaimKind, ClaimedDelivery,
    Collection, Collections, Connector, ConnectorDeleteEffect, ConnectorFilter, Connectors, DeleteEffect,
    Deliveries, Delivery, DeliveryClaim, DeliveryNote, DeliveryState, Discard, Effect, ExpectedVersion,
    HeldSecrets, Idempotent, KeyChange, KeyHash, KeyMatch, Keys, KnownNode, Lease, NameFilter, Nodes,
    OnConflict, Page, PageQuery, Purge, PurgeEffect, PurgeId, Purges, Remains, RetryConflict, RevertConflict,
    Reverts, RotateConflict, Schedules, SealedSecrets, SecretHolder, Space, Spaces, Sync, SyncFilter,
    SyncLimits, SyncTally, Syncs, Task, TaskId, Tasks, Trigger, Triggers, UpdateEffect, Wait, Webhook,
    WebhookChange, WebhookConflict, WebhookSecret, WebhookUpdate, Webhooks,
};
use inlet_store::collection::{Fence, Run};
use inlet_store::{Catalog, StoreResult};
use tokio::sync::Notify;

use super::forward::forward;
use super::mutants::Mutant;
use super::node::{Node, kind_of};

/// So long is for ever.
const FOR_EVER: Duration = Duration::from_secs(10 * 365 * 24 * 60 * 60);

/// The catalog of one node.
#[derive(Debug)]
pub(crate) struct NodeCatalog {
    node: Arc<Node>,
    inner: Arc<SqlCatalog>,
}

impl NodeCatalog {
    pub(crate) fn new(node: &Arc<Node>) -> Self {
        Self { node: Arc::clone(node), inner: node.world.backends.catalog() }
    }

    fn lease(&self, lease: Lease) -> Lease {
        let longer = if self.node.world.has(Mutant::LeaseForever) { FOR_EVER } else { Duration::ZERO };
        Lease { until: lease.until.plus(longer), ..lease }
    }

    /// What the worker is told of a claim.
    fn claimed(&self, mut claim: Claim) -> Claim {
        let world = &self.node.world;
        if world.has(Mutant::SameFence) && claim.kind != ClaimKind::Begun {
            claim.fence = Fence(claim.fence.0 - 1);
        }
        world.note_claim(&claim);
        claim
    }

    /// Puts a sync that waits back into the queue, behind the back of everybody.
    fn move_past_the_table(&self, id: SyncId) {
        // Where one is queued already there is no room for it.
        let sql = format!("UPDATE syncs SET status = 'queued' WHERE id = '{id}' AND status = 'waiting'");
        self.node.world.backends.meddle(&sql);
    }
}

impl Catalog for NodeCatalog {
    fn secret(&self) -> &[u8; 32] {
        self.inner.secret()
    }

    fn revision(&self) -> Option<u64> {
        self.inner.revision()
    }

    fn release_reserve(&self) {
        self.node.say("release_reserve");
    }
}

#[async_trait::async_trait]
impl Syncs for NodeCatalog {
    async fn sync_trigger(
        &self,
        sync: Sync,
        on_conflict: OnConflict,
        idempotent: Option<Idempotent>,
    ) -> StoreResult<Effect<Option<Sync>>> {
        self.node.call("sync_trigger", self.inner.sync_trigger(sync, on_conflict, idempotent)).await
    }

    async fn sync_found(&self, idempotent: Idempotent) -> StoreResult<Effect<Infallible>> {
        self.node.call("sync_found", self.inner.sync_found(idempotent)).await
    }

    async fn sync_list(
        &self,
        connector_id: ConnectorId,
        filter: SyncFilter,
        query: PageQuery,
    ) -> StoreResult<Page<Sync>> {
        self.node.call("sync_list", self.inner.sync_list(connector_id, filter, query)).await
    }

    async fn sync_get(&self, connector_id: ConnectorId, id: SyncId) -> StoreResult<Option<Sync>> {
        self.node.call("sync_get", self.inner.sync_get(connector_id, id)).await
    }

    async fn sync_last(&self, connector_ids: &[ConnectorId]) -> StoreResult<Vec<Sync>> {
        self.node.call("sync_last", self.inner.sync_last(connector_ids)).await
    }

    async fn sync_tally(&self) -> StoreResult<Vec<SyncTally>> {
        self.node.call("sync_tally", self.inner.sync_tally()).await
    }

    async fn sync_cancel(
        &self,
        connector_id: ConnectorId,
        id: Option<SyncId>,
        now: Timestamp,
    ) -> StoreResult<CancelEffect> {
        self.node.call("sync_cancel", self.inner.sync_cancel(connector_id, id, now)).await
    }

    async fn sync_claim(
        &self,
        lease: Lease,
        limits: &SyncLimits,
        now: Timestamp,
    ) -> StoreResult<Option<Claim>> {
        self.node.before("sync_claim").await?;
        let claim = self.node.world.backends.block_on(self.inner.sync_claim(self.lease(lease), limits, now));
        let claim = claim.map(|claim| claim.map(|claim| self.claimed(claim)));
        self.node.after("sync_claim", kind_of(&claim)).await;
        claim
    }

    async fn sync_take_over(&self, lease: Lease) -> StoreResult<Vec<Claim>> {
        self.node.before("sync_take_over").await?;
        let claims = self.node.world.backends.block_on(self.inner.sync_take_over(self.lease(lease)));
        let claims = claims.map(|claims| claims.into_iter().map(|claim| self.claimed(claim)).collect());
        self.node.after("sync_take_over", kind_of(&claims)).await;
        claims
    }

    async fn sync_wait(
        &self,
        id: SyncId,
        fence: Fence,
        mut wait: Wait,
        now: Timestamp,
    ) -> StoreResult<Option<Sync>> {
        self.node.before("sync_wait").await?;
        let world = &self.node.world;
        if world.has(Mutant::WaitForever) {
            wait.resume_at = wait.resume_at.plus(FOR_EVER);
        }
        let waiting = world.backends.block_on(self.inner.sync_wait(id, fence, wait, now));
        if world.has(Mutant::IllegalMove) && waiting.is_ok() {
            self.move_past_the_table(id);
        }
        world.look_at_sync(id);
        self.node.after("sync_wait", kind_of(&waiting)).await;
        waiting
    }

    async fn sync_give_back(&self, id: SyncId, node: NodeId) -> StoreResult<()> {
        self.node.call("sync_give_back", self.inner.sync_give_back(id, node)).await
    }

    async fn sync_next_resume(&self) -> StoreResult<Option<Timestamp>> {
        self.node.call("sync_next_resume", self.inner.sync_next_resume()).await
    }

    async fn sync_moves(&self, id: SyncId, after: u64) -> StoreResult<Vec<StateMove>> {
        self.node.call("sync_moves", self.inner.sync_moves(id, after)).await
    }

    async fn sync_finish(&self, run: &Run) -> StoreResult<()> {
        self.node.before("sync_finish").await?;
        let world = &self.node.world;
        let mut run = run.clone();
        if world.has(Mutant::FalseSuccess) && run.outcome == Some(Outcome::Failed) {
            (run.outcome, run.failure) = (Some(Outcome::Succeeded), None);
        }
        let finished = world.backends.block_on(self.inner.sync_finish(&run));
        world.look_at_sync(run.sync_id);
        self.node.after("sync_finish", kind_of(&finished)).await;
        finished
    }

    async fn sync_give_up(&self, run: &Run, fence: Fence) -> StoreResult<()> {
        self.node.before("sync_give_up").await?;
        let world = &self.node.world;
        let given_up = world.backends.block_on(self.inner.sync_give_up(run, fence));
        world.look_at_sync(run.sync_id);
        self.node.after("sync_give_up", kind_of(&given_up)).await;
        given_up
    }

    async fn sync_finish_dry(&self, run: &Run, fence: Fence, preview: String) -> StoreResult<()> {
        self.node.before("sync_finish_dry").await?;
        let world = &self.node.world;
        let finished = world.backends.block_on(self.inner.sync_finish_dry(run, fence, preview));
        world.look_at_sync(run.sync_id);
        self.node.after("sync_finish_dry", kind_of(&finished)).await;
        finished
    }

    async fn sync_preview(&self, id: SyncId) -> StoreResult<Option<String>> {
        self.node.call("sync_preview", self.inner.sync_preview(id)).await
    }

    async fn sync_abandon(
        &self,
        id: SyncId,
        fence: Fence,
        status: SyncStatus,
        failure: Option<Failure>,
        now: Timestamp,
    ) -> StoreResult<bool> {
        self.node.before("sync_abandon").await?;
        let world = &self.node.world;
        let abandoned = world.backends.block_on(self.inner.sync_abandon(id, fence, status, failure, now));
        world.look_at_sync(id);
        self.node.after("sync_abandon", kind_of(&abandoned)).await;
        abandoned
    }
}

#[async_trait::async_trait]
impl Schedules for NodeCatalog {
    async fn schedule_fire(&self, now: Timestamp, limit: usize) -> StoreResult<usize> {
        self.node.before("schedule_fire").await?;
        let fired = self.node.world.backends.block_on(self.inner.schedule_fire(now, limit));
        if fired.as_ref().is_ok_and(|fired| *fired > 0) {
            self.node.world.look_at_all_syncs();
        }
        self.node.after("schedule_fire", kind_of(&fired)).await;
        fired
    }

    async fn schedule_next(&self) -> StoreResult<Option<Timestamp>> {
        self.node.call("schedule_next", self.inner.schedule_next()).await
    }
}

forward!(Nodes for NodeCatalog {
    node_leave(id: NodeId) -> ();
    node_list(query: PageQuery) -> Page<KnownNode>;
} also {
    async fn node_renew(&self, node: &AnnouncedNode, until: Timestamp, now: Timestamp) -> StoreResult<Vec<SyncId>> {
        let until = self.lease(Lease { node: node.id, until }).until;
        self.node.call("node_renew", self.inner.node_renew(node, until, now)).await
    }
});

forward!(Triggers for NodeCatalog {
    trigger_get(connector: ConnectorId) -> Option<Trigger>;
    trigger_set(connector: &Connector, secret: WebhookSecret, old_ends_at: Timestamp, idempotent: Option<Idempotent>) -> Effect<()>;
    trigger_delete(connector: &Connector) -> bool;
} also {});

forward!(Reverts for NodeCatalog {
    sync_revert(revert: Sync, on_conflict: OnConflict, idempotent: Option<Idempotent>) -> Effect<RevertConflict>;
} also {});

forward!(Approvals for NodeCatalog {
    sync_approve(connector: ConnectorId, id: SyncId, now: Timestamp, idempotent: Option<Idempotent>) -> Effect<Option<Sync>>;
    sync_discard(connector: ConnectorId, id: SyncId, now: Timestamp, idempotent: Option<Idempotent>) -> Effect<Option<Sync>>;
    sync_approval_spent(id: SyncId, fence: Fence) -> ();
    discard_list(limit: usize) -> Vec<Discard>;
    discard_done(id: SyncId) -> ();
} also {
    async fn sync_ask(&self, run: &Run, fence: Fence, approval: Approval, now: Timestamp) -> StoreResult<Option<Sync>> {
        self.node.before("sync_ask").await?;
        let world = &self.node.world;
        let asked = world.backends.block_on(self.inner.sync_ask(run, fence, approval, now));
        world.look_at_sync(run.sync_id);
        self.node.after("sync_ask", kind_of(&asked)).await;
        asked
    }
});

forward!(Spaces for NodeCatalog {
    space_list(filter: NameFilter, query: PageQuery) -> Page<Space>;
    space_get(id: &SpaceId) -> Option<Space>;
    space_create(space: Space, idempotent: Option<Idempotent>) -> Effect<Space>;
    space_rename(id: &SpaceId, name: &str, now: Timestamp) -> Option<Space>;
    space_delete(id: &SpaceId, cascade: bool, now: Timestamp) -> DeleteEffect;
} also {});

forward!(Collections for NodeCatalog {
    collection_list(space: &SpaceId, filter: NameFilter, query: PageQuery) -> Option<Page<Collection>>;
    collection_get(space: &SpaceId, id: &CollectionId) -> Option<Collection>;
    collection_create(new: Collection, idempotent: Option<Idempotent>) -> Effect<Option<Collection>>;
    collection_rename(space: &SpaceId, id: &CollectionId, name: &str, now: Timestamp) -> Option<Collection>;
    collection_delete(space: &SpaceId, id: &CollectionId, cascade: bool, has_records: bool, now: Timestamp) -> DeleteEffect;
    collection_stores() -> Vec<StoreId>;
} also {});

forward!(Connectors for NodeCatalog {
    connector_list(space: &SpaceId, collection: &CollectionId, filter: ConnectorFilter, query: PageQuery) -> Option<Page<Connector>>;
    connector_in_space(space: &SpaceId, id: ConnectorId) -> Option<Connector>;
    connector_get(space: &SpaceId, collection: &CollectionId, id: ConnectorId) -> Option<Connector>;
    connector_create(connector: Connector, idempotent: Option<Idempotent>) -> Effect<()>;
    connector_update(connector: Connector) -> UpdateEffect<Connector>;
    connector_delete(space: &SpaceId, collection: &CollectionId, id: ConnectorId, expected: ExpectedVersion, remains: Remains, now: Timestamp) -> ConnectorDeleteEffect;
} also {});

forward!(SealedSecrets for NodeCatalog {
    secret_list(after: Option<SecretHolder>, limit: usize) -> Vec<HeldSecrets>;
    secret_replace(changes: Vec<(HeldSecrets, Secrets)>) -> usize;
    masking_key() -> Option<Sealed>;
    masking_key_keep(proposed: Sealed) -> Sealed;
} also {});

forward!(Keys for NodeCatalog {
    key_by_hash(hash: KeyHash) -> Option<KeyMatch>;
    key_list(space: Option<&SpaceId>, query: PageQuery) -> Page<ApiKey>;
    key_get(id: KeyId) -> Option<ApiKey>;
    key_create_first(key: ApiKey, hash: KeyHash) -> bool;
    key_create(key: ApiKey, hash: KeyHash, idempotent: Option<Idempotent>) -> Effect<()>;
    key_update(id: KeyId, change: KeyChange) -> Option<ApiKey>;
    key_rotate(id: KeyId, hash: KeyHash, old_end_at: Timestamp, now: Timestamp, idempotent: Option<Idempotent>) -> Effect<RotateConflict>;
    key_delete(id: KeyId) -> bool;
    key_used(uses: &[(KeyId, Timestamp)]) -> ();
} also {
    fn key_epoch(&self) -> u64 {
        self.inner.key_epoch()
    }
});

forward!(Webhooks for NodeCatalog {
    webhook_list(space: &SpaceId, query: PageQuery) -> Option<Page<Webhook>>;
    webhook_get(space: &SpaceId, id: WebhookId) -> Option<Webhook>;
    webhook_create(webhook: Webhook, idempotent: Option<Idempotent>) -> Effect<WebhookConflict>;
    webhook_update(space: &SpaceId, id: WebhookId, change: WebhookChange, now: Timestamp) -> WebhookUpdate;
    webhook_rotate(space: &SpaceId, id: WebhookId, secret: WebhookSecret, old_ends_at: Timestamp, now: Timestamp, idempotent: Option<Idempotent>) -> Effect<()>;
    webhook_delete(space: &SpaceId, id: WebhookId, now: Timestamp) -> bool;
} also {});

forward!(Deliveries for NodeCatalog {
    delivery_list(webhook: WebhookId, state: Option<DeliveryState>, query: PageQuery) -> Page<Delivery>;
    delivery_get(webhook: WebhookId, id: DeliveryId) -> Option<Delivery>;
    delivery_retry(webhook: WebhookId, id: DeliveryId, now: Timestamp, idempotent: Option<Idempotent>) -> Effect<RetryConflict>;
    delivery_claim(claim: DeliveryClaim) -> Vec<ClaimedDelivery>;
    delivery_next() -> Option<Timestamp>;
    delivery_note(note: DeliveryNote) -> bool;
    delivery_take_over(now: Timestamp) -> ();
    delivery_forget(before: Timestamp, limit: usize) -> usize;
} also {
    fn delivery_queued(&self) -> Arc<Notify> {
        self.inner.delivery_queued()
    }
});

forward!(Audit for NodeCatalog {
    audit_list(query: AuditQuery) -> Page<AuditEntry>;
} also {});

forward!(Tasks for NodeCatalog {
    task_list(limit: usize) -> Vec<Task>;
    task_done(id: TaskId) -> ();
} also {});

forward!(Purges for NodeCatalog {
    purge_queue(store: StoreId, connectors: Vec<ConnectorId>, stream: Option<StreamName>) -> PurgeEffect;
    purge_list(after: PurgeId, limit: usize) -> Vec<Purge>;
    purge_list_of(store: StoreId) -> Vec<Purge>;
    purge_done(id: PurgeId) -> ();
} also {});
