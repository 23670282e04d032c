//! API keys.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use inlet_model::Timestamp;
use tokio::task::JoinSet;

use super::given::{Given, after, first};
use crate::catalog::{
    Actor, ApiKey, Catalog, Effect, KEY_SECRETS_MAX, KeyChange, KeyHash, Role, RotateConflict, Space,
};

const HOUR: Duration = Duration::from_secs(60 * 60);

async fn stored(given: &Given, key: &ApiKey, secret: u8) {
    let effect = given.catalog.key_create(key.clone(), KeyHash([secret; 32]), None).await.unwrap();
    assert_eq!(effect, Effect::Done);
}

async fn found(given: &Given, secret: u8) -> Option<ApiKey> {
    given.catalog.key_by_hash(KeyHash([secret; 32])).await.unwrap().map(|found| found.key)
}

/// Gives the key a secret more; those before it end at `old_end_at`.
async fn rotated(given: &Given, key: &ApiKey, secret: u8, old_end_at: Timestamp) -> Effect<RotateConflict> {
    let now = given.now();
    given.catalog.key_rotate(key.id, KeyHash([secret; 32]), old_end_at, now, None).await.unwrap()
}

async fn end_of(given: &Given, secret: u8) -> Option<Timestamp> {
    given.catalog.key_by_hash(KeyHash([secret; 32])).await.unwrap().expect("the secret counts").secret_ends_at
}

/// The first key is stored, and found by its hash and no other.
pub async fn the_first_key_is_stored_and_found_by_its_hash(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let key = ApiKey { created_by: None, ..given.a_key() };
    assert_eq!(found(&given, 1).await, None);
    assert!(given.catalog.key_create_first(key.clone(), KeyHash([1; 32])).await.unwrap());
    assert_eq!(found(&given, 1).await, Some(key));
    assert_eq!(found(&given, 2).await, None);
}

/// A first key is not stored if there is any key.
pub async fn a_second_first_key_is_not_stored(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    stored(&given, &given.a_key(), 1).await;
    assert!(!given.catalog.key_create_first(given.a_key(), KeyHash([2; 32])).await.unwrap());
    assert_eq!(found(&given, 2).await, None);
    assert!(found(&given, 1).await.is_some());
}

/// Two first starts at once make one key.
pub async fn two_first_starts_at_once_make_one_key(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let mut starts = JoinSet::new();
    for number in 0..20 {
        let (catalog, key) = (Arc::clone(&given.catalog), given.a_key());
        starts.spawn(async move { catalog.key_create_first(key, KeyHash([number; 32])).await.unwrap() });
    }
    assert_eq!(starts.join_all().await.into_iter().filter(|made| *made).count(), 1);
}

/// A key is stored as it was given, whatever its role, space, maker and end.
pub async fn a_key_is_stored_as_it_was_given(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let space = given.stored_space().await;
    let maker = given.a_key();
    for (number, role) in (1..).zip(Role::ALL) {
        for (number, created_by) in (number * 10..).zip([
            None,
            Some(Actor::Key(maker.id)),
            Some(Actor::Environment),
            Some(Actor::Local),
            Some(Actor::Anybody),
        ]) {
            let bound = number % 2 == 0;
            let key = ApiKey {
                role,
                created_by,
                space_id: bound.then(|| space.id.clone()),
                expires_at: (!bound).then(|| given.now()),
                last_used_at: bound.then(|| given.now()),
                ..given.a_key()
            };
            stored(&given, &key, number).await;
            assert_eq!(given.catalog.key_get(key.id).await.unwrap().as_ref(), Some(&key));
            assert_eq!(found(&given, number).await, Some(key));
            assert_eq!(end_of(&given, number).await, None);
        }
    }
}

/// An unknown key is `None`, and nothing is done to it.
pub async fn an_unknown_key_is_none(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let key = given.a_key();
    assert_eq!(given.catalog.key_get(key.id).await.unwrap(), None);
    let change = KeyChange { name: Some("n".to_owned()), expires_at: None };
    assert_eq!(given.catalog.key_update(key.id, change).await.unwrap(), None);
    assert_eq!(rotated(&given, &key, 1, given.now()).await, Effect::Conflict(RotateConflict::Absent));
    assert!(!given.catalog.key_delete(key.id).await.unwrap());
    given.catalog.key_used(&[(key.id, given.now())]).await.unwrap();
    assert_eq!(given.catalog.key_list(None, first(9)).await.unwrap().items, []);
    assert_eq!(found(&given, 1).await, None);
}

/// A key that is bound to a space needs that space.
pub async fn a_bound_key_needs_its_space(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let space = given.a_space();
    let key = ApiKey { space_id: Some(space.id.clone()), ..given.a_key() };
    let request = given.idempotent(1, 1);
    let effect =
        given.catalog.key_create(key.clone(), KeyHash([1; 32]), Some(request.clone())).await.unwrap();
    assert_eq!(effect, Effect::Conflict(()));
    assert_eq!(found(&given, 1).await, None);
    given.catalog.space_create(space, None).await.unwrap();
    let effect = given.catalog.key_create(key, KeyHash([1; 32]), Some(request)).await.unwrap();
    assert_eq!(effect, Effect::Done);
}

/// Deleting a space deletes the keys bound to it and no others; none is left behind by a race, nor comes back with the id.
pub async fn a_space_takes_its_keys_with_it(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let (space, other) = (given.stored_space().await, given.stored_space().await);
    stored(&given, &ApiKey { space_id: Some(space.id.clone()), ..given.a_key() }, 1).await;
    stored(&given, &ApiKey { space_id: Some(other.id.clone()), ..given.a_key() }, 2).await;
    stored(&given, &given.a_key(), 3).await;
    let mut creates = JoinSet::new();
    for secret in 10..20 {
        let key = ApiKey { space_id: Some(space.id.clone()), ..given.a_key() };
        let catalog = Arc::clone(&given.catalog);
        creates.spawn(async move { catalog.key_create(key, KeyHash([secret; 32]), None).await.unwrap() });
    }
    given.catalog.space_delete(&space.id, false, given.now()).await.unwrap();
    creates.join_all().await;
    given.catalog.space_create(Space { id: space.id.clone(), ..given.a_space() }, None).await.unwrap();
    assert_eq!(given.catalog.key_list(Some(&space.id), first(9)).await.unwrap().items, []);
    for secret in (1..=1).chain(10..20) {
        assert_eq!(found(&given, secret).await, None, "{secret}");
    }
    assert!(found(&given, 2).await.is_some() && found(&given, 3).await.is_some());
}

/// Keys are listed newest first: all of them, or those of a space.
pub async fn keys_are_listed_newest_first(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let space = given.stored_space().await;
    let (mut all, mut bound) = (Vec::new(), Vec::new());
    for secret in 0..7 {
        let space_id = (secret % 2 == 0).then(|| space.id.clone());
        let key = ApiKey { space_id, ..given.a_key() };
        stored(&given, &key, secret).await;
        all.insert(0, key.clone());
        if key.space_id.is_some() {
            bound.insert(0, key);
        }
    }
    for (space_id, expected) in [(None, all), (Some(&space.id), bound)] {
        let mut seen = Vec::new();
        let mut query = first(2);
        loop {
            let page = given.catalog.key_list(space_id, query).await.unwrap();
            seen.extend(page.items);
            let Some(next) = page.next else { break };
            query = after(next, 2);
        }
        assert_eq!(seen, expected);
    }
}

/// A repeated creation makes no second key, and its secret opens nothing.
pub async fn a_repeated_creation_makes_no_second_key(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let request = given.idempotent(1, 1);
    for (secret, key) in [(1, given.a_key()), (2, given.a_key())] {
        let effect =
            given.catalog.key_create(key, KeyHash([secret; 32]), Some(request.clone())).await.unwrap();
        let replayed = Effect::Replayed(request.answer.clone());
        assert_eq!(effect, if secret == 1 { Effect::Done } else { replayed });
    }
    assert_eq!(given.catalog.key_list(None, first(9)).await.unwrap().items.len(), 1);
    assert_eq!(found(&given, 2).await, None);
}

/// An update changes what it names and leaves the rest.
pub async fn an_update_changes_what_it_names(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let mut key = given.a_key();
    stored(&given, &key, 1).await;
    let end = given.now();
    let changes = [
        KeyChange { name: Some("Renamed".to_owned()), expires_at: None },
        KeyChange { name: None, expires_at: Some(Some(end)) },
        KeyChange::default(),
        KeyChange { name: Some("Again".to_owned()), expires_at: Some(None) },
    ];
    for change in changes {
        key.name = change.name.clone().unwrap_or(key.name);
        key.expires_at = change.expires_at.unwrap_or(key.expires_at);
        assert_eq!(given.catalog.key_update(key.id, change).await.unwrap().as_ref(), Some(&key));
        assert_eq!(found(&given, 1).await.as_ref(), Some(&key));
    }
}

/// A rotated key is found by its new secret, and by the old one until that ends.
pub async fn a_rotated_key_is_found_by_both_secrets(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let key = given.a_key();
    stored(&given, &key, 1).await;
    let end = given.now().plus(HOUR);
    assert_eq!(rotated(&given, &key, 2, end).await, Effect::Done);
    for (secret, ends_at) in [(1, Some(end)), (2, None)] {
        assert_eq!(found(&given, secret).await.as_ref(), Some(&key));
        assert_eq!(end_of(&given, secret).await, ends_at);
    }
}

/// A rotation never makes an earlier secret last longer, and may make all of them end sooner.
pub async fn a_rotation_makes_no_secret_last_longer(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let key = given.a_key();
    stored(&given, &key, 1).await;
    let soon = given.now().plus(HOUR);
    rotated(&given, &key, 2, soon).await;
    rotated(&given, &key, 3, soon.plus(HOUR)).await;
    assert_eq!((end_of(&given, 1).await, end_of(&given, 2).await), (Some(soon), Some(soon.plus(HOUR))));
    let sooner = given.now().plus(HOUR / 2);
    rotated(&given, &key, 4, sooner).await;
    for secret in 1..=3 {
        assert_eq!(end_of(&given, secret).await, Some(sooner));
    }
    rotated(&given, &key, 5, given.now()).await;
    for secret in 1..=4 {
        assert_eq!(found(&given, secret).await, None, "{secret}");
    }
    assert_eq!(found(&given, 5).await, Some(key));
}

/// Only so many secrets of a key are valid at the same time; those that have ended do not count.
pub async fn a_key_has_only_so_many_secrets(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let key = given.a_key();
    stored(&given, &key, 0).await;
    let most = u8::try_from(KEY_SECRETS_MAX).unwrap();
    for secret in 1..most {
        assert_eq!(rotated(&given, &key, secret, given.now().plus(HOUR)).await, Effect::Done);
    }
    let refused = Effect::Conflict(RotateConflict::TooManySecrets);
    assert_eq!(rotated(&given, &key, most, given.now().plus(HOUR)).await, refused);
    assert_eq!(found(&given, most).await, None);
    given.let_pass(2 * HOUR);
    assert_eq!(rotated(&given, &key, most, given.now().plus(HOUR)).await, Effect::Done);
    assert_eq!(found(&given, 0).await, None);
    assert!(found(&given, most - 1).await.is_some(), "the newest one had no end");
}

/// A repeated rotation gives no second secret.
pub async fn a_repeated_rotation_gives_no_second_secret(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let key = given.a_key();
    stored(&given, &key, 1).await;
    let request = given.idempotent(1, 1);
    let now = given.now();
    for secret in [2, 3] {
        let hash = KeyHash([secret; 32]);
        let effect = given.catalog.key_rotate(key.id, hash, now, now, Some(request.clone())).await.unwrap();
        let replayed = Effect::Replayed(request.answer.clone());
        assert_eq!(effect, if secret == 2 { Effect::Done } else { replayed });
    }
    assert_eq!((found(&given, 2).await.is_some(), found(&given, 3).await), (true, None));
}

/// A deleted key is gone with all its secrets.
pub async fn a_deleted_key_is_gone_with_all_its_secrets(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let (key, other) = (given.a_key(), given.a_key());
    stored(&given, &key, 1).await;
    stored(&given, &other, 2).await;
    rotated(&given, &key, 3, given.now().plus(HOUR)).await;
    assert!(given.catalog.key_delete(key.id).await.unwrap());
    assert!(!given.catalog.key_delete(key.id).await.unwrap());
    assert_eq!((found(&given, 1).await, found(&given, 3).await), (None, None));
    assert_eq!(given.catalog.key_get(key.id).await.unwrap(), None);
    assert_eq!(found(&given, 2).await, Some(other));
}

/// The last use is the latest that was noted.
pub async fn the_last_use_is_the_latest_that_was_noted(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let (one, two) = (given.a_key(), given.a_key());
    stored(&given, &one, 1).await;
    stored(&given, &two, 2).await;
    let (early, late) = (given.now(), given.now());
    given.catalog.key_used(&[(one.id, late), (two.id, early)]).await.unwrap();
    given.catalog.key_used(&[(one.id, early)]).await.unwrap();
    for (key, at) in [(one, late), (two, early)] {
        let stored = given.catalog.key_get(key.id).await.unwrap();
        assert_eq!(stored, Some(ApiKey { last_used_at: Some(at), ..key }));
    }
}

/// The epoch is another one after every change that may decide which keys are found.
pub async fn the_epoch_changes_with_the_keys(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let space = given.stored_space().await;
    let key = given.a_key();
    stored(&given, &key, 1).await;
    let mut epochs = HashSet::from([given.catalog.key_epoch()]);
    given.catalog.key_update(key.id, KeyChange { name: None, expires_at: Some(None) }).await.unwrap();
    assert!(epochs.insert(given.catalog.key_epoch()), "an update");
    rotated(&given, &key, 2, given.now()).await;
    assert!(epochs.insert(given.catalog.key_epoch()), "a rotation");
    given.catalog.key_delete(key.id).await.unwrap();
    assert!(epochs.insert(given.catalog.key_epoch()), "a delete");
    given.catalog.space_delete(&space.id, false, given.now()).await.unwrap();
    assert!(epochs.insert(given.catalog.key_epoch()), "the delete of a space");
}
