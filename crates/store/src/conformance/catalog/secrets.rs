//! Sealed secrets.

use std::sync::Arc;

use inlet_model::secret::{SealedConfig, SecretOwner, Secrets};
use inlet_model::sync::Outcome;
use serde_json::json;

use super::given::{Given, sealed};
use crate::catalog::secrets::MASKING_KEY;
use crate::catalog::{
    Catalog, Connector, ExpectedVersion, HeldSecrets, Remains, SecretHolder, UpdateEffect, Webhook,
    WebhookSecret, WebhookSecrets,
};

/// A connector that was stored, with these secrets at `/password`.
async fn stored(given: &Given, secret: u8) -> Connector {
    let collection = given.stored_collection().await;
    let connector = Connector { config: config(secret), ..given.a_connector(&collection) };
    given.catalog.connector_create(connector.clone(), None).await.unwrap();
    connector
}

fn config(secret: u8) -> SealedConfig {
    SealedConfig::new(json!({"host": "db"}), secrets(secret))
}

fn secrets(secret: u8) -> Secrets {
    Secrets::from([("/password".to_owned(), sealed(secret)), ("/ssl/ü~1\"".to_owned(), sealed(secret + 1))])
}

fn of_connector(connector: &Connector) -> HeldSecrets {
    let (holder, secrets) = (SecretHolder::Connector(connector.id), connector.config.secrets().clone());
    HeldSecrets { holder, owner: connector.id.into(), secrets }
}

fn of_webhook(webhook: &Webhook) -> HeldSecrets {
    HeldSecrets {
        holder: SecretHolder::Webhook(webhook.id),
        owner: webhook.id.into(),
        secrets: webhook.secrets.by_place(),
    }
}

async fn all(given: &Given, limit: usize) -> Vec<HeldSecrets> {
    let mut found: Vec<HeldSecrets> = Vec::new();
    loop {
        let after = found.last().map(|held| held.holder);
        let page = given.catalog.secret_list(after, limit).await.unwrap();
        assert!(page.len() <= limit);
        if page.is_empty() {
            return found;
        }
        found.extend(page);
    }
}

/// Whoever has secrets is listed, once: connectors, begun syncs until they end, and webhooks.
pub async fn all_who_have_secrets_are_listed_once(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let first = stored(&given, 1).await;
    given.stored_connector().await;
    let second = stored(&given, 3).await;
    let claim = given.running_sync(&second).await;
    let of_sync = HeldSecrets { holder: SecretHolder::Sync(claim.sync.id), ..of_connector(&second) };
    let webhooks = [given.stored_webhook().await, given.stored_webhook().await];
    let gone = given.stored_webhook().await;
    given.catalog.webhook_delete(&gone.space_id, gone.id, given.now()).await.unwrap();
    let of_webhooks = webhooks.each_ref().map(of_webhook);
    for limit in [1, 2, 100] {
        let mut expected = vec![of_connector(&first), of_connector(&second), of_sync.clone()];
        expected.extend(of_webhooks.clone());
        assert_eq!(all(&given, limit).await, expected);
    }
    for webhook in webhooks {
        given.catalog.webhook_delete(&webhook.space_id, webhook.id, given.now()).await.unwrap();
    }
    given.catalog.sync_finish(&given.a_run(&claim, Outcome::Succeeded)).await.unwrap();
    assert_eq!(all(&given, 9).await, [of_connector(&first), of_connector(&second)]);
}

/// A begun sync keeps its secrets when its connector loses them; a deleted connector has none.
pub async fn a_begun_sync_keeps_secrets_that_its_connector_has_lost(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let connector = stored(&given, 1).await;
    let claim = given.running_sync(&connector).await;
    let of_sync = HeldSecrets { holder: SecretHolder::Sync(claim.sync.id), ..of_connector(&connector) };
    let without = Connector { config: json!({"host": "db"}).into(), ..connector.clone() };
    given.catalog.connector_update(without).await.unwrap();
    assert_eq!(all(&given, 9).await, [of_sync]);
    let (space_id, collection_id) = (&connector.space_id, &connector.collection_id);
    given
        .catalog
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
    assert_eq!(all(&given, 9).await, []);
}

/// Replaced secrets are those of the connector and of the sync's next take-over; versions and all else stay.
pub async fn a_replacement_changes_the_secrets_and_nothing_else(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let connector = stored(&given, 1).await;
    given.running_sync(&connector).await;
    let changes = all(&given, 9).await.into_iter().map(|held| (held, secrets(7))).collect();
    assert_eq!(given.catalog.secret_replace(changes).await.unwrap(), 2);
    let expected = Connector { config: config(7), ..connector };
    let (space_id, collection_id) = (&expected.space_id, &expected.collection_id);
    let found = given.catalog.connector_get(space_id, collection_id, expected.id).await.unwrap();
    assert_eq!(found.as_ref(), Some(&expected));
    let claims = given.catalog.sync_take_over(given.a_lease(2, given.now())).await.unwrap();
    assert_eq!(claims[0].connector.as_ref(), Some(&expected));
}

/// Secrets that were changed since they were listed stay as they are.
pub async fn a_replacement_of_secrets_that_were_changed_since_does_nothing(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let (changed, kept) = (stored(&given, 1).await, stored(&given, 3).await);
    let listed = all(&given, 9).await;
    let wanted = Connector { config: config(5), ..changed };
    let UpdateEffect::Updated(changed) = given.catalog.connector_update(wanted).await.unwrap() else {
        panic!("it was updated")
    };
    let changes = listed.into_iter().map(|held| (held, secrets(7))).collect();
    assert_eq!(given.catalog.secret_replace(changes).await.unwrap(), 1);
    let kept = Connector { config: config(7), ..kept };
    assert_eq!(all(&given, 9).await, [of_connector(&changed), of_connector(&kept)]);
}

/// The secrets of a webhook are replaced each at its place, with when they end.
pub async fn a_replacement_leaves_a_webhooks_secrets_in_their_places(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let webhook = given.stored_webhook().await;
    let newer = WebhookSecret { pointer: "/secret/b".to_owned(), sealed: sealed(2) };
    let (ends_at, now) = (given.now(), given.now());
    let (space_id, id) = (&webhook.space_id, webhook.id);
    given.catalog.webhook_rotate(space_id, id, newer.clone(), ends_at, now, None).await.unwrap();
    let held = all(&given, 9).await;
    let places: Vec<String> = held[0].secrets.keys().cloned().collect();
    let after: Secrets = places.iter().map(|place| (place.clone(), sealed(9))).collect();
    assert_eq!(given.catalog.secret_replace(vec![(held[0].clone(), after)]).await.unwrap(), 1);
    let renewed = |secret: &WebhookSecret| WebhookSecret { sealed: sealed(9), ..secret.clone() };
    let expected = WebhookSecrets {
        current: renewed(&newer),
        previous: Some((renewed(&webhook.secrets.current), ends_at)),
    };
    let found = given.catalog.webhook_get(space_id, id).await.unwrap().unwrap();
    assert_eq!((found.secrets, found.updated_at), (expected, now));
}

/// The masking key that was kept first stays, is listed behind all others, and is replaced as they are.
pub async fn the_first_masking_key_is_kept_and_sealed_anew_with_all_else(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let connector = stored(&given, 1).await;
    let webhook = given.stored_webhook().await;
    assert_eq!(given.catalog.masking_key().await.unwrap(), None);
    assert_eq!(given.catalog.masking_key_keep(sealed(5)).await.unwrap(), sealed(5));
    assert_eq!(given.catalog.masking_key_keep(sealed(6)).await.unwrap(), sealed(5));
    let of_server = |secret| {
        let secrets = Secrets::from([(MASKING_KEY.to_owned(), sealed(secret))]);
        HeldSecrets { holder: SecretHolder::Server, owner: SecretOwner::Server, secrets }
    };
    for limit in [1, 2, 100] {
        let expected = [of_connector(&connector), of_webhook(&webhook), of_server(5)];
        assert_eq!(all(&given, limit).await, expected);
    }
    for (before, replaced) in [(6, 0), (5, 1)] {
        let changes = vec![(of_server(before), of_server(7).secrets)];
        assert_eq!(given.catalog.secret_replace(changes).await.unwrap(), replaced);
    }
    assert_eq!(given.catalog.masking_key().await.unwrap(), Some(sealed(7)));
}
