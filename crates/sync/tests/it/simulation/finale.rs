//! The end of a simulation: nothing goes wrong any more, all that was begun comes to its end, and collections equal their sources.

use std::time::Duration;

use inlet_model::schedule::Schedule;
use inlet_model::sync::{SyncMode, SyncStatus};
use inlet_model::{SyncId, Timestamp};
use inlet_store::catalog::{Approvals, ConnectorStatus, OnConflict, PurgeId, Purges, Sync, Tasks};

use super::invariants::Invariant;
use super::life::Process;
use super::syncs::Known;
use super::truth::{Character, stream_named};
use super::world::{Connected, Weather, World};

/// How long it may take until nothing is left to do: longer than any wait, lease, freeze and stall together.
const LONGEST: Duration = Duration::from_secs(400);

impl World {
    /// Lets the simulation end, and compares.
    pub(super) async fn finish(&self, processes: &[Process]) {
        self.say("-- calm from here on");
        self.state().weather = Weather::default();
        for connected in self.connected() {
            self.change(&connected, processes, |connector| {
                connector.status = ConnectorStatus::Active;
                connector.schedule = Schedule::Manual;
            });
        }
        let thaw = processes.iter().filter_map(|process| process.node.thaws_at()).max();
        tokio::time::sleep(thaw.map_or(Duration::ZERO, |thaw| thaw.since(self.now()))).await;
        self.until(processes, || self.left_to_do()).await;
        self.look_at_all_syncs();
        for connected in self.connected() {
            self.compare_with_truth(&connected, processes).await;
        }
        self.until(processes, || self.left_to_do()).await;
        self.look_at_all_syncs();
        self.check_purges();
    }

    fn now(&self) -> Timestamp {
        inlet_model::Clock::now(&self.clock)
    }

    /// Waits until nothing is left, looking once a second, and approves whatever is asked.
    async fn until(&self, processes: &[Process], left: impl Fn() -> Option<String>) {
        let deadline = self.now().plus(LONGEST);
        while let Some(left) = left() {
            self.check(self.now() < deadline, Invariant::NoneStuck, || left);
            self.decide(processes, 1_000);
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    }

    /// What has not come to its end.
    fn left_to_do(&self) -> Option<String> {
        let unfinished = |known: &(&SyncId, &Known)| !known.1.status.is_final();
        let unfinished = self.state().syncs.iter().find(unfinished).map(|(id, known)| (*id, known.status));
        if let Some((id, status)) = unfinished {
            return Some(format!("{id} is {status} for ever"));
        }
        let catalog = self.backends.catalog();
        let (tasks, purges, discards) = self.backends.block_on(async {
            let tasks = catalog.task_list(1).await.unwrap();
            let purges = catalog.purge_list(PurgeId(0), 1).await.unwrap();
            (tasks, purges, catalog.discard_list(1).await.unwrap())
        });
        let left = format!("{tasks:?}, {purges:?} and {discards:?} are left");
        (tasks.len() + purges.len() + discards.len() > 0).then_some(left)
    }

    /// One last sync, or a few: what one that was begun before has left is not what the source holds now.
    async fn compare_with_truth(&self, connected: &Connected, processes: &[Process]) {
        let character = self.state().truths[connected.source].character;
        if character == Character::Cursor {
            // The first may only finish a listing; what changed meanwhile is for the second to find.
            for _ in 0..2 {
                self.sync_in_calm(connected, processes, SyncMode::Incremental).await;
            }
            self.compare(connected, true);
        }
        self.sync_in_calm(connected, processes, SyncMode::FullRefresh).await;
        self.compare(connected, character == Character::Drifting);
    }

    async fn sync_in_calm(&self, connected: &Connected, processes: &[Process], mode: SyncMode) {
        if self.is_broken() {
            return;
        }
        let id = self.trigger_as(connected, processes, mode, OnConflict::Reject, false, false);
        self.check(id.is_some(), Invariant::NoneStuck, || format!("{} takes no sync", connected.id));
        let Some(id) = id else { return };
        let has_ended = || self.state().syncs.get(&id).is_some_and(|known| known.status.is_final());
        let left = || (!has_ended()).then(|| format!("{id} does not end"));
        self.until(processes, left).await;
        let sync = self.find(connected, id);
        let status = sync.as_ref().map(|sync| sync.status);
        self.check(status == Some(SyncStatus::Succeeded), Invariant::EqualsTruth, || {
            format!("in calm a sync ended otherwise: {sync:?}")
        });
    }

    fn find(&self, connected: &Connected, id: SyncId) -> Option<Sync> {
        self.newest_syncs(connected.id).into_iter().find(|sync| sync.id == id)
    }

    /// The collection holds what the source holds; more only where it may.
    fn compare(&self, connected: &Connected, may_hold_more: bool) {
        let state = self.state();
        let truth = &state.truths[connected.source];
        let mut wrong = None;
        for (index, stream) in truth.streams.iter().enumerate() {
            let held = state.held[&connected.store_id].of(connected.id, &stream_named(index));
            let rows = stream.rows.iter().map(|(id, row)| (*id, row.data(*id)));
            let missing = rows.into_iter().find(|(id, data)| held.get(id) != Some(data));
            let beyond = held.keys().find(|id| !stream.rows.contains_key(id) && !may_hold_more);
            if missing.is_some() || beyond.is_some() {
                let text = |data: &Vec<u8>| String::from_utf8_lossy(data).into_owned();
                let found = missing.as_ref().and_then(|(id, _)| held.get(id)).map(text);
                let wanted = missing.as_ref().map(|(_, data)| text(data));
                wrong.get_or_insert(format!(
                    "{} has {found:?} and not {wanted:?}, and beyond the truth {beyond:?}",
                    connected.id
                ));
            }
        }
        drop(state);
        self.check(wrong.is_none(), Invariant::EqualsTruth, || wrong.unwrap_or_default());
    }

    /// Of a deleted connector whose records were to go, none is left.
    fn check_purges(&self) {
        let state = self.state();
        let gone = state.connectors.iter().filter(|connected| connected.gone);
        let left = gone.into_iter().find(|connected| {
            state.held[&connected.store_id].records.keys().any(|(by, _, _)| *by == connected.id)
        });
        let left = left.map(|connected| connected.id);
        drop(state);
        self.check(left.is_none(), Invariant::EqualsTruth, || format!("records of {left:?} are left"));
    }
}
