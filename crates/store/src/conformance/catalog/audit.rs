//! The audit log.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use inlet_model::secret::SealedConfig;
use inlet_model::sync::Outcome;
use serde_json::json;

use super::given::{Given, after, first, sealed};
use crate::catalog::{
    AUDIT_KEPT, Action, Actor, ApiKey, AuditEntry, AuditQuery, Catalog, Cause, Connector, Effect,
    ExpectedVersion, KeyChange, KeyHash, OnConflict, PageQuery, Remains, Target, WebhookChange,
};

fn everything(page: PageQuery) -> AuditQuery {
    AuditQuery { space_id: None, actor: None, action: None, page }
}

/// The entries, newest first.
async fn entries(given: &Given) -> Vec<AuditEntry> {
    given.catalog.audit_list(everything(first(100))).await.unwrap().items
}

/// What was done, newest first.
async fn actions(given: &Given) -> Vec<Action> {
    entries(given).await.into_iter().map(|entry| entry.action).collect()
}

/// Does `work` in the name of the operator.
async fn caused<F: Future>(given: &Given, work: F) -> F::Output {
    given.a_cause(Actor::Environment).run(work).await
}

/// An entry says who did what to what, when and in which request.
pub async fn an_entry_says_who_did_what_to_what(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let (key, space, now) = (given.a_key(), given.a_space(), given.now());
    let id = given.an_audit_id();
    let cause = Cause::new(id, now, Actor::Key(key.id), "req-1".into());
    cause.run(given.catalog.space_create(space.clone(), None)).await.unwrap();
    let expected = AuditEntry {
        id,
        at: now,
        actor: Actor::Key(key.id),
        request_id: "req-1".to_owned(),
        action: Action::SpaceCreate,
        target: Target::space(&space.id),
        fields: Vec::new(),
    };
    assert_eq!(entries(&given).await, [expected]);
}

/// Every change that somebody asks for leaves its entry, which names what it was done to.
pub async fn every_change_leaves_its_entry(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let catalog = &given.catalog;
    let (space, key) = (given.a_space(), given.a_key());
    let collection = given.a_collection(&space.id);
    let connector = given.a_connector(&collection);
    let sync = given.a_sync(&connector);
    let webhook = given.a_webhook(&space.id);
    let (space_id, collection_id) = (&space.id, &collection.id);
    caused(&given, async {
        catalog.space_create(space.clone(), None).await.unwrap();
        catalog.collection_create(collection.clone(), None).await.unwrap();
        catalog.connector_create(connector.clone(), None).await.unwrap();
        catalog.connector_update(connector.clone()).await.unwrap();
        catalog.sync_trigger(sync.clone(), OnConflict::Reject, None).await.unwrap();
        catalog.sync_cancel(connector.id, None, given.now()).await.unwrap();
        catalog.key_create(key.clone(), KeyHash([1; 32]), None).await.unwrap();
        catalog.key_update(key.id, KeyChange::default()).await.unwrap();
        let now = given.now();
        catalog.key_rotate(key.id, KeyHash([2; 32]), now, now, None).await.unwrap();
        catalog.key_delete(key.id).await.unwrap();
        catalog.webhook_create(webhook.clone(), None).await.unwrap();
        let change = WebhookChange { name: Some("n".to_owned()), ..WebhookChange::default() };
        catalog.webhook_update(space_id, webhook.id, change, now).await.unwrap();
        let secret = webhook.secrets.current.clone();
        catalog.webhook_rotate(space_id, webhook.id, secret, now, now, None).await.unwrap();
        catalog.webhook_delete(space_id, webhook.id, now).await.unwrap();
        catalog
            .connector_delete(
                space_id,
                collection_id,
                connector.id,
                ExpectedVersion::Any,
                Remains::Kept,
                given.now(),
            )
            .await
            .unwrap();
        catalog.collection_delete(space_id, collection_id, false, false, given.now()).await.unwrap();
        catalog.space_delete(space_id, false, given.now()).await.unwrap();
    })
    .await;
    let (of_space, of_collection) = (Target::space(space_id), Target::collection(space_id, collection_id));
    let of_connector = Target::connector(space_id, collection_id, connector.id);
    let (of_sync, of_key) = (Target::sync(&sync), Target::key(&key));
    let of_webhook = Target::webhook(space_id, webhook.id);
    let found: Vec<_> =
        entries(&given).await.into_iter().rev().map(|entry| (entry.action, entry.target)).collect();
    let expected = [
        (Action::SpaceCreate, of_space.clone()),
        (Action::CollectionCreate, of_collection.clone()),
        (Action::ConnectorCreate, of_connector.clone()),
        (Action::ConnectorUpdate, of_connector.clone()),
        (Action::SyncTrigger, of_sync.clone()),
        (Action::SyncCancel, of_sync),
        (Action::KeyCreate, of_key.clone()),
        (Action::KeyUpdate, of_key.clone()),
        (Action::KeyRotate, of_key.clone()),
        (Action::KeyDelete, of_key),
        (Action::WebhookCreate, of_webhook.clone()),
        (Action::WebhookUpdate, of_webhook.clone()),
        (Action::WebhookRotate, of_webhook.clone()),
        (Action::WebhookDelete, of_webhook),
        (Action::ConnectorDelete, of_connector),
        (Action::CollectionDelete, of_collection),
        (Action::SpaceDelete, of_space),
    ];
    assert_eq!(found, expected);
}

/// What changes nothing leaves no entry: a conflict, a replay, a mismatch, a stale version, something that is not there, a cancel
/// of what has ended.
pub async fn what_changes_nothing_leaves_no_entry(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let catalog = &given.catalog;
    let connector = given.stored_connector().await;
    let queued = given.queued_sync(&connector).await;
    let (space_id, collection_id) = (&connector.space_id, &connector.collection_id);
    let space = catalog.space_get(space_id).await.unwrap().unwrap();
    catalog.sync_cancel(connector.id, Some(queued.id), given.now()).await.unwrap();
    let another_connector = given.stored_connector().await;
    let ended = given.finished_sync(&another_connector, Outcome::Succeeded).await;
    let (request, another) = (given.idempotent(1, 1), given.idempotent(1, 2));
    catalog.space_create(given.a_space(), Some(request.clone())).await.unwrap();
    let key = given.a_key();
    caused(&given, async {
        let effect = catalog.space_create(space.clone(), None).await.unwrap();
        assert_eq!(effect, Effect::Conflict(space.clone()));
        let effect = catalog.space_create(given.a_space(), Some(request.clone())).await.unwrap();
        assert_eq!(effect, Effect::Replayed(request.answer.clone()));
        assert_eq!(catalog.space_create(given.a_space(), Some(another)).await.unwrap(), Effect::Mismatch);
        catalog.connector_update(Connector { version: 9, ..connector.clone() }).await.unwrap();
        catalog.sync_cancel(ended.connector_id, Some(ended.id), given.now()).await.unwrap();
        catalog.sync_cancel(connector.id, Some(queued.id), given.now()).await.unwrap();
        catalog.space_delete(space_id, false, given.now()).await.unwrap();
        catalog.collection_delete(space_id, collection_id, false, true, given.now()).await.unwrap();
        let unknown = given.a_connector(&given.a_collection(space_id));
        catalog
            .connector_delete(
                space_id,
                collection_id,
                unknown.id,
                ExpectedVersion::Any,
                Remains::Kept,
                given.now(),
            )
            .await
            .unwrap();
        catalog.key_delete(key.id).await.unwrap();
        catalog.key_update(key.id, KeyChange::default()).await.unwrap();
        catalog.key_used(&[(key.id, given.now())]).await.unwrap();
    })
    .await;
    assert_eq!(entries(&given).await, []);
}

/// What nobody asked for leaves no entry: also what a task does that the request has spawned.
pub async fn what_nobody_asked_for_leaves_no_entry(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    given.stored_space().await;
    let (catalog, space) = (Arc::clone(&given.catalog), given.a_space());
    caused(&given, async move {
        tokio::spawn(async move { catalog.space_create(space, None).await.unwrap() }).await.unwrap();
    })
    .await;
    assert_eq!(entries(&given).await, []);
}

/// An update's entry names the settings that it changed, one by one, and holds nothing of what they were or became.
pub async fn an_update_names_the_settings_it_changed(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let collection = given.stored_collection().await;
    let config = json!({"host": "old-value", "port": 1, "gone": "old-value", "a/b~c": "old-value"});
    let secrets = |old: u8| {
        [("/password", old), ("/token", 7)]
            .map(|(pointer, secret)| (pointer.to_owned(), sealed(secret)))
            .into()
    };
    let config = SealedConfig::new(config, secrets(1));
    let stored = Connector { config, ..given.a_connector(&collection) };
    given.catalog.connector_create(stored.clone(), None).await.unwrap();
    let config = json!({"host": "new-value", "port": 1, "added": "new-value", "a/b~c": "new-value"});
    let updated = Connector {
        name: "new-value".to_owned(),
        config: SealedConfig::new(config, secrets(2)),
        streams: None,
        ..stored
    };
    caused(&given, given.catalog.connector_update(updated)).await.unwrap();
    let entries = entries(&given).await;
    let config = ["/config/added", "/config/a~1b~0c", "/config/gone", "/config/host", "/config/password"];
    assert_eq!(entries[0].fields, [&["/name", "/streams"], config.as_slice()].concat());
    assert!(!format!("{entries:?}").contains("-value"));
    let key = given.a_key();
    given.catalog.key_create(key.clone(), KeyHash([1; 32]), None).await.unwrap();
    let change = KeyChange { name: Some("new-value".to_owned()), expires_at: Some(Some(given.now())) };
    caused(&given, given.catalog.key_update(key.id, change)).await.unwrap();
    assert_eq!(self::entries(&given).await[0].fields, ["/name", "/expires_at"]);
}

/// Several changes of one request have entries of their own, in their order.
pub async fn several_changes_of_a_request_have_their_entries(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    caused(&given, async {
        let space = given.stored_space().await;
        given.catalog.space_delete(&space.id, false, given.now()).await.unwrap();
    })
    .await;
    assert_eq!(actions(&given).await, [Action::SpaceDelete, Action::SpaceCreate]);
}

/// Filters are by space, actor and action; a key belongs to the space it is bound to.
pub async fn entries_are_filtered(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let (one, two) = (given.a_space(), given.a_space());
    let bound = ApiKey { space_id: Some(one.id.clone()), ..given.a_key() };
    let (key, free) = (Actor::Key(given.a_key().id), given.a_key());
    caused(&given, given.catalog.space_create(one.clone(), None)).await.unwrap();
    given.a_cause(key).run(given.catalog.space_create(two.clone(), None)).await.unwrap();
    caused(&given, given.catalog.key_create(bound.clone(), KeyHash([1; 32]), None)).await.unwrap();
    caused(&given, given.catalog.key_create(free, KeyHash([2; 32]), None)).await.unwrap();
    let all = entries(&given).await;
    let all = &all;
    let found = async |space_id, actor, action| {
        let query = AuditQuery { space_id, actor, action, page: first(9) };
        let items = given.catalog.audit_list(query).await.unwrap().items;
        let places = items.iter().map(|entry| all.iter().position(|each| each == entry).unwrap());
        places.collect::<Vec<_>>()
    };
    assert_eq!(found(None, None, None).await, [0, 1, 2, 3]);
    assert_eq!(found(Some(one.id.clone()), None, None).await, [1, 3]);
    assert_eq!(found(Some(two.id), None, None).await, [2]);
    assert_eq!(found(None, Some(key), None).await, [2]);
    assert_eq!(found(None, None, Some(Action::KeyCreate)).await, [0, 1]);
    let of_one = Some(one.id);
    assert_eq!(found(of_one, Some(Actor::Environment), Some(Action::KeyCreate)).await, [1]);
    assert_eq!(found(None, Some(Actor::Local), None).await, [0; 0]);
}

/// Paging skips and repeats nothing while entries are added.
pub async fn paging_skips_and_repeats_nothing_while_entries_are_added(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    for _ in 0..6 {
        caused(&given, given.stored_space()).await;
    }
    let expected = entries(&given).await;
    let (mut seen, mut query) = (Vec::new(), first(2));
    loop {
        let page = given.catalog.audit_list(everything(query)).await.unwrap();
        seen.extend(page.items);
        caused(&given, given.stored_space()).await;
        let Some(next) = page.next else { break };
        query = after(next, 2);
    }
    assert_eq!(seen, expected);
}

/// Old entries go when others are written; those that are not old yet stay.
pub async fn old_entries_go_when_others_are_written(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    caused(&given, given.stored_space()).await;
    given.let_pass(AUDIT_KEPT / 2);
    caused(&given, given.stored_space()).await;
    assert_eq!(entries(&given).await.len(), 2);
    given.let_pass(AUDIT_KEPT / 2 + Duration::from_secs(1));
    caused(&given, given.stored_space()).await;
    assert_eq!(entries(&given).await.len(), 2);
}
