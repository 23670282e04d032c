//! The syncs, as the catalog shows them after each call that may have moved one.

use inlet_model::sync::{Outcome, SyncStatus};
use inlet_model::{ConnectorId, SyncId};
use inlet_store::catalog::{Claim, Order, PageQuery, Sync, SyncFilter, Syncs};
use inlet_store::collection::StreamStatus;

use super::invariants::Invariant;
use super::world::World;

/// Syncs that are looked at, the newest of a connector; those before them have ended long ago.
const NEWEST: usize = 6;

/// A sync as it was last seen.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Known {
    pub(crate) connector_id: ConnectorId,
    pub(crate) status: SyncStatus,
    /// The number of its last move.
    moves: u64,
}

impl World {
    /// A worker is about to be given a sync.
    pub(crate) fn note_claim(&self, claim: &Claim) {
        let sync = &claim.sync;
        self.say(format_args!(
            "  {} attempt {}, {:?}, fence {}",
            sync.id, sync.attempt, claim.kind, claim.fence.0
        ));
        let earlier = self.state().writes.claims.insert(sync.connector_id, claim.fence);
        self.check(earlier.is_none_or(|earlier| earlier < claim.fence), Invariant::Fence, || {
            format!("{} is claimed with the fence {:?} after {earlier:?}", sync.id, claim.fence)
        });
        self.look_at_syncs_of(sync.connector_id);
    }

    pub(crate) fn look_at_sync(&self, id: SyncId) {
        let connector_id = self.state().syncs.get(&id).map(|known| known.connector_id);
        if let Some(connector_id) = connector_id {
            self.look_at_syncs_of(connector_id);
        }
    }

    pub(crate) fn look_at_all_syncs(&self) {
        let connectors: Vec<_> = self.state().connectors.iter().map(|connector| connector.id).collect();
        connectors.into_iter().for_each(|id| self.look_at_syncs_of(id));
    }

    pub(crate) fn look_at_syncs_of(&self, connector_id: ConnectorId) {
        let mut syncs = self.newest_syncs(connector_id);
        syncs.extend(self.unfinished_before(connector_id, &syncs));
        let count = |wanted: fn(SyncStatus) -> bool| syncs.iter().filter(|sync| wanted(sync.status)).count();
        let (active, queued) = (count(SyncStatus::is_active), count(|status| status == SyncStatus::Queued));
        self.check(active <= 1 && queued <= 1, Invariant::OneSync, || {
            format!("{connector_id} has {active} active and {queued} queued syncs")
        });
        // The oldest first, as they came to be.
        syncs.iter().rev().for_each(|sync| self.look_at(sync));
    }

    /// Syncs that had not ended when they were last seen, and stand before the newest.
    fn unfinished_before(&self, connector_id: ConnectorId, newest: &[Sync]) -> Vec<Sync> {
        let state = self.state();
        let known = state.syncs.iter().filter(|(_, known)| known.connector_id == connector_id);
        let unfinished = known
            .filter(|(id, known)| !known.status.is_final() && !newest.iter().any(|sync| sync.id == **id));
        let ids: Vec<SyncId> = unfinished.map(|(id, _)| *id).collect();
        drop(state);
        let catalog = self.backends.catalog();
        let get = |id| self.backends.block_on(catalog.sync_get(connector_id, id)).unwrap();
        ids.into_iter().filter_map(get).collect()
    }

    /// The newest syncs of a connector, the newest first.
    pub(crate) fn newest_syncs(&self, connector_id: ConnectorId) -> Vec<Sync> {
        let query = PageQuery { after: None, limit: NEWEST, order: Order::NewestFirst };
        let catalog = self.backends.catalog();
        self.backends.block_on(catalog.sync_list(connector_id, SyncFilter::default(), query)).unwrap().items
    }

    fn look_at(&self, sync: &Sync) {
        let known = self.state().syncs.get(&sync.id).copied();
        if let Some(known) = known.filter(|known| known.status.is_final()) {
            return self.check(known.status == sync.status, Invariant::TrueOutcome, || {
                format!("{} had ended {} and is {}", sync.id, known.status, sync.status)
            });
        }
        let moves = self.follow_moves(sync, known);
        if known.is_none_or(|known| known.status != sync.status) {
            self.say(format_args!("  {} is {}", sync.id, sync.status));
        }
        let (connector_id, status) = (sync.connector_id, sync.status);
        self.state().syncs.insert(sync.id, Known { connector_id, status, moves });
        if status.is_final() {
            self.check_outcome(sync);
        }
    }

    /// Follows the moves since the sync was last seen; gives the number of the last one.
    fn follow_moves(&self, sync: &Sync, known: Option<Known>) -> u64 {
        let (mut seq, mut status) = known.map_or((0, None), |known| (known.moves, Some(known.status)));
        let catalog = self.backends.catalog();
        for step in self.backends.block_on(catalog.sync_moves(sync.id, seq)).unwrap() {
            let is_next = step.seq == seq + 1 && step.from == status;
            let is_legal = match step.from {
                Some(from) => from.move_to(step.to).is_ok(),
                None => step.to == SyncStatus::Queued,
            };
            self.check(is_next && is_legal, Invariant::LegalMoves, || {
                format!("{} was {status:?} by move {seq}, and then {step:?}", sync.id)
            });
            (seq, status) = (step.seq, Some(step.to));
        }
        self.check(status == Some(sync.status), Invariant::LegalMoves, || {
            format!("{} is {} and moved to {status:?}", sync.id, sync.status)
        });
        seq
    }

    /// The catalog's end of a sync is that of its run.
    fn check_outcome(&self, sync: &Sync) {
        let run = self.backends.block_on(async {
            let store = self.backends.stores().open(sync.store_id).await.unwrap();
            store.run(sync.id).await.unwrap()
        });
        let outcome = run.as_ref().and_then(|run| run.outcome);
        let agrees = match outcome {
            Some(outcome) => SyncStatus::from(outcome) == sync.status,
            // Without an end of its own it was given up: it never began, or waited, or lost its connector. A dry run has none.
            None => sync.dry_run || matches!(sync.status, SyncStatus::Cancelled | SyncStatus::Failed),
        };
        self.check(agrees, Invariant::TrueOutcome, || {
            format!("{} is {} and its run ended as {outcome:?}", sync.id, sync.status)
        });
        let Some(run) = run.filter(|run| run.outcome.is_some()) else { return };
        self.check(run.counts == sync.counts, Invariant::Counters, || {
            format!("{} counts {:?}, its run {:?}", sync.id, sync.counts, run.counts)
        });
        let complete = run.streams.iter().all(|stream| stream.status == StreamStatus::Succeeded);
        self.check(complete || run.outcome != Some(Outcome::Succeeded), Invariant::TrueOutcome, || {
            format!("{} succeeded without all its streams: {:?}", sync.id, run.streams)
        });
    }
}
