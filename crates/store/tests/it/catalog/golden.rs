//! Golden files: a catalog of every version ever released, and what it reads as.
//!
//! `golden/vN/catalog.db` was written by version `N` and never changes. With `INLET_TEST_WRITE_GOLDEN` set, the present
//! version writes its own if there is none yet, and every `catalog.txt` is written anew.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use inlet_model::schedule::Schedule;
use inlet_model::secret::SealedConfig;
use inlet_model::sync::{Outcome, SyncMode, SyncTrigger};
use inlet_model::{ConnectorId, KeyId, SeededEntropy, Timestamp};
use inlet_store::SqlCatalog;
use inlet_store::catalog::{
    ApiKey, ClaimedDelivery, Connector, ConnectorFilter, ConnectorStatus, DeliveryAnswer, DeliveryClaim,
    DeliveryError, DeliveryNote, ExpectedVersion, KeyHash, NameFilter, OnConflict, Remains, Reply, Role,
    Sync, SyncFilter, TaskKind, Verdict, Webhook, WebhookEvent, WebhookSecret, WebhookStatus,
};
use inlet_store::conformance::catalog::given::{Given, first, sealed};
use serde_json::json;

use super::{look_into, open};

const VERSIONS: &[&str] = &["v1", "v2", "v3", "v4"];

const KEY: KeyHash = KeyHash([0xab; 32]);

#[tokio::test]
async fn a_catalog_of_every_version_reads_as_it_was_written() {
    let present = VERSIONS.last().unwrap();
    if writes_golden() && !golden(present, "catalog.db").exists() {
        fs::create_dir_all(golden(present, "")).unwrap();
        write_everything(&golden(present, "catalog.db")).await;
    }
    for version in VERSIONS {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("catalog.db");
        fs::copy(golden(version, "catalog.db"), &path).unwrap();
        let shown = show_everything(open(&path)).await;
        let expected = golden(version, "catalog.txt");
        if writes_golden() {
            fs::write(&expected, &shown).unwrap();
        }
        assert!(shown == fs::read_to_string(&expected).unwrap(), "{version} now reads as:\n{shown}");
    }
}

#[tokio::test]
async fn a_catalog_of_every_version_gets_the_schema_of_a_new_one() {
    let directory = tempfile::tempdir().unwrap();
    let fresh = directory.path().join("fresh.db");
    drop(open(&fresh));
    for version in VERSIONS {
        let path = directory.path().join(version);
        fs::copy(golden(version, "catalog.db"), &path).unwrap();
        drop(open(&path));
        assert_eq!(schema(&path), schema(&fresh), "{version}");
        let faults = look_into(&path).pragma_query_value(None, "integrity_check", |row| row.get(0));
        assert_eq!(faults, Ok("ok".to_owned()));
    }
}

/// Claims go by it; a sync of an early version did not have it.
#[tokio::test]
async fn what_has_not_ended_in_a_catalog_of_every_version_knows_its_space_and_type() {
    let directory = tempfile::tempdir().unwrap();
    for version in VERSIONS {
        let path = directory.path().join(version);
        fs::copy(golden(version, "catalog.db"), &path).unwrap();
        drop(open(&path));
        let counted = look_into(&path).query_row(
            "SELECT count(*), count(*) FILTER (WHERE s.space_id = c.space_id AND s.kind = c.kind)
             FROM syncs AS s JOIN connectors AS c ON c.id = s.connector_id
             WHERE s.status NOT IN ('succeeded', 'failed', 'cancelled')",
            [],
            |row| Ok((row.get::<_, u32>(0)?, row.get::<_, u32>(1)?)),
        );
        let (open, known) = counted.unwrap();
        assert!(open > 0 && open == known, "{version}: {known} of {open}");
    }
}

/// What the generator writes now is what the present version's file holds: the file is no relic of another program.
#[tokio::test]
async fn the_present_version_still_writes_its_golden_file() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("catalog.db");
    write_everything(&path).await;
    let shown = show_everything(open(&path)).await;
    let expected = golden(VERSIONS.last().unwrap(), "catalog.txt");
    assert!(shown == fs::read_to_string(expected).unwrap(), "the generator now writes:\n{shown}");
}

fn writes_golden() -> bool {
    std::env::var_os("INLET_TEST_WRITE_GOLDEN").is_some()
}

fn golden(version: &str, file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("golden").join(version).join(file)
}

fn schema(path: &Path) -> Vec<String> {
    let db = look_into(path);
    let mut statement = db.prepare("SELECT coalesce(sql, name) FROM sqlite_schema ORDER BY name").unwrap();
    statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
}

/// A catalog with every kind of row in every state.
pub(crate) async fn write_everything(path: &Path) {
    let given = Given::new(Arc::new(open(path)));
    let collection = given.stored_collection().await;

    let with_history = given.stored_connector_in(&collection).await;
    for outcome in [Outcome::Succeeded, Outcome::Failed, Outcome::Cancelled] {
        given.finished_sync(&with_history, outcome).await;
    }

    let updated = given.stored_connector_in(&collection).await;
    given.running_sync(&updated).await;
    let settings = Connector {
        name: "Renamed since".to_owned(),
        config: json!({"path": "/other"}).into(),
        streams: None,
        schedule: Schedule::Every("15m".parse().unwrap()),
        status: ConnectorStatus::Paused,
        updated_at: given.now(),
        ..updated
    };
    given.catalog.connector_update(settings).await.unwrap();
    given.cancelling_sync(&given.stored_connector_in(&collection).await).await;

    let waiting = given.running_sync(&given.stored_connector_in(&collection).await).await;
    let wait = given.a_wait(Duration::from_secs(3600));
    given.catalog.sync_wait(waiting.sync.id, waiting.fence, wait, given.now()).await.unwrap();
    given.asking_sync(&given.stored_connector_in(&collection).await).await;
    let discarded = given.asking_sync(&given.stored_connector_in(&collection).await).await;
    given.catalog.sync_discard(discarded.connector_id, discarded.id, given.now(), None).await.unwrap();
    let reverted = given.stored_connector_in(&collection).await;
    let bad = given.finished_sync(&reverted, Outcome::Succeeded).await;
    let revert = Sync { reverts: Some(bad.id), ..given.a_sync(&reverted) };
    given.catalog.sync_revert(revert, OnConflict::Reject, None).await.unwrap();
    given.claim().await.unwrap();
    let secret = WebhookSecret { pointer: "/trigger_secret/a".to_owned(), sealed: sealed(3) };
    given.catalog.trigger_set(&reverted, secret, given.now(), None).await.unwrap();

    let config = SealedConfig::new(json!({"host": "db"}), [("/password".to_owned(), sealed(1))].into());
    let schedule =
        serde_json::from_value(json!({"cron": "0 7 * * 1-5", "timezone": "Europe/Berlin"})).unwrap();
    let secret = Connector { config, schedule, ..given.a_connector(&collection) };
    given.catalog.connector_create(secret.clone(), None).await.unwrap();
    given.running_sync(&secret).await;
    given.catalog.masking_key_keep(sealed(2)).await.unwrap();

    let deleted = given.stored_connector_in(&collection).await;
    given.finished_sync(&deleted, Outcome::Succeeded).await;
    let now = given.now();
    given
        .catalog
        .connector_delete(
            &collection.space_id,
            &collection.id,
            deleted.id,
            ExpectedVersion::Any,
            Remains::Kept,
            now,
        )
        .await
        .unwrap();
    let gone = given.stored_collection().await;
    given.catalog.space_delete(&gone.space_id, true, given.now()).await.unwrap();

    let queued =
        Sync { trigger: SyncTrigger::Schedule, mode: SyncMode::FullRefresh, ..given.a_sync(&with_history) };
    given.catalog.sync_trigger(queued, OnConflict::Reject, Some(given.idempotent(1, 1))).await.unwrap();
    given.catalog.space_create(given.a_space(), Some(given.idempotent(2, 7))).await.unwrap();
    let created_at = given.now();
    let id = KeyId::new(created_at, &SeededEntropy::new(3));
    let key = ApiKey {
        id,
        name: "First".to_owned(),
        role: Role::Admin,
        space_id: None,
        created_at,
        created_by: None,
        expires_at: None,
        last_used_at: None,
    };
    assert!(given.catalog.key_create_first(key, KEY).await.unwrap());
    write_webhooks(&given).await;
    for number in [1, 2] {
        given.renewed(&given.a_node(number)).await;
    }
}

/// Webhooks with deliveries in every state.
async fn write_webhooks(given: &Given) {
    let connector = given.stored_connector().await;
    let narrow = Webhook {
        connector_id: Some(connector.id),
        events: vec![WebhookEvent::SyncFailed],
        status: WebhookStatus::Disabled,
        ..given.a_webhook(&connector.space_id)
    };
    given.catalog.webhook_create(narrow.clone(), None).await.unwrap();
    let secret = WebhookSecret { pointer: "/secret/b".to_owned(), sealed: sealed(2) };
    let (ends_at, now) = (given.now(), given.now());
    given.catalog.webhook_rotate(&narrow.space_id, narrow.id, secret, ends_at, now, None).await.unwrap();
    given.stored_webhook_in(&connector.space_id).await;
    for verdict in [Verdict::Delivered, Verdict::Expired] {
        let queued = given.queued_sync(&connector).await;
        given.catalog.sync_cancel(connector.id, Some(queued.id), given.now()).await.unwrap();
        let now = given.now();
        let claim = DeliveryClaim { now, until: given.now(), per_webhook: 9, limit: 9 };
        for ClaimedDelivery { delivery, .. } in given.catalog.delivery_claim(claim).await.unwrap() {
            let reply = match verdict {
                Verdict::Delivered => Reply::Answered { status: 204, body: "thanks".to_owned() },
                _ => Reply::Failed(DeliveryError::TimedOut),
            };
            let answer = DeliveryAnswer { at: given.now(), duration_ms: 7, reply };
            let note = DeliveryNote { id: delivery.id, attempt: delivery.attempts, answer, verdict };
            assert!(given.catalog.delivery_note(note).await.unwrap());
        }
    }
    let queued = given.queued_sync(&connector).await;
    given.catalog.sync_cancel(connector.id, Some(queued.id), given.now()).await.unwrap();
}

/// All that a catalog holds, through its methods.
pub(crate) async fn show_everything(catalog: SqlCatalog) -> String {
    let given = Given::new(Arc::new(catalog));
    let catalog = &given.catalog;
    let mut shown = String::new();
    let mut show = |what: &str, value: &dyn std::fmt::Debug| writeln!(shown, "{what}: {value:#?}").unwrap();

    show("secret", &hex(catalog.secret()));
    show("masking key", &catalog.masking_key().await.unwrap().map(|sealed| sealed.to_string()));
    for space in catalog.space_list(NameFilter::default(), first(100)).await.unwrap().items {
        show("space", &space);
        for webhook in catalog.webhook_list(&space.id, first(100)).await.unwrap().unwrap().items {
            show("webhook", &webhook);
            show("deliveries", &catalog.delivery_list(webhook.id, None, first(100)).await.unwrap().items);
        }
        let collections =
            catalog.collection_list(&space.id, NameFilter::default(), first(100)).await.unwrap().unwrap();
        for collection in collections.items {
            show("collection", &collection);
            let connectors = catalog
                .connector_list(&space.id, &collection.id, ConnectorFilter::default(), first(100))
                .await
                .unwrap();
            for connector in connectors.unwrap().items {
                show("connector", &connector);
                show("trigger", &catalog.trigger_get(connector.id).await.unwrap().map(|it| it.secrets));
                let syncs = catalog.sync_list(connector.id, SyncFilter::default(), first(100)).await;
                for sync in syncs.unwrap().items {
                    show("sync", &sync);
                    show("moves", &catalog.sync_moves(sync.id, 0).await.unwrap());
                }
            }
        }
    }
    show("nodes", &catalog.node_list(first(100)).await.unwrap().items);
    show("discards", &catalog.discard_list(100).await.unwrap());
    let tasks = catalog.task_list(100).await.unwrap();
    show("tasks", &tasks);
    for deleted in tasks.iter().filter_map(|task| closed(task.kind)) {
        show(
            "syncs of a deleted connector",
            &catalog.sync_list(deleted, SyncFilter::default(), first(100)).await.unwrap().items,
        );
    }
    show("key", &catalog.key_by_hash(KEY).await.unwrap().unwrap());
    for (key, request) in [(1, 1), (2, 7), (2, 8)] {
        let mut use_of_key = given.idempotent(key, request);
        use_of_key.expired_before = Timestamp::from_micros(0);
        show("replay", &catalog.space_create(given.a_space(), Some(use_of_key)).await.unwrap());
    }
    show("claims", &catalog.sync_take_over(given.a_lease(2, given.now())).await.unwrap());
    show("claim", &given.claim().await);
    shown
}

fn closed(kind: TaskKind) -> Option<ConnectorId> {
    match kind {
        TaskKind::CloseConnector { connector_id, .. } => Some(connector_id),
        TaskKind::RemoveStore { .. } => None,
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
