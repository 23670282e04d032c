//! Secrets of a connector: what becomes of a sync when they cannot be read, and that no failure repeats them.

use inlet_model::secret::{PlainConfig, Vault, VaultKey};
use inlet_model::sync::SyncStatus;
use inlet_model::{SeededEntropy, SystemEntropy};
use inlet_source::{ErrorKind, Message, SourceError};
use inlet_store::catalog::{Connector, UpdateEffect};
use serde_json::json;

use crate::fixture::{Fixture, stream, vault};

const SECRET: &str = "swordfish";

/// Gives the fixture's connector a password, sealed by this vault.
async fn with_password(vault: &Vault) -> Fixture {
    let mut fixture = Fixture::new(&["s", "t"]).await;
    let id = fixture.connector.id;
    let config = PlainConfig::new(json!({"host": "db", "password": SECRET}), vec!["/password".to_owned()]);
    let config = vault.seal_config(&SystemEntropy, id, &config, None);
    let wanted = Connector { config, ..fixture.connector.clone() };
    let UpdateEffect::Updated(connector) = fixture.catalog.connector_update(wanted).await.unwrap() else {
        panic!("the connector is there")
    };
    fixture.connector = connector;
    fixture
}

#[tokio::test]
async fn without_the_key_a_sync_fails_and_says_which_key_is_missing() {
    let lost = VaultKey::generate(&SeededEntropy::new(77));
    let fixture = with_password(&Vault::new(lost.clone(), [])).await;
    let engine = fixture.engine().await;
    let sync = fixture.sync_to_the_end(&engine).await;
    let failure = sync.failure.expect("it failed");
    assert_eq!((sync.status, failure.code.as_str()), (SyncStatus::Failed, "connector.secret_unreadable"));
    let id = lost.id();
    assert_eq!(
        failure.message,
        format!("the secret `/password` cannot be read: its encryption key {id} is not here")
    );
    assert!(failure.hint.unwrap().contains(&id.to_string()));
}

#[tokio::test]
async fn no_failure_of_a_sync_or_a_stream_repeats_a_secret() {
    let fixture = with_password(&vault()).await;
    fixture.script(|_, out| async move {
        let said = || {
            SourceError::new(ErrorKind::Denied, "log in", format!("`{SECRET}` is refused"))
                .with("url", format!("db://u:{SECRET}@db"))
                .hint(format!("is {SECRET} right?"))
                .because(format!("the driver says {SECRET}"))
        };
        let error = said();
        out.send(Message::StreamFailed { stream: stream("s"), error }).await.unwrap();
        out.send(Message::Warning { text: format!("beware of {SECRET}") }).await.unwrap();
        Err(said())
    });
    let engine = fixture.engine().await;
    let sync = fixture.sync_to_the_end(&engine).await;
    let shown = format!("{:?} {:?}", sync.failure, sync.streams);
    assert!(shown.contains("source.denied") && shown.contains("********"), "{shown}");
    assert!(!shown.contains(SECRET), "{shown}");
}
