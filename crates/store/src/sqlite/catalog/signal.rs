//! Tells whoever sends deliveries that some were queued.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rusqlite::Connection;
use rusqlite::hooks::Action;
use tokio::sync::Notify;

#[derive(Debug, Clone, Default)]
pub(super) struct Signal {
    queued: Arc<AtomicBool>,
    told: Arc<Notify>,
}

impl Signal {
    /// Takes note of each delivery that is queued over this connection, in whatever transaction.
    pub(super) fn listen(&self, db: &mut Connection) -> rusqlite::Result<()> {
        let queued = Arc::clone(&self.queued);
        db.update_hook(Some(move |action, _: &str, table: &str, _| {
            if action == Action::SQLITE_INSERT && table == "deliveries" {
                queued.store(true, Ordering::Relaxed);
            }
        }))
    }

    /// A transaction has ended. Should it have been rolled back, a look too many does no harm.
    pub(super) fn pass_on(&self) {
        if self.queued.swap(false, Ordering::Relaxed) {
            self.told.notify_one();
        }
    }

    pub(super) fn told(&self) -> Arc<Notify> {
        Arc::clone(&self.told)
    }
}
