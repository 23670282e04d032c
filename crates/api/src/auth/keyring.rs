//! What the API remembers of keys: those it found a moment ago, and when they were used.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use inlet_model::{KeyId, Timestamp};
use inlet_store::catalog::{KeyHash, KeyMatch};
use inlet_store::{Catalog, StoreResult};

/// What was found counts for so long, should another process have changed it since. What this process changes counts at once.
const FRESH: Duration = Duration::from_secs(1);
/// The most keys that are remembered as found.
const FOUND_MAX: usize = 1024;
/// Uses are written down at most so often, all of them together.
const WRITTEN_EVERY: Duration = Duration::from_secs(60);
/// The most keys whose last use is remembered.
const USED_MAX: usize = 4096;

/// The keys of the catalog, as this process knows them.
#[derive(Default)]
pub(crate) struct Keyring {
    found: Mutex<HashMap<KeyHash, Found>>,
    used: Mutex<Used>,
}

struct Found {
    key: Arc<KeyMatch>,
    epoch: u64,
    at: Timestamp,
}

#[derive(Default)]
struct Used {
    last: HashMap<KeyId, Timestamp>,
    written_at: Option<Timestamp>,
}

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Keyring")
    }
}

impl Keyring {
    /// The key with that hash, as it was in the catalog no longer than a second ago. Hashes of no key are not remembered.
    pub(super) async fn find(
        &self,
        catalog: &dyn Catalog,
        hash: KeyHash,
        now: Timestamp,
    ) -> StoreResult<Option<Arc<KeyMatch>>> {
        // Before the catalog is asked: what changes in between makes the answer old.
        let epoch = catalog.key_epoch();
        if let Some(found) = lock(&self.found).get(&hash).filter(|found| found.is_fresh(epoch, now)) {
            return Ok(Some(Arc::clone(&found.key)));
        }
        let key = catalog.key_by_hash(hash).await?.map(Arc::new);
        let mut all = lock(&self.found);
        match &key {
            Some(key) => {
                make_room(&mut all, epoch, now);
                all.insert(hash, Found { key: Arc::clone(key), epoch, at: now });
            }
            None => {
                all.remove(&hash);
            }
        }
        Ok(key)
    }

    /// Notes a use. If it is time to write uses down, gives those that are not.
    pub(super) fn note_use(&self, id: KeyId, now: Timestamp) -> Option<Vec<(KeyId, Timestamp)>> {
        let mut used = lock(&self.used);
        used.last.insert(id, now);
        if used.written_at.is_some_and(|written_at| is_within(written_at, now, WRITTEN_EVERY)) {
            return None;
        }
        let before = used.written_at.replace(now);
        let unwritten = used.last.iter().filter(|(_, at)| before.is_none_or(|before| **at > before));
        let unwritten = unwritten.map(|(id, at)| (*id, *at)).collect();
        if used.last.len() > USED_MAX {
            used.last.clear();
        }
        Some(unwritten)
    }

    /// When this process last saw the key used.
    pub(crate) fn last_use(&self, id: KeyId) -> Option<Timestamp> {
        lock(&self.used).last.get(&id).copied()
    }
}

impl Found {
    fn is_fresh(&self, epoch: u64, now: Timestamp) -> bool {
        self.epoch == epoch && is_within(self.at, now, FRESH)
    }
}

/// Whether `now` is less than `span` after `at`. If the clock was set back, nothing is.
fn is_within(at: Timestamp, now: Timestamp, span: Duration) -> bool {
    at <= now && now < at.plus(span)
}

fn make_room(found: &mut HashMap<KeyHash, Found>, epoch: u64, now: Timestamp) {
    if found.len() >= FOUND_MAX {
        found.retain(|_, found| found.is_fresh(epoch, now));
    }
    if found.len() >= FOUND_MAX {
        found.clear();
    }
}

fn lock<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().expect("no holder panics")
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: i64 = 60_000_000;

    #[test]
    fn uses_are_given_together_once_a_minute_and_each_once() {
        let keyring = Keyring::default();
        let [one, two] = [1, 2].map(KeyId::from_u128);
        let at = |micros: i64| Timestamp::from_micros(1_000 + micros);
        assert_eq!(keyring.note_use(one, at(0)), Some(vec![(one, at(0))]));
        assert_eq!(keyring.note_use(two, at(1)), None);
        assert_eq!(keyring.note_use(two, at(2)), None);
        assert_eq!(keyring.last_use(two), Some(at(2)));
        assert_eq!(keyring.note_use(two, at(MINUTE)), Some(vec![(two, at(MINUTE))]));
        assert_eq!(keyring.note_use(one, at(2 * MINUTE - 1)), None);
        let both = keyring.note_use(two, at(2 * MINUTE)).unwrap();
        assert_eq!(both.len(), 2);
        assert_eq!(keyring.last_use(KeyId::from_u128(3)), None);
    }

    #[test]
    fn a_clock_that_was_set_back_makes_nothing_fresh() {
        let now = Timestamp::from_micros(0);
        assert!(is_within(now, now, FRESH));
        assert!(!is_within(now, now.plus(FRESH), FRESH));
        assert!(!is_within(now.plus(FRESH / 2), now, FRESH));
    }
}
