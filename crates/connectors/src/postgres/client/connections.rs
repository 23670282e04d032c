//! How many connections there may be at once.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use tokio::sync::Semaphore;

/// Whose connections are counted together: server, database and role, and the limit.
pub(in crate::postgres) type Account = (String, u16, String, String, usize);

/// The connections of this process, by account.
#[derive(Debug, Default)]
pub(in crate::postgres) struct Connections(Mutex<BTreeMap<Account, Weak<Semaphore>>>);

impl Connections {
    /// What must be held while a connection of this account stands.
    pub(in crate::postgres) fn of(&self, account: Account) -> Arc<Semaphore> {
        // A map is whole between any two steps, whoever panicked.
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.retain(|_, limit| limit.strong_count() > 0);
        if let Some(limit) = known.get(&account).and_then(Weak::upgrade) {
            return limit;
        }
        let limit = Arc::new(Semaphore::new(account.4));
        known.insert(account, Arc::downgrade(&limit));
        limit
    }
}
