//! Idempotency, shown on every method that takes a key.

use std::sync::Arc;

use async_trait::async_trait;
use tokio::task::JoinSet;

use super::given::{Given, first};
use crate::catalog::{
    Catalog, Collection, Connector, ConnectorFilter, Effect, Idempotent, OnConflict, Space, StoredAnswer,
    Sync,
};

/// A request that has one effect and may carry a key.
#[async_trait]
trait Request: Send {
    /// Sends it; what a conflict shows is left out.
    async fn send(&self, catalog: &dyn Catalog, idempotent: Option<Idempotent>) -> Effect<()>;
    /// Whether its effect is there.
    async fn had_effect(&self, catalog: &dyn Catalog) -> bool;
}

fn without_conflict<C>(effect: Effect<C>) -> Effect<()> {
    match effect {
        Effect::Done => Effect::Done,
        Effect::Conflict(_) => Effect::Conflict(()),
        Effect::Replayed(answer) => Effect::Replayed(answer),
        Effect::Mismatch => Effect::Mismatch,
    }
}

#[async_trait]
impl Request for Space {
    async fn send(&self, catalog: &dyn Catalog, idempotent: Option<Idempotent>) -> Effect<()> {
        without_conflict(catalog.space_create(self.clone(), idempotent).await.unwrap())
    }

    async fn had_effect(&self, catalog: &dyn Catalog) -> bool {
        catalog.space_get(&self.id).await.unwrap().as_ref() == Some(self)
    }
}

#[async_trait]
impl Request for Collection {
    async fn send(&self, catalog: &dyn Catalog, idempotent: Option<Idempotent>) -> Effect<()> {
        without_conflict(catalog.collection_create(self.clone(), idempotent).await.unwrap())
    }

    async fn had_effect(&self, catalog: &dyn Catalog) -> bool {
        catalog.collection_get(&self.space_id, &self.id).await.unwrap().as_ref() == Some(self)
    }
}

#[async_trait]
impl Request for Connector {
    async fn send(&self, catalog: &dyn Catalog, idempotent: Option<Idempotent>) -> Effect<()> {
        without_conflict(catalog.connector_create(self.clone(), idempotent).await.unwrap())
    }

    async fn had_effect(&self, catalog: &dyn Catalog) -> bool {
        let found = catalog.connector_get(&self.space_id, &self.collection_id, self.id).await.unwrap();
        found.as_ref() == Some(self)
    }
}

#[async_trait]
impl Request for Sync {
    async fn send(&self, catalog: &dyn Catalog, idempotent: Option<Idempotent>) -> Effect<()> {
        without_conflict(catalog.sync_trigger(self.clone(), OnConflict::Reject, idempotent).await.unwrap())
    }

    async fn had_effect(&self, catalog: &dyn Catalog) -> bool {
        catalog.sync_get(self.connector_id, self.id).await.unwrap().as_ref() == Some(self)
    }
}

/// One request of each kind, none of which has been sent.
async fn a_request_of_each_kind(given: &Given) -> Vec<Box<dyn Request + std::marker::Sync>> {
    let collection = given.stored_collection().await;
    let connector = given.stored_connector_in(&collection).await;
    vec![
        Box::new(given.a_space()),
        Box::new(given.a_collection(&collection.space_id)),
        Box::new(given.a_connector(&collection)),
        Box::new(given.a_sync(&connector)),
    ]
}

/// A repeated request gets the first answer, byte for byte, and does nothing.
pub async fn a_repeated_request_gets_the_first_answer_and_does_nothing(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let first_times = a_request_of_each_kind(&given).await;
    let repeated = a_request_of_each_kind(&given).await;
    for (key, (first_time, again)) in (0..).zip(first_times.iter().zip(&repeated)) {
        let use_of_key = given.idempotent(key, 1);
        let effect = first_time.send(&*given.catalog, Some(use_of_key.clone())).await;
        assert_eq!(effect, Effect::Done);
        assert!(first_time.had_effect(&*given.catalog).await);
        for _ in 0..2 {
            let other_answer = StoredAnswer { status: 202, location: None, body: b"another".to_vec() };
            let repeated = Idempotent { answer: other_answer, ..given.idempotent(key, 1) };
            let effect = again.send(&*given.catalog, Some(repeated)).await;
            assert_eq!(effect, Effect::Replayed(use_of_key.answer.clone()));
        }
        assert!(!again.had_effect(&*given.catalog).await);
    }
}

/// The key of another request is a mismatch, does nothing, and leaves the record as it was.
pub async fn the_key_of_another_request_is_a_mismatch_and_does_nothing(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let requests = a_request_of_each_kind(&given).await;
    let use_of_key = given.idempotent(9, 1);
    given.catalog.space_create(given.a_space(), Some(use_of_key.clone())).await.unwrap();
    for request in &requests {
        let effect = request.send(&*given.catalog, Some(given.idempotent(9, 2))).await;
        assert_eq!(effect, Effect::Mismatch);
        assert!(!request.had_effect(&*given.catalog).await);
    }
    let effect = requests[0].send(&*given.catalog, Some(given.idempotent(9, 1))).await;
    assert_eq!(effect, Effect::Replayed(use_of_key.answer));
}

/// The record comes before any conflict: the very same request, sent again, is replayed and not refused.
pub async fn the_record_comes_before_any_conflict(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    for (key, request) in (0..).zip(a_request_of_each_kind(&given).await) {
        let use_of_key = given.idempotent(key, 1);
        request.send(&*given.catalog, Some(use_of_key.clone())).await;
        let effect = request.send(&*given.catalog, Some(use_of_key.clone())).await;
        assert_eq!(effect, Effect::Replayed(use_of_key.answer));
        let effect = request.send(&*given.catalog, Some(given.idempotent(key, 2))).await;
        assert_eq!(effect, Effect::Mismatch);
    }
}

/// A conflict stores no record: once what was in the way is gone, the request has its effect.
pub async fn a_conflict_stores_no_record(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let connector = given.stored_connector().await;
    let in_the_way = given.queued_sync(&connector).await;
    let sync = given.a_sync(&connector);
    let effect = given
        .catalog
        .sync_trigger(sync.clone(), OnConflict::Reject, Some(given.idempotent(1, 1)))
        .await
        .unwrap();
    assert_eq!(effect, Effect::Conflict(Some(in_the_way.clone())));
    given.catalog.sync_cancel(connector.id, Some(in_the_way.id), given.now()).await.unwrap();
    let effect = given
        .catalog
        .sync_trigger(sync.clone(), OnConflict::Reject, Some(given.idempotent(1, 1)))
        .await
        .unwrap();
    assert_eq!(effect, Effect::Done);

    let space = given.a_space();
    let orphan = given.a_collection(&space.id);
    let effect = given.catalog.collection_create(orphan.clone(), Some(given.idempotent(2, 1))).await.unwrap();
    assert_eq!(effect, Effect::Conflict(None));
    given.catalog.space_create(space.clone(), None).await.unwrap();
    let effect = given.catalog.space_create(space, Some(given.idempotent(3, 1))).await.unwrap();
    assert!(matches!(effect, Effect::Conflict(_)));
    let effect = given.catalog.collection_create(orphan.clone(), Some(given.idempotent(2, 2))).await.unwrap();
    assert_eq!(effect, Effect::Done);
    let effect = given.catalog.space_create(given.a_space(), Some(given.idempotent(3, 2))).await.unwrap();
    assert_eq!(effect, Effect::Done);
    given.catalog.space_delete(&orphan.space_id, true, given.now()).await.unwrap();
    let late = given.a_connector(&orphan);
    let effect = given.catalog.connector_create(late, Some(given.idempotent(4, 1))).await.unwrap();
    assert_eq!(effect, Effect::Conflict(()));
    let effect = given.catalog.space_create(given.a_space(), Some(given.idempotent(4, 2))).await.unwrap();
    assert_eq!(effect, Effect::Done);
}

/// The record outlives what was made: a retry never makes it anew.
pub async fn the_record_outlives_what_was_made(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let space = given.a_space();
    let use_of_key = given.idempotent(1, 1);
    given.catalog.space_create(space.clone(), Some(use_of_key.clone())).await.unwrap();
    given.catalog.space_delete(&space.id, true, given.now()).await.unwrap();
    let effect = given.catalog.space_create(space.clone(), Some(given.idempotent(1, 1))).await.unwrap();
    assert_eq!(effect, Effect::Replayed(use_of_key.answer));
    assert_eq!(given.catalog.space_get(&space.id).await.unwrap(), None);
}

/// An expired record does not count, neither as the same request nor as another.
pub async fn an_expired_record_does_not_count(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    for (key, request) in [(1, 1), (2, 9)] {
        given.catalog.space_create(given.a_space(), Some(given.idempotent(key, 1))).await.unwrap();
        given.let_keys_expire();
        let space = given.a_space();
        let use_of_key = given.idempotent(key, request);
        let effect = given.catalog.space_create(space.clone(), Some(use_of_key)).await.unwrap();
        assert_eq!(effect, Effect::Done);
        assert_eq!(given.catalog.space_get(&space.id).await.unwrap(), Some(space));
    }
}

/// An expired key that is used again is recorded anew, also when very many have expired.
pub async fn an_expired_key_is_recorded_anew(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    for key in 0..=255 {
        given.catalog.space_create(given.a_space(), Some(given.idempotent(key, 1))).await.unwrap();
    }
    given.let_keys_expire();
    let anew = Idempotent {
        answer: StoredAnswer { status: 202, location: None, body: Vec::new() },
        ..given.idempotent(255, 2)
    };
    let effect = given.catalog.space_create(given.a_space(), Some(anew.clone())).await.unwrap();
    assert_eq!(effect, Effect::Done);
    let effect = given.catalog.space_create(given.a_space(), Some(given.idempotent(255, 2))).await.unwrap();
    assert_eq!(effect, Effect::Replayed(anew.answer));
}

/// Of a hundred parallel requests with one key one has the effect, and all others get its answer.
pub async fn of_a_hundred_parallel_requests_with_one_key_one_has_the_effect(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let collection = given.stored_collection().await;
    let use_of_key = given.idempotent(1, 1);
    let mut creates = JoinSet::new();
    for _ in 0..100 {
        let (catalog, connector) = (Arc::clone(&given.catalog), given.a_connector(&collection));
        let use_of_key = use_of_key.clone();
        creates.spawn(async move { catalog.connector_create(connector, Some(use_of_key)).await.unwrap() });
    }
    let effects = creates.join_all().await;
    let replayed = Effect::Replayed(use_of_key.answer);
    assert_eq!(effects.iter().filter(|effect| **effect == Effect::Done).count(), 1);
    assert_eq!(effects.iter().filter(|effect| **effect == replayed).count(), 99);
    let page = given
        .catalog
        .connector_list(&collection.space_id, &collection.id, ConnectorFilter::default(), first(100))
        .await
        .unwrap();
    assert_eq!(page.unwrap().items.len(), 1);
}

/// Different keys are different requests, and no key is no record.
pub async fn different_keys_are_different_requests(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    for use_of_key in [Some(given.idempotent(1, 1)), Some(given.idempotent(2, 1)), None, None] {
        let effect = given.catalog.space_create(given.a_space(), use_of_key).await.unwrap();
        assert_eq!(effect, Effect::Done);
    }
}
