//! Undoing a sync in a history: each record that is as the sync left it becomes what it was before.

use std::collections::BTreeMap;

use inlet_model::SyncId;

use super::super::given::Claim;
use super::super::items::{data_of, key_of};
use super::history::{History, raised};
use super::step::{Between, STREAMS};
use super::world::{Made, Place, RunModel, World};
use crate::StoreErrorKind::Cancelled;
use crate::collection::{NoUndo, UndoEffect, UndoProgress};

/// No undo of so few changes has more steps.
const MAX_STEPS: usize = 1_000;

/// What is to become of the records that a sync changed.
#[derive(Debug, Default)]
struct Plan {
    /// What each becomes that is as the sync left it, and not as it was before.
    targets: BTreeMap<Place, Option<Made>>,
    /// How many stay in each stream, since they were changed again.
    kept: [u64; STREAMS.len()],
}

impl History {
    /// Takes back what an earlier sync of the connector did, by a sync of its own.
    pub(super) async fn undo(
        mut self,
        connector: usize,
        back: usize,
        max_changes: usize,
        between: Between,
    ) -> Self {
        self.finish(connector).await;
        let ended: Vec<_> =
            self.world.connectors[connector].runs.iter().filter(|run| run.ended).cloned().collect();
        let Some(undone) = ended.iter().rev().nth(back) else { return self };
        self.begin(connector, false, false).await;
        if first_change_of(&self.world, undone.claim.sync_id)
            .is_some_and(|first| first <= self.world.compacted_through)
        {
            self.refuse_to_undo(connector, &undone.claim).await;
            self.finish(connector).await;
            return self;
        }
        let mut plan = Plan::of(&self.world, undone.claim.sync_id);
        let (to_take_back, kept) = (plan.targets.len() as u64, plan.kept.iter().sum());
        for number in 0.. {
            assert!(number < MAX_STEPS, "{}: the undo does not end", self.label);
            let progress = self.undo_step(connector, undone, max_changes, &mut plan).await;
            if progress.done {
                let expected = UndoProgress { taken_back: to_take_back, kept, done: true };
                assert_eq!(progress, expected, "{}", self.label);
                break;
            }
            self = self.between_steps(connector, undone, between).await;
        }
        self.undoing = None;
        for (stream, counts) in undone.counts.iter().enumerate() {
            if counts.created + counts.updated + counts.deleted > 0 {
                self.world.connectors[connector].scopes_of(stream).for_each(|(_, scope)| scope.forget());
            }
            let run = self.world.connectors[connector].running_mut().expect("it runs");
            run.counts[stream].unchanged += plan.kept[stream];
            run.counts[stream].read += plan.kept[stream];
        }
        self.finish(connector).await;
        self
    }

    async fn refuse_to_undo(&self, connector: usize, undone: &Claim) {
        let run = self.world.connectors[connector].running().expect("it runs");
        let compacted_through = self.world.compacted_through;
        let expected = UndoEffect::Impossible(NoUndo::Expired { compacted_through });
        let effect = self.fine(self.given.try_undo(&run.claim, undone, 9).await);
        assert_eq!(effect, expected, "{}", self.label);
    }

    /// A step in the store; the model follows the changes that it made.
    async fn undo_step(
        &mut self,
        connector: usize,
        undone: &RunModel,
        max_changes: usize,
        plan: &mut Plan,
    ) -> UndoProgress {
        let claim = self.world.connectors[connector].running().expect("it runs").claim.clone();
        let effect = self.fine(self.given.try_undo(&claim, &undone.claim, max_changes).await);
        let UndoEffect::Progress(progress) = effect else { panic!("{}: {effect:?}", self.label) };
        self.undoing = Some(undone.claim.sync_id);
        let now = self.given.last_now();
        let made = self.given.changes_after(self.world.changes.len() as u64).await;
        assert!(made.len() <= max_changes, "{}", self.label);
        for change in made {
            let mut places = plan.targets.keys().copied();
            let place = places.find(|(stream, key, _)| {
                (STREAMS[*stream], key_of(*key)) == (change.stream.as_str(), change.key.clone())
            });
            let place = place.unwrap_or_else(|| panic!("{}: {change:?} undoes too much", self.label));
            let target = plan.targets.remove(&place).expect("it was found");
            let was_there = self.world.records.contains_key(&place);
            let run = self.world.connectors[connector].running_mut().expect("it runs");
            let counts = &mut run.counts[place.0];
            let Some(made) = target else {
                counts.deleted += 1;
                self.world.delete(place, Some(claim.sync_id), now);
                continue;
            };
            counts.updated += u64::from(was_there);
            counts.created += u64::from(!was_there);
            counts.read += 1;
            counts.bytes += data_of(place.1, &made.value).len() as u64;
            self.world.make(place, made, claim.sync_id, now);
        }
        progress
    }

    async fn between_steps(mut self, connector: usize, undone: &RunModel, between: Between) -> Self {
        match between {
            Between::Nothing => {}
            Between::Cancelled => {
                let run = self.world.connectors[connector].running().expect("it runs");
                let claim = Claim { cancel: raised(), ..run.claim.clone() };
                self.refused(self.given.try_undo(&claim, &undone.claim, 9).await, Cancelled);
            }
            Between::Upkeep => self.keep_up(std::time::Duration::ZERO, 30, 1).await,
            Between::Restart => {
                self.given = self.given.reopened().await;
                self.begin(connector, false, false).await;
            }
        }
        self
    }
}

impl Plan {
    fn of(world: &World, undone: SyncId) -> Self {
        let mut plan = Self::default();
        let of_sync = world.changes.iter().filter(|it| it.change.sync_id == Some(undone));
        let places: std::collections::BTreeSet<Place> = of_sync.map(|it| it.place).collect();
        for place in places {
            let changes: Vec<_> = world.changes.iter().filter(|it| it.place == place).collect();
            let first = changes.iter().position(|it| it.change.sync_id == Some(undone)).expect("it has one");
            if changes.last().is_some_and(|last| last.change.sync_id != Some(undone)) {
                plan.kept[place.0] += 1;
                continue;
            }
            let before = first.checked_sub(1).and_then(|at| changes[at].made.clone());
            let value_of = |made: &Option<Made>| made.as_ref().map(|made| made.value.clone());
            let now = changes.last().and_then(|last| last.made.clone());
            if value_of(&before) != value_of(&now) {
                plan.targets.insert(place, before.map(|made| comes_back(world, place, made)));
            }
        }
        plan
    }
}

/// A record comes back into its scope, or into that of the whole stream if its own has gone.
fn comes_back(world: &World, (stream, _, connector): Place, made: Made) -> Made {
    let whole = [4, 3][stream];
    let is_there = made.scope == whole || world.connectors[connector].scopes[made.scope].went == made.went;
    Made { scope: if is_there { made.scope } else { whole }, ..made }
}

/// The first change that a sync made.
pub(super) fn first_change_of(world: &World, sync_id: SyncId) -> Option<u64> {
    let mut changes = world.changes.iter().map(|expected| &expected.change);
    changes.find(|change| change.sync_id == Some(sync_id)).map(|change| change.change)
}
