//! API keys.

use std::sync::Arc;

use inlet_model::{KeyId, SeededEntropy};
use tokio::task::JoinSet;

use super::given::Given;
use crate::catalog::{ApiKey, Catalog, KeyHash};

fn a_key(given: &Given, number: u8) -> ApiKey {
    let now = given.now();
    let id = KeyId::new(now, &SeededEntropy::new(u64::from(number)));
    ApiKey { id, name: format!("Key {number}"), hash: KeyHash([number; 32]), created_at: now }
}

/// The first key is stored, and found by its hash and no other.
pub async fn the_first_key_is_stored_and_found_by_its_hash(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let key = a_key(&given, 1);
    assert_eq!(given.catalog.key_by_hash(key.hash).await.unwrap(), None);
    assert!(given.catalog.key_create_first(key.clone()).await.unwrap());
    assert_eq!(given.catalog.key_by_hash(key.hash).await.unwrap(), Some(key));
    assert_eq!(given.catalog.key_by_hash(KeyHash([2; 32])).await.unwrap(), None);
}

/// A second first key is not stored.
pub async fn a_second_first_key_is_not_stored(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let (first, second) = (a_key(&given, 1), a_key(&given, 2));
    given.catalog.key_create_first(first.clone()).await.unwrap();
    assert!(!given.catalog.key_create_first(second.clone()).await.unwrap());
    assert_eq!(given.catalog.key_by_hash(second.hash).await.unwrap(), None);
    assert!(given.catalog.key_by_hash(first.hash).await.unwrap().is_some());
}

/// Two first starts at once make one key.
pub async fn two_first_starts_at_once_make_one_key(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let mut starts = JoinSet::new();
    for number in 0..20 {
        let (catalog, key) = (Arc::clone(&given.catalog), a_key(&given, number));
        starts.spawn(async move { catalog.key_create_first(key).await.unwrap() });
    }
    assert_eq!(starts.join_all().await.into_iter().filter(|made| *made).count(), 1);
}
