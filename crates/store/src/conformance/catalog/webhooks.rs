//! Webhooks.

use std::sync::Arc;

use super::given::{Given, after, first, sealed};
use crate::catalog::{
    Catalog, Effect, ExpectedVersion, Remains, WEBHOOKS_MAX, Webhook, WebhookChange, WebhookConflict,
    WebhookEvent, WebhookSecret, WebhookSecrets, WebhookStatus, WebhookUpdate,
};

async fn found(given: &Given, webhook: &Webhook) -> Option<Webhook> {
    given.catalog.webhook_get(&webhook.space_id, webhook.id).await.unwrap()
}

async fn created(given: &Given, webhook: &Webhook) -> Effect<WebhookConflict> {
    given.catalog.webhook_create(webhook.clone(), None).await.unwrap()
}

async fn updated(given: &Given, webhook: &Webhook, change: WebhookChange) -> WebhookUpdate {
    given.catalog.webhook_update(&webhook.space_id, webhook.id, change, given.now()).await.unwrap()
}

/// A webhook is stored as it was given, whatever it is narrowed to.
pub async fn a_webhook_is_stored_as_it_was_given(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let connector = given.stored_connector().await;
    let narrow = Webhook {
        collection_id: Some(connector.collection_id.clone()),
        connector_id: Some(connector.id),
        events: vec![WebhookEvent::SyncFailed, WebhookEvent::SyncNeedsApproval],
        secrets: WebhookSecrets {
            current: WebhookSecret { pointer: "/secret/ü~1".to_owned(), sealed: sealed(3) },
            previous: Some((WebhookSecret { pointer: "/a".to_owned(), sealed: sealed(4) }, given.now())),
        },
        status: WebhookStatus::Disabled,
        ..given.a_webhook(&connector.space_id)
    };
    for webhook in [narrow, given.a_webhook(&connector.space_id)] {
        assert_eq!(created(&given, &webhook).await, Effect::Done);
        assert_eq!(found(&given, &webhook).await, Some(webhook));
    }
}

/// A webhook is found and changed only in its space.
pub async fn a_webhook_is_found_only_in_its_space(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let webhook = given.stored_webhook().await;
    let elsewhere = Webhook { space_id: given.stored_space().await.id, ..webhook.clone() };
    assert_eq!(found(&given, &elsewhere).await, None);
    let change = WebhookChange { name: Some("n".to_owned()), ..WebhookChange::default() };
    assert_eq!(updated(&given, &elsewhere, change).await, WebhookUpdate::Absent);
    let (space_id, id) = (&elsewhere.space_id, elsewhere.id);
    let secret = webhook.secrets.current.clone();
    let now = given.now();
    let rotated = given.catalog.webhook_rotate(space_id, id, secret, now, now, None).await.unwrap();
    assert_eq!(rotated, Effect::Conflict(()));
    assert!(!given.catalog.webhook_delete(space_id, id, now).await.unwrap());
    assert_eq!(found(&given, &webhook).await, Some(webhook));
}

/// A webhook needs its space, and what it is narrowed to must be in there.
pub async fn a_webhook_needs_its_space_and_what_it_is_narrowed_to(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let nowhere = given.a_webhook(&given.a_space().id);
    assert_eq!(created(&given, &nowhere).await, Effect::Conflict(WebhookConflict::NoSpace));
    let (ours, theirs) = (given.stored_connector().await, given.stored_connector().await);
    let other = given.stored_collection_in(&ours.space_id).await;
    for (collection_id, connector_id, conflict) in [
        (Some(&theirs.collection_id), None, Some(WebhookConflict::NoCollection)),
        (None, Some(theirs.id), Some(WebhookConflict::NoConnector)),
        (Some(&other.id), Some(ours.id), Some(WebhookConflict::NoConnector)),
        (Some(&other.id), None, None),
        (None, Some(ours.id), None),
    ] {
        let webhook = Webhook {
            collection_id: collection_id.cloned(),
            connector_id,
            ..given.a_webhook(&ours.space_id)
        };
        let expected = conflict.map_or(Effect::Done, Effect::Conflict);
        assert_eq!(created(&given, &webhook).await, expected);
        let before = given.stored_webhook_in(&ours.space_id).await;
        let change = WebhookChange {
            collection_id: Some(webhook.collection_id),
            connector_id: Some(webhook.connector_id),
            ..WebhookChange::default()
        };
        match (updated(&given, &before, change).await, conflict) {
            (WebhookUpdate::Updated(_), None) => {}
            (WebhookUpdate::Conflict(found), Some(conflict)) => assert_eq!(found, conflict),
            (other, _) => panic!("{other:?}"),
        }
    }
}

/// Webhooks are listed newest first, page by page; a space that is not there has no list.
pub async fn webhooks_are_listed_newest_first(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let space = given.stored_space().await;
    let mut stored = Vec::new();
    for _ in 0..5 {
        stored.insert(0, given.stored_webhook_in(&space.id).await);
        given.stored_webhook().await;
    }
    let list = async |query| given.catalog.webhook_list(&space.id, query).await.unwrap().unwrap();
    assert_eq!(list(first(9)).await.items, stored);
    let page = list(first(2)).await;
    assert_eq!(page.items, stored[..2]);
    assert_eq!(list(after(page.next.unwrap(), 9)).await.items, stored[2..]);
    assert_eq!(given.catalog.webhook_list(&given.a_space().id, first(9)).await.unwrap(), None);
}

/// A space has only so many webhooks; one that goes makes room.
pub async fn a_space_has_only_so_many_webhooks(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let last = given.stored_webhook().await;
    for _ in 1..WEBHOOKS_MAX {
        given.stored_webhook_in(&last.space_id).await;
    }
    let another = given.a_webhook(&last.space_id);
    assert_eq!(created(&given, &another).await, Effect::Conflict(WebhookConflict::TooMany));
    assert!(given.catalog.webhook_delete(&last.space_id, last.id, given.now()).await.unwrap());
    assert_eq!(created(&given, &another).await, Effect::Done);
}

/// A request that is repeated makes no second webhook.
pub async fn a_repeated_creation_makes_no_second_webhook(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let space = given.stored_space().await;
    let request = given.idempotent(1, 1);
    for expected in [Effect::Done, Effect::Replayed(request.answer.clone())] {
        let webhook = given.a_webhook(&space.id);
        let effect = given.catalog.webhook_create(webhook, Some(request.clone())).await.unwrap();
        assert_eq!(effect, expected);
    }
    let all = given.catalog.webhook_list(&space.id, first(9)).await.unwrap().unwrap();
    assert_eq!(all.items.len(), 1);
}

/// An update changes what it names and `updated_at`; one that changes nothing leaves that too.
pub async fn an_update_changes_what_it_names(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let connector = given.stored_connector().await;
    let webhook = given.stored_webhook_in(&connector.space_id).await;
    let expected = Webhook {
        name: "Other".to_owned(),
        url: "http://127.0.0.1/".to_owned(),
        events: vec![WebhookEvent::SyncStarted],
        collection_id: Some(connector.collection_id.clone()),
        connector_id: Some(connector.id),
        status: WebhookStatus::Disabled,
        ..webhook.clone()
    };
    let change = WebhookChange {
        name: Some(expected.name.clone()),
        url: Some(expected.url.clone()),
        events: Some(expected.events.clone()),
        collection_id: Some(expected.collection_id.clone()),
        connector_id: Some(expected.connector_id),
        status: Some(expected.status),
    };
    let now = given.now();
    let (space_id, id) = (&webhook.space_id, webhook.id);
    let effect = given.catalog.webhook_update(space_id, id, change.clone(), now).await.unwrap();
    let expected = Webhook { updated_at: now, ..expected };
    assert_eq!(effect, WebhookUpdate::Updated(Box::new(expected.clone())));
    for nothing in [change, WebhookChange::default()] {
        let effect = updated(&given, &webhook, nothing).await;
        assert_eq!(effect, WebhookUpdate::Updated(Box::new(expected.clone())));
    }
    assert_eq!(found(&given, &webhook).await, Some(expected));
}

/// A rotated webhook signs with both secrets for a while; a second rotation leaves only the newest two.
pub async fn a_rotated_webhook_has_the_secret_before_for_a_while(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let webhook = given.stored_webhook().await;
    let secret = |number: u8| WebhookSecret { pointer: format!("/secret/{number}"), sealed: sealed(number) };
    let mut before = webhook.secrets.current.clone();
    for number in [9, 1, 5] {
        let (now, ends_at) = (given.now(), given.now());
        let (space_id, id) = (&webhook.space_id, webhook.id);
        let effect = given.catalog.webhook_rotate(space_id, id, secret(number), ends_at, now, None).await;
        assert_eq!(effect.unwrap(), Effect::Done);
        let rotated = found(&given, &webhook).await.unwrap();
        let secrets = WebhookSecrets { current: secret(number), previous: Some((before, ends_at)) };
        assert_eq!(rotated, Webhook { secrets, updated_at: now, ..webhook.clone() });
        assert_eq!(rotated.secrets.valid_at(now).count(), 2);
        let newest: Vec<_> = rotated.secrets.valid_at(ends_at).collect();
        assert_eq!(newest, [&secret(number)]);
        before = secret(number);
    }
}

/// A webhook goes with its connector, its collection, its space; the others stay.
pub async fn a_webhook_goes_with_what_it_is_for(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let connector = given.stored_connector().await;
    let other = given.stored_collection_in(&connector.space_id).await;
    let (space_id, collection_id) = (&connector.space_id, &connector.collection_id);
    let of = async |collection_id: Option<_>, connector_id| {
        let webhook = Webhook { collection_id, connector_id, ..given.a_webhook(space_id) };
        assert_eq!(created(&given, &webhook).await, Effect::Done);
        webhook
    };
    let of_connector = of(None, Some(connector.id)).await;
    let of_both = of(Some(collection_id.clone()), Some(connector.id)).await;
    let of_collection = of(Some(collection_id.clone()), None).await;
    let of_other = of(Some(other.id.clone()), None).await;
    let of_space = of(None, None).await;
    let elsewhere = given.stored_webhook().await;
    let all = [&of_connector, &of_both, &of_collection, &of_other, &of_space, &elsewhere];
    let left = async || {
        let mut left = Vec::new();
        for webhook in all {
            left.push(found(&given, webhook).await.is_some());
        }
        left
    };
    let (any, kept) = (ExpectedVersion::Any, Remains::Kept);
    let now = given.now();
    let catalog = &given.catalog;
    catalog.connector_delete(space_id, collection_id, connector.id, any, kept, now).await.unwrap();
    assert_eq!(left().await, [false, false, true, true, true, true]);
    catalog.collection_delete(space_id, collection_id, true, false, now).await.unwrap();
    assert_eq!(left().await, [false, false, false, true, true, true]);
    catalog.space_delete(space_id, true, now).await.unwrap();
    assert_eq!(left().await, [false, false, false, false, false, true]);
    assert_eq!(found(&given, &elsewhere).await, Some(elsewhere));
}
