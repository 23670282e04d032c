//! What people ask for in the course of a simulation, and how the truth changes meanwhile.

use std::sync::Arc;
use std::time::Duration;

use inlet_model::schedule::Schedule;
use inlet_model::stream::{StreamSettings, WriteMode};
use inlet_model::sync::{SyncMode, SyncStatus, SyncTrigger};
use inlet_model::{Clock, ConnectorId, SpaceId, SyncId};
use inlet_store::catalog::{
    Approvals, CancelEffect, Connector, ConnectorStatus, Connectors, Effect, ExpectedVersion, OnConflict,
    PurgeEffect, Purges, Remains, Sync, Syncs, UpdateEffect,
};
use serde_json::json;

use super::backends::{Backends, COLLECTIONS};
use super::life::{LEASE, Process, start};
use super::source::SimulatedType;
use super::syncs::Known;
use super::truth::{Character, Truth, stream_named};
use super::world::{Connected, World};

impl World {
    /// The connectors that a simulation begins with, if it has none yet.
    pub(super) fn make_connectors(&self) {
        if !self.state().connectors.is_empty() {
            return;
        }
        for source in 0..1 + self.dice.index(3) {
            let character = self.dice.pick(&Character::ALL);
            let truth = Truth::new(character, &self.dice, self.clock.now(), self.clock.tick());
            self.say(format_args!("source {source} is {character:?}"));
            self.state().truths.push(truth);
            self.connect(source);
        }
    }

    /// Makes a connector to a source.
    pub(super) fn connect(&self, source: usize) {
        let collection = self.dice.index(COLLECTIONS.len());
        let streams = self.state().truths[source].streams.len();
        let settings = |index| StreamSettings {
            name: stream_named(index),
            mode: SyncMode::Incremental,
            write_mode: WriteMode::Upsert,
            primary_key: vec!["id".to_owned()],
            cursor_field: Some("updated".to_owned()),
            fields: None,
            masking: Default::default(),
        };
        let is_chosen = self.dice.chance(700);
        let now = self.clock.now();
        let connector = Connector {
            id: ConnectorId::new(now, &*self.entropy),
            space_id: space(),
            collection_id: COLLECTIONS[collection].parse().unwrap(),
            store_id: Backends::store_ids()[collection],
            name: format!("source {source}"),
            kind: SimulatedType::NAME.to_owned(),
            config: json!({"source": source, "shape": 0}).into(),
            streams: is_chosen.then(|| (0..streams).map(settings).collect()),
            schedule: self.schedule(),
            policy: Default::default(),
            status: ConnectorStatus::Active,
            version: 1,
            created_at: now,
            updated_at: now,
            next_sync_at: None,
            failures: 0,
            notice: None,
        };
        let (id, store_id) = (connector.id, connector.store_id);
        let created = self.backends.block_on(self.backends.catalog().connector_create(connector, None));
        assert_eq!(created.unwrap(), Effect::Done);
        self.say(format_args!("user: {id} reads source {source} into {store_id}"));
        let connected =
            Connected { id, collection, store_id, source, deleted: false, purged: false, gone: false };
        self.state().connectors.push(connected);
    }

    fn schedule(&self) -> Schedule {
        let every = if self.dice.chance(200) { json!({"every": "1m"}) } else { json!(null) };
        serde_json::from_value(every).unwrap()
    }

    /// Time has gone by at the sources.
    pub(super) fn change_truths(&self) {
        let sources = self.state().truths.len();
        for source in 0..sources {
            for _ in 0..self.dice.below(4) {
                self.change_truth(source);
            }
        }
    }

    /// Something happens at a source.
    pub(super) fn change_truth(&self, source: usize) {
        let (now, tick) = (self.clock.now(), self.clock.tick());
        self.state().truths[source].change(&self.dice, now, tick);
    }

    /// Somebody does something, perhaps.
    pub(super) async fn act(self: &Arc<Self>, processes: &mut Vec<Process>) {
        self.decide(processes, 600);
        let Some(connected) = self.any_connector() else { return self.connect(0) };
        match self.dice.below(100) {
            0..50 => self.trigger(&connected, processes),
            50..62 => {
                self.trigger(&connected, processes);
                tokio::time::sleep(self.dice.millis(self.dice.pick(&[1, 1_000, 4_000]))).await;
                self.cancel(&connected, processes);
            }
            62..68 => {
                self.change(&connected, processes, |connector| connector.status = ConnectorStatus::Paused)
            }
            68..76 => {
                self.change(&connected, processes, |connector| connector.status = ConnectorStatus::Active)
            }
            76..80 => {
                let shape = self.dice.below(100);
                let config = json!({"source": connected.source, "shape": shape});
                self.change(&connected, processes, |connector| connector.config = config.into());
            }
            80..83 => {
                let schedule = self.schedule();
                self.change(&connected, processes, |connector| connector.schedule = schedule);
            }
            83..87 => self.delete(&connected, processes),
            87..91 => self.purge(&connected, processes),
            _ => {
                self.trigger(&connected, processes);
                tokio::time::sleep(self.dice.millis(1_000)).await;
                self.freeze(processes).await;
            }
        }
    }

    /// The connectors that are not deleted.
    pub(super) fn connected(&self) -> Vec<Connected> {
        self.state().connectors.iter().filter(|connected| !connected.deleted).cloned().collect()
    }

    fn any_connector(&self) -> Option<Connected> {
        let connected = self.connected();
        (!connected.is_empty()).then(|| connected[self.dice.index(connected.len())].clone())
    }

    fn trigger(&self, connected: &Connected, processes: &[Process]) {
        let mode = self.dice.pick(&[SyncMode::Incremental, SyncMode::Incremental, SyncMode::FullRefresh]);
        let only = self.dice.chance(150);
        let on_conflict = self.dice.pick(&[OnConflict::Reject, OnConflict::Queue, OnConflict::Replace]);
        let is_dry = self.dice.chance(80);
        self.trigger_as(connected, processes, mode, on_conflict, only, is_dry);
    }

    /// Asks for a sync; its id, if it was queued.
    pub(super) fn trigger_as(
        &self,
        connected: &Connected,
        processes: &[Process],
        mode: SyncMode,
        on_conflict: OnConflict,
        only_first: bool,
        is_dry: bool,
    ) -> Option<SyncId> {
        let connector = self.connector(connected)?;
        let now = self.clock.now();
        let id = SyncId::new(now, &*self.entropy);
        let mut sync = Sync::queued(id, &connector, SyncTrigger::Api, mode, now);
        sync.dry_run = is_dry;
        sync.only_streams = only_first.then(|| vec![stream_named(0)]);
        let catalog = self.backends.catalog();
        let effect = self.backends.block_on(catalog.sync_trigger(sync, on_conflict, None)).unwrap();
        let is_queued = effect == Effect::Done;
        self.say(format_args!("user: trigger {id} {mode:?} {on_conflict:?} dry {is_dry}: {is_queued}"));
        if is_queued {
            self.look_at_syncs_of(connected.id);
            processes.iter().for_each(|process| process.engine.unwanted());
        }
        is_queued.then_some(id)
    }

    /// Approves what a sync asks about, or decides against it, so many times in a thousand.
    pub(super) fn decide(&self, processes: &[Process], approves: u64) {
        for connected in self.connected() {
            let asks = |known: &&(SyncId, Known)| {
                known.1.connector_id == connected.id && known.1.status == SyncStatus::NeedsApproval
            };
            let known: Vec<_> = self.state().syncs.iter().map(|(id, known)| (*id, *known)).collect();
            let Some((id, _)) = known.iter().find(asks).copied() else { continue };
            let (catalog, now) = (self.backends.catalog(), self.clock.now());
            let is_approved = self.dice.chance(approves);
            let effect = self.backends.block_on(async {
                match is_approved {
                    true => catalog.sync_approve(connected.id, id, now, None).await,
                    false => catalog.sync_discard(connected.id, id, now, None).await,
                }
            });
            assert_eq!(effect.unwrap(), Effect::Done, "it asks");
            self.say(format_args!("user: approves {id}: {is_approved}"));
            if is_approved {
                self.state().approved.insert(connected.id);
            }
            self.look_at_syncs_of(connected.id);
            processes.iter().for_each(|process| process.engine.unwanted());
        }
    }

    fn cancel(&self, connected: &Connected, processes: &[Process]) {
        let catalog = self.backends.catalog();
        let effect = catalog.sync_cancel(connected.id, None, self.clock.now());
        let effect = self.backends.block_on(effect).unwrap();
        self.look_at_syncs_of(connected.id);
        if let CancelEffect::Cancelling(sync) = effect {
            self.say(format_args!("user: cancels {}", sync.id));
            processes.iter().for_each(|process| process.engine.cancel(sync.id));
            // Another process may run it, which learns of the cancel within a period.
            if let [_only] = processes {
                self.state().cancelled.insert(sync.id);
            }
        }
    }

    /// The connector as it stands; `None` if it is deleted.
    pub(super) fn connector(&self, connected: &Connected) -> Option<Connector> {
        let collection_id = COLLECTIONS[connected.collection].parse().unwrap();
        let catalog = self.backends.catalog();
        self.backends.block_on(catalog.connector_get(&space(), &collection_id, connected.id)).unwrap()
    }

    /// Changes the settings of a connector.
    pub(super) fn change(
        &self,
        connected: &Connected,
        processes: &[Process],
        change: impl FnOnce(&mut Connector),
    ) {
        let Some(mut connector) = self.connector(connected) else { return };
        change(&mut connector);
        let told = format!("{} {:?} {:?}", connector.config.open(), connector.status, connector.schedule);
        let updated = self.backends.block_on(self.backends.catalog().connector_update(connector)).unwrap();
        assert!(matches!(updated, UpdateEffect::Updated(_)), "nobody else changes it");
        self.say(format_args!("user: {} is to be {told}", connected.id));
        for process in processes {
            process.engine.rescheduled();
            process.engine.wake();
        }
    }

    /// Deletes a connector, and makes another to the same source.
    pub(super) fn delete(&self, connected: &Connected, processes: &[Process]) {
        let remains = self.dice.pick(&[Remains::Kept, Remains::Purged]);
        let collection_id = COLLECTIONS[connected.collection].parse().unwrap();
        let (catalog, now, space) = (self.backends.catalog(), self.clock.now(), space());
        let (id, any) = (connected.id, ExpectedVersion::Any);
        let deleted = catalog.connector_delete(&space, &collection_id, id, any, remains, now);
        let deleted = self.backends.block_on(deleted).unwrap().deleted();
        self.say(format_args!("user: deletes {id}, records {remains:?}"));
        let mut state = self.state();
        let found = state.connectors.iter_mut().find(|other| other.id == id).unwrap();
        found.deleted = true;
        found.gone = remains == Remains::Purged;
        found.purged |= found.gone;
        drop(state);
        self.look_at_syncs_of(id);
        let cancelling = deleted.and_then(|deleted| deleted.cancelling);
        for process in processes {
            if let Some(sync_id) = cancelling {
                process.engine.cancel(sync_id);
            }
            process.engine.unwanted();
        }
        self.connect(connected.source);
    }

    fn purge(&self, connected: &Connected, processes: &[Process]) {
        let catalog = self.backends.catalog();
        let effect = catalog.purge_queue(connected.store_id, vec![connected.id], None);
        let is_queued = self.backends.block_on(effect).unwrap() == PurgeEffect::Queued;
        self.say(format_args!("user: purges {}: {is_queued}", connected.id));
        if is_queued {
            let mut state = self.state();
            state.connectors.iter_mut().find(|other| other.id == connected.id).unwrap().purged = true;
        }
        processes.iter().for_each(|process| process.engine.wake());
    }

    /// The only process is not answered any more for longer than its lease, or for ever, and another begins beside it.
    async fn freeze(self: &Arc<Self>, processes: &mut Vec<Process>) {
        let [process] = processes.as_slice() else { return };
        let time = LEASE + self.dice.millis(9_000);
        let time = self.dice.chance(700).then_some(time);
        if self.dice.chance(600) {
            process.node.freeze_at("commit", time);
        } else {
            process.node.freeze(time);
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
        while processes.len() == 1 {
            // Whoever watches over processes tries again.
            processes.extend(start(self, "n2", true).await);
        }
    }
}

fn space() -> SpaceId {
    "default".parse().unwrap()
}
