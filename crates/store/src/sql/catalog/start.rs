//! What a new catalog holds.

use inlet_model::{Clock, Entropy, StoreId, Timestamp};

use crate::sql::catalog::Trouble;
use crate::sql::{Session, Text, params};

/// The id of the space, and of the collection in it, that a new catalog starts with.
const DEFAULT: &str = "default";

/// What is drawn for a new catalog.
#[derive(Debug)]
pub(crate) struct Start {
    now: Timestamp,
    secret: [u8; 32],
    store_id: StoreId,
}

impl Start {
    pub(crate) fn drawn(clock: &dyn Clock, entropy: &dyn Entropy) -> Self {
        let now = clock.now();
        Self { now, secret: entropy.bytes(), store_id: StoreId::new(now, entropy) }
    }

    /// What a new catalog holds: its secret, and a space with a collection.
    pub(crate) fn write(&self, tx: &dyn Session) -> Result<(), Trouble> {
        let at = self.now.as_micros();
        tx.execute(
            "INSERT INTO identity (one, secret, created_at) VALUES (1, ?1, ?2)",
            params![self.secret, at],
        )?;
        tx.execute(
            "INSERT INTO spaces (id, name, created_at, updated_at) VALUES (?1, ?1, ?2, ?2)",
            params![DEFAULT, at],
        )?;
        tx.execute(
            "INSERT INTO collections (space_id, id, name, store_id, created_at, updated_at)
             VALUES (?1, ?1, ?1, ?2, ?3, ?3)",
            params![DEFAULT, Text(self.store_id), at],
        )?;
        Ok(())
    }
}
