//! What the behaviours start from: things that are all different, in a catalog that is otherwise empty.

use std::sync::Arc;
use std::time::Duration;

use inlet_model::approval::{Approval, LargeDelete, LargeDeleteOfStream};
use inlet_model::mask::Masking;
use inlet_model::policy::{ConnectorPolicy, DeleteLimit, SchemaPolicy};
use inlet_model::schedule::Schedule;
use inlet_model::secret::Sealed;
use inlet_model::stream::StreamSettings;
use inlet_model::sync::{Failure, Outcome, SyncMode, SyncStatus, SyncTrigger};
use inlet_model::{
    AuditId, Clock, CollectionId, ConnectorId, Counts, KeyId, ManualClock, NodeId, NodeRole, NodeRoles,
    SeededEntropy, SpaceId, StoreId, StreamName, SyncId, Timestamp, WebhookId,
};
use serde_json::json;

use crate::catalog::{
    Actor, ApiKey, Catalog, Cause, Claim, Collection, Connector, ConnectorStatus, Effect, Idempotent, Lease,
    Node, OnConflict, Order, PageCursor, PageQuery, Role, Space, StoredAnswer, Sync, SyncLimits, Wait,
    Webhook, WebhookSecret, WebhookSecrets, WebhookStatus,
};
use crate::collection::{Phase, Run, StreamProgress, StreamStatus};

/// How long a key of [`Given::idempotent`] counts.
const KEPT: Duration = Duration::from_secs(1_000);

/// A catalog under test, and a time that moves with each look at it.
#[derive(Debug)]
pub struct Given {
    /// The catalog.
    pub catalog: Arc<dyn Catalog>,
    clock: ManualClock,
    entropy: SeededEntropy,
}

impl Given {
    /// What can be had from a catalog that is otherwise empty.
    pub fn new(catalog: Arc<dyn Catalog>) -> Self {
        let clock = ManualClock::new(Timestamp::from_millis(4_102_444_800_000));
        Self { catalog, clock, entropy: SeededEntropy::new(7) }
    }

    /// A later time than ever before, and than any clock shows. Not a whole number of milliseconds, which a backend must not need.
    pub fn now(&self) -> Timestamp {
        self.clock.advance(1_001);
        self.clock.now()
    }

    /// Lets time pass.
    pub fn let_pass(&self, duration: Duration) {
        self.clock.advance(i64::try_from(duration.as_micros()).unwrap());
    }

    /// Lets so much time pass that every idempotency key has expired.
    pub fn let_keys_expire(&self) {
        self.let_pass(2 * KEPT);
    }

    /// A space that is not stored.
    pub fn a_space(&self) -> Space {
        let now = self.now();
        Space {
            id: SpaceId::new(now, &self.entropy),
            name: format!("Space of {now} – ünïcode, \"quotes\", 'more'"),
            created_at: now,
            updated_at: self.now(),
        }
    }

    /// A collection that is not stored.
    pub fn a_collection(&self, space_id: &SpaceId) -> Collection {
        let now = self.now();
        Collection {
            space_id: space_id.clone(),
            id: CollectionId::new(now, &self.entropy),
            name: format!("Collection of {now}"),
            store_id: StoreId::new(now, &self.entropy),
            created_at: now,
            updated_at: self.now(),
        }
    }

    /// An active connector that is not stored.
    pub fn a_connector(&self, collection: &Collection) -> Connector {
        let now = self.now();
        Connector {
            id: ConnectorId::new(now, &self.entropy),
            space_id: collection.space_id.clone(),
            collection_id: collection.id.clone(),
            store_id: collection.store_id,
            name: format!("Connector of {now}"),
            kind: "files".to_owned(),
            config: json!({"path": "/data/ü.jsonl", "deep": {"list": [1, -2, null, true, "\u{1f600}"]}, "empty": {}})
                .into(),
            streams: Some(vec![StreamSettings {
                name: StreamName::new("public.orders").unwrap(),
                mode: SyncMode::FullRefresh,
                write_mode: inlet_model::stream::WriteMode::Upsert,
                primary_key: vec!["id".to_owned(), "line".to_owned()],
                cursor_field: Some("updated_at".to_owned()),
                fields: Some(vec!["id".to_owned()]),
                masking: Masking::default(),
            }]),
            schedule: Schedule::Manual,
            policy: ConnectorPolicy {
                max_rejected: 7,
                approve_deletes_over: DeleteLimit { percent: 5, records: 10 },
                schema: SchemaPolicy::Freeze,
                pause_after_failures: 3,
            },
            status: ConnectorStatus::Active,
            version: 1,
            created_at: now,
            updated_at: self.now(),
            next_sync_at: None,
            failures: 0,
            notice: None,
        }
    }

    /// A queued sync that is not stored.
    pub fn a_sync(&self, connector: &Connector) -> Sync {
        let now = self.now();
        Sync::queued(SyncId::new(now, &self.entropy), connector, SyncTrigger::Api, SyncMode::Incremental, now)
    }

    /// How the run of a claimed sync may have ended.
    pub fn a_run(&self, claim: &Claim, outcome: Outcome) -> Run {
        let counts = Counts {
            read: 10,
            created: 4,
            updated: 3,
            unchanged: 2,
            deleted: 5,
            rejected: 1,
            bytes: 1 << 40,
        };
        let failure = (outcome == Outcome::Failed).then(a_failure);
        Run {
            sync_id: claim.sync.id,
            connector_id: claim.sync.connector_id,
            attempt: claim.sync.attempt,
            barren_attempts: 0,
            generation: 1,
            phase: Phase::Ended,
            counts,
            streams: vec![StreamProgress {
                name: StreamName::new("public.orders").unwrap(),
                status: StreamStatus::Failed,
                counts,
                error: Some(a_failure()),
            }],
            outcome: Some(outcome),
            failure,
            started_at: self.now(),
            last_progress_at: self.now(),
            finished_at: Some(self.now()),
            changes: Some(1..=12),
        }
    }

    /// A key for all spaces that is not stored.
    pub fn a_key(&self) -> ApiKey {
        let now = self.now();
        ApiKey {
            id: KeyId::new(now, &self.entropy),
            name: format!("Key of {now}"),
            role: Role::Write,
            space_id: None,
            created_at: now,
            created_by: Some(Actor::Local),
            expires_at: None,
            last_used_at: None,
        }
    }

    /// A webhook for everything in the space, that is not stored.
    pub fn a_webhook(&self, space_id: &SpaceId) -> Webhook {
        let now = self.now();
        Webhook {
            id: WebhookId::new(now, &self.entropy),
            space_id: space_id.clone(),
            collection_id: None,
            connector_id: None,
            name: format!("Webhook of {now}"),
            url: "https://example.com/inlet?a=ü".to_owned(),
            events: Vec::new(),
            secrets: WebhookSecrets {
                current: WebhookSecret { pointer: "/secret/a".to_owned(), sealed: sealed(1) },
                previous: None,
            },
            status: WebhookStatus::Active,
            created_at: now,
            updated_at: self.now(),
        }
    }

    /// A request of `actor`.
    pub fn a_cause(&self, actor: Actor) -> Cause {
        Cause::new(self.an_audit_id(), self.now(), actor, "req".into())
    }

    /// The id of an entry of the audit log.
    pub fn an_audit_id(&self) -> AuditId {
        AuditId::new(self.now(), &self.entropy)
    }

    /// The use of an idempotency key: equal `key`s are one key, equal `request`s one request.
    pub fn idempotent(&self, key: u8, request: u8) -> Idempotent {
        let now = self.now();
        Idempotent {
            scope: [key; 32],
            fingerprint: [request; 32],
            answer: StoredAnswer {
                status: 201,
                location: Some(format!("/v1/things/{key}")),
                body: vec![b'{', request, 0, 255, b'}'],
            },
            now,
            expired_before: earlier(now, KEPT),
        }
    }

    /// A space that was stored.
    pub async fn stored_space(&self) -> Space {
        let space = self.a_space();
        assert_eq!(self.catalog.space_create(space.clone(), None).await.unwrap(), Effect::Done);
        space
    }

    /// A collection that was stored in the space.
    pub async fn stored_collection_in(&self, space_id: &SpaceId) -> Collection {
        let collection = self.a_collection(space_id);
        assert_eq!(self.catalog.collection_create(collection.clone(), None).await.unwrap(), Effect::Done);
        collection
    }

    /// A collection that was stored in a space of its own.
    pub async fn stored_collection(&self) -> Collection {
        let space = self.stored_space().await;
        self.stored_collection_in(&space.id).await
    }

    /// A connector that was stored in the collection.
    pub async fn stored_connector_in(&self, collection: &Collection) -> Connector {
        let connector = self.a_connector(collection);
        assert_eq!(self.catalog.connector_create(connector.clone(), None).await.unwrap(), Effect::Done);
        connector
    }

    /// A connector that was stored in a collection of its own.
    pub async fn stored_connector(&self) -> Connector {
        let collection = self.stored_collection().await;
        self.stored_connector_in(&collection).await
    }

    /// A webhook that was stored in the space.
    pub async fn stored_webhook_in(&self, space_id: &SpaceId) -> Webhook {
        let webhook = self.a_webhook(space_id);
        assert_eq!(self.catalog.webhook_create(webhook.clone(), None).await.unwrap(), Effect::Done);
        webhook
    }

    /// A webhook that was stored in a space of its own.
    pub async fn stored_webhook(&self) -> Webhook {
        let space = self.stored_space().await;
        self.stored_webhook_in(&space.id).await
    }

    /// A sync that was triggered.
    pub async fn queued_sync(&self, connector: &Connector) -> Sync {
        let sync = self.a_sync(connector);
        assert_eq!(
            self.catalog.sync_trigger(sync.clone(), OnConflict::Reject, None).await.unwrap(),
            Effect::Done
        );
        sync
    }

    /// A lease of a thousand seconds from `now` on, of the node of that number.
    pub fn a_lease(&self, node: u128, now: Timestamp) -> Lease {
        let until = Timestamp::from_micros(now.as_micros() + 1_000_000_000);
        Lease { node: NodeId::from_u128(node), until }
    }

    /// The node of that number, which starts now.
    pub fn a_node(&self, number: u128) -> Node {
        Node {
            id: NodeId::from_u128(number),
            name: format!("db-host-{number}"),
            version: "1.2.3".to_owned(),
            roles: NodeRoles::only(NodeRole::Worker).and(NodeRole::Scheduler),
            started_at: self.now(),
        }
    }

    /// The node says that it is there, with leases as of [`Given::a_lease`]. The syncs that it has.
    pub async fn renewed(&self, node: &Node) -> Vec<SyncId> {
        let now = self.now();
        let until = self.a_lease(node.id.as_u128(), now).until;
        self.catalog.node_renew(node, until, now).await.unwrap()
    }

    /// What the node numbered 1 is given now.
    pub async fn claim(&self) -> Option<Claim> {
        let now = self.now();
        self.catalog.sync_claim(self.a_lease(1, now), &SyncLimits::default(), now).await.unwrap()
    }

    /// A wait of this time from now on, without progress before it.
    pub fn a_wait(&self, duration: Duration) -> Wait {
        let micros = i64::try_from(duration.as_micros()).unwrap();
        let resume_at = Timestamp::from_micros(self.now().as_micros() + micros);
        Wait { resume_at, failure: a_failure(), progressed: false, run: None }
    }

    /// A sync that waits for this time from now on.
    pub async fn waiting_sync(&self, connector: &Connector, duration: Duration) -> Sync {
        let claim = self.running_sync(connector).await;
        let wait = self.a_wait(duration);
        let waiting = self.catalog.sync_wait(claim.sync.id, claim.fence, wait, self.now()).await.unwrap();
        waiting.expect("a sync that was claimed is there")
    }

    /// A sync that was triggered and claimed; nothing else may be queued.
    pub async fn running_sync(&self, connector: &Connector) -> Claim {
        let queued = self.queued_sync(connector).await;
        let claim = self.claim().await.expect("a sync is queued");
        assert_eq!(claim.sync.id, queued.id);
        claim
    }

    /// A sync of the connector that asks whether it may delete.
    pub async fn asking_sync(&self, connector: &Connector) -> Sync {
        let claim = self.running_sync(connector).await;
        let run = self.a_run(&claim, Outcome::Succeeded);
        let asking = self.catalog.sync_ask(&run, claim.fence, an_approval(), self.now()).await.unwrap();
        let asking = asking.expect("the sync is there");
        assert_eq!(asking.status, SyncStatus::NeedsApproval);
        asking
    }

    /// A sync on which a cancel was acknowledged while it ran.
    pub async fn cancelling_sync(&self, connector: &Connector) -> Claim {
        let mut claim = self.running_sync(connector).await;
        self.catalog.sync_cancel(connector.id, Some(claim.sync.id), self.now()).await.unwrap();
        claim.sync = self.sync(&claim.sync).await;
        assert_eq!(claim.sync.status, SyncStatus::Cancelling);
        claim
    }

    /// A sync that was claimed and ended so; nothing else may be queued.
    pub async fn finished_sync(&self, connector: &Connector, outcome: Outcome) -> Sync {
        let claim = self.running_sync(connector).await;
        self.catalog.sync_finish(&self.a_run(&claim, outcome)).await.unwrap();
        self.sync(&claim.sync).await
    }

    /// The sync as it stands now.
    pub async fn sync(&self, sync: &Sync) -> Sync {
        let found = self.catalog.sync_get(sync.connector_id, sync.id).await.unwrap();
        found.expect("a sync that was triggered is there")
    }
}

/// What a sync may ask.
pub fn an_approval() -> Approval {
    let stream = LargeDeleteOfStream {
        name: StreamName::new("public.orders").unwrap(),
        records: 150,
        of: 300,
        if_absent: 20,
        in_doubt: 1,
    };
    Approval { deletes: LargeDelete::of_streams(vec![stream]), after_reading: true, approved: false }
}

/// Why a sync may have failed.
pub fn a_failure() -> Failure {
    Failure {
        code: "source.unreachable".to_owned(),
        message: "The host does not answer.".to_owned(),
        hint: Some("Is it up?".to_owned()),
        retryable: true,
    }
}

/// The first page.
pub fn first(limit: usize) -> PageQuery {
    PageQuery { after: None, limit, order: Order::NewestFirst }
}

/// The page behind a place.
pub fn after(place: PageCursor, limit: usize) -> PageQuery {
    PageQuery { after: Some(place), limit, order: Order::NewestFirst }
}

fn earlier(time: Timestamp, by: Duration) -> Timestamp {
    Timestamp::from_micros(time.as_micros() - i64::try_from(by.as_micros()).unwrap())
}

/// A sealed secret; equal for equal `secret`s.
pub fn sealed(secret: u8) -> Sealed {
    format!("x1.0a0b0c0d.{}", format!("{secret:02x}").repeat(60)).parse().unwrap()
}
