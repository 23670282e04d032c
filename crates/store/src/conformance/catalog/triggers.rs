//! Connectors that are triggered by signed messages.

use std::sync::Arc;

use inlet_model::Timestamp;
use inlet_model::secret::Secrets;

use super::given::{Given, first, sealed};
use crate::catalog::{
    Action, Actor, AuditQuery, Catalog, Connector, Effect, ExpectedVersion, HeldSecrets, Remains,
    SecretHolder, Trigger, WebhookSecret, WebhookSecrets,
};

fn secret(number: u8) -> WebhookSecret {
    WebhookSecret { pointer: format!("/trigger_secret/{number}"), sealed: sealed(number) }
}

impl Given {
    async fn set_trigger(&self, connector: &Connector, number: u8, old_ends_at: Timestamp) {
        let effect = self.catalog.trigger_set(connector, secret(number), old_ends_at, None).await.unwrap();
        assert_eq!(effect, Effect::Done);
    }

    async fn trigger(&self, connector: &Connector) -> Option<Trigger> {
        self.catalog.trigger_get(connector.id).await.unwrap()
    }
}

/// Until then it has none.
pub async fn a_connector_gets_a_trigger(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let (connector, other) = (given.stored_connector().await, given.stored_connector().await);
    assert_eq!(given.trigger(&connector).await, None);
    given.set_trigger(&connector, 1, given.now()).await;
    let secrets = WebhookSecrets { current: secret(1), previous: None };
    assert_eq!(given.trigger(&connector).await, Some(Trigger { connector, secrets }));
    assert_eq!(given.trigger(&other).await, None);
}

/// The one before the last is over at once.
pub async fn a_new_secret_leaves_the_one_before_for_a_while(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let connector = given.stored_connector().await;
    let (first, second, third) = (given.now(), given.now(), given.now());
    given.set_trigger(&connector, 1, first).await;
    given.set_trigger(&connector, 2, second).await;
    given.set_trigger(&connector, 3, third).await;
    let secrets = WebhookSecrets { current: secret(3), previous: Some((secret(2), third)) };
    assert_eq!(given.trigger(&connector).await.map(|trigger| trigger.secrets), Some(secrets));
}

/// And is no longer found; a connector that is gone gets none.
pub async fn a_trigger_goes_on_request_and_with_its_connector(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let (kept, gone) = (given.stored_connector().await, given.stored_connector().await);
    for connector in [&kept, &gone] {
        given.set_trigger(connector, 1, given.now()).await;
    }
    assert!(given.catalog.trigger_delete(&kept).await.unwrap());
    assert!(!given.catalog.trigger_delete(&kept).await.unwrap());
    let (space_id, collection_id, now) = (&gone.space_id, &gone.collection_id, given.now());
    given
        .catalog
        .connector_delete(space_id, collection_id, gone.id, ExpectedVersion::Any, Remains::Kept, now)
        .await
        .unwrap();
    for connector in [&kept, &gone] {
        assert_eq!(given.trigger(connector).await, None);
    }
    let refused = given.catalog.trigger_set(&gone, secret(2), given.now(), None).await.unwrap();
    assert_eq!(refused, Effect::Conflict(()));
    assert_eq!(given.catalog.secret_list(None, 9).await.unwrap(), []);
}

/// Behind those of webhooks, in pages, and are replaced each at its place.
pub async fn the_secrets_of_triggers_are_listed_and_replaced(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let webhook = given.stored_webhook().await;
    let connectors = [given.stored_connector().await, given.stored_connector().await];
    let ends_at = given.now();
    for connector in &connectors {
        given.set_trigger(connector, 1, ends_at).await;
        given.set_trigger(connector, 2, ends_at).await;
    }
    let of = |connector: &Connector| {
        let secrets = Secrets::from([1, 2].map(|number| (secret(number).pointer, secret(number).sealed)));
        HeldSecrets { holder: SecretHolder::Trigger(connector.id), owner: connector.id.into(), secrets }
    };
    for limit in [1, 2, 9] {
        let mut found = Vec::new();
        loop {
            let after = found.last().map(|held: &HeldSecrets| held.holder);
            let page = given.catalog.secret_list(after, limit).await.unwrap();
            if page.is_empty() {
                break;
            }
            found.extend(page);
        }
        assert_eq!(found[0].holder, SecretHolder::Webhook(webhook.id));
        assert_eq!(found[1..], [of(&connectors[0]), of(&connectors[1])]);
    }
    let renewed: Secrets = of(&connectors[0]).secrets.into_keys().map(|place| (place, sealed(9))).collect();
    let changes = vec![(of(&connectors[0]), renewed.clone()), (of(&connectors[0]), renewed)];
    assert_eq!(given.catalog.secret_replace(changes).await.unwrap(), 1, "the second is not as it was listed");
    let secrets = given.trigger(&connectors[0]).await.unwrap().secrets;
    let with = |number| WebhookSecret { sealed: sealed(9), ..secret(number) };
    assert_eq!(secrets, WebhookSecrets { current: with(2), previous: Some((with(1), ends_at)) });
}

/// By whom and of which connector; and a request that is repeated is answered as before.
pub async fn triggers_are_audited_and_set_once_for_a_key(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let connector = given.stored_connector().await;
    for expected in [Effect::Done, Effect::Replayed(given.idempotent(1, 1).answer)] {
        let key = Some(given.idempotent(1, 1));
        let setting = given.catalog.trigger_set(&connector, secret(1), given.now(), key);
        assert_eq!(given.a_cause(Actor::Local).run(setting).await.unwrap(), expected);
    }
    assert!(given.a_cause(Actor::Local).run(given.catalog.trigger_delete(&connector)).await.unwrap());
    let query = AuditQuery { space_id: None, actor: None, action: None, page: first(9) };
    let entries = given.catalog.audit_list(query).await.unwrap().items;
    let actions: Vec<_> = entries.iter().map(|entry| entry.action).collect();
    assert_eq!(actions, [Action::TriggerDelete, Action::TriggerSet]);
    assert!(entries.iter().all(|entry| entry.target.connector_id == Some(connector.id)));
}
