//! What the open listings have seen of what was there before them.
//!
//! A record that a listing changed is seen because its change is not below the listing's first. One that it found as it
//! was is seen because its change is in a set; each commit stores only its own part of that set. The whole of it is kept in
//! memory while the listing is under way, and read again after anything went wrong.

use std::collections::HashMap;
use std::ops::ControlFlow;

use roaring::RoaringTreemap;

use super::block::{ScopeId, StreamId};
use super::error::Outcome;
use crate::sql::{Session, SqlError, params};

/// A scope of a stream.
pub(super) type ScopeKey = (StreamId, ScopeId);

/// What one listing has found unchanged.
#[derive(Debug, Default)]
pub(super) struct SeenSet {
    changes: RoaringTreemap,
    /// What the commit under way adds.
    fresh: RoaringTreemap,
    next_part: u32,
}

impl SeenSet {
    /// Whether the record that this change made is seen.
    pub(super) fn contains(&self, change: u64) -> bool {
        self.changes.contains(change)
    }

    /// Notes that the record that this change made was found as it is.
    pub(super) fn insert(&mut self, change: u64) {
        if self.changes.insert(change) {
            self.fresh.insert(change);
        }
    }

    /// What the listing of a scope has seen, as it is stored.
    pub(super) fn load(connection: &dyn Session, (stream, scope): ScopeKey) -> Outcome<Self> {
        let mut set = Self::default();
        connection.each(
            "SELECT part, changes FROM store_seen WHERE store = ?0 AND stream_id = ?1 AND scope_id = ?2 ORDER BY part",
            params![stream.0, scope.0],
            &mut |columns| {
                let part: u32 = columns.plain()?;
                set.changes |= RoaringTreemap::deserialize_from(columns.blob()?).map_err(SqlError::row)?;
                set.next_part = part + 1;
                Ok(ControlFlow::Continue(()))
            },
        )?;
        Ok(set)
    }

    fn save(&mut self, connection: &dyn Session, (stream, scope): ScopeKey) -> Outcome<()> {
        if self.fresh.is_empty() {
            return Ok(());
        }
        self.fresh.optimize();
        self.changes.optimize();
        let mut stored = Vec::with_capacity(self.fresh.serialized_size());
        self.fresh.serialize_into(&mut stored)?;
        connection.execute(
            "INSERT INTO store_seen (store, stream_id, scope_id, part, changes) VALUES (?0, ?1, ?2, ?3, ?4)",
            params![stream.0, scope.0, self.next_part, stored],
        )?;
        self.next_part += 1;
        self.fresh = RoaringTreemap::new();
        Ok(())
    }
}

/// The sets of the listings under way. A view of the table `seen`: dropped whole when a transaction fails.
#[derive(Debug, Default)]
pub(super) struct SeenSets(HashMap<ScopeKey, SeenSet>);

impl SeenSets {
    /// Takes the set of a scope's listing out; who takes it puts it back, unless the transaction fails.
    pub(super) fn take(&mut self, connection: &dyn Session, scope: ScopeKey) -> Outcome<SeenSet> {
        self.0.remove(&scope).map_or_else(|| SeenSet::load(connection, scope), Ok)
    }

    /// Puts a set back.
    pub(super) fn put(&mut self, scope: ScopeKey, set: SeenSet) {
        self.0.insert(scope, set);
    }

    /// Begins an empty set, in place of one that may be there.
    pub(super) fn reset(&mut self, connection: &dyn Session, scope: ScopeKey) -> Outcome<()> {
        self.remove(connection, scope)?;
        self.0.insert(scope, SeenSet::default());
        Ok(())
    }

    /// Forgets a set for good.
    pub(super) fn remove(&mut self, connection: &dyn Session, scope: ScopeKey) -> Outcome<()> {
        self.0.remove(&scope);
        connection.execute(
            "DELETE FROM store_seen WHERE store = ?0 AND stream_id = ?1 AND scope_id = ?2",
            params![scope.0.0, scope.1.0],
        )?;
        Ok(())
    }

    /// Gives back the memory of a stream's sets; what is stored stays.
    pub(super) fn forget_stream(&mut self, stream: StreamId) {
        self.0.retain(|(of, _), _| *of != stream);
    }

    /// Stores what the commit under way has added.
    pub(super) fn save(&mut self, connection: &dyn Session) -> Outcome<()> {
        self.0.iter_mut().try_for_each(|(scope, set)| set.save(connection, *scope))
    }

    /// Gives the memory back; what is stored stays.
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }
}
