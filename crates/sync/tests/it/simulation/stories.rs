//! What simulations have found, told once more without chance.

use std::sync::Arc;
use std::time::Duration;

use inlet_model::sync::{SyncMode, SyncStatus};
use inlet_model::{Clock, SyncId};
use inlet_store::catalog::OnConflict;

use super::life::{LEASE, Process, in_a_life, start};
use super::node::Node;
use super::truth::{Character, Truth};
use super::world::{Weather, World};

#[test]
fn a_run_that_has_ended_is_told_as_it_ended_though_its_connector_is_gone_and_the_store_fails_once() {
    a_run_that_has_ended_is_told_as_it_ended(|node| node.fail_at("run"));
}

#[test]
fn a_run_that_has_ended_is_told_as_it_ended_though_its_connector_is_gone_and_its_collection_opens_late() {
    a_run_that_has_ended_is_told_as_it_ended(|node| node.freeze_at("open", Some(LEASE)));
}

fn a_run_that_has_ended_is_told_as_it_ended(though: impl Fn(&Node)) {
    let world = in_fair_weather(0);
    in_a_life(&world, async {
        let process = start(&world, "n1", false).await.unwrap();
        // Its run ends, and nobody can be told.
        process.node.freeze_at("sync_finish", None);
        read_a_source(&world, &process);
        tokio::time::sleep(Duration::from_secs(60)).await;
    });
    let connected = world.connected().remove(0);
    let status = || world.newest_syncs(connected.id)[0].status;
    assert_eq!(status(), SyncStatus::Running);
    world.delete(&connected, &[]);
    assert_eq!(status(), SyncStatus::Cancelling);
    in_a_life(&world, async {
        let process = start(&world, "n1", false).await.unwrap();
        though(&process.node);
        tokio::time::sleep(Duration::from_secs(60)).await;
    });
    let sync = world.newest_syncs(connected.id).remove(0);
    assert_eq!(sync.status, SyncStatus::Succeeded);
    assert!(sync.counts.add_up() && sync.counts.read > 0, "{:?}", sync.counts);
    assert!(!world.is_broken());
}

#[test]
fn a_node_that_has_lost_a_sync_leaves_its_end_to_the_one_that_has_taken_it_over() {
    let mut taken_over = 0;
    for seed in 0..16 {
        let world = in_fair_weather(seed);
        in_a_life(&world, async {
            let slow = start(&world, "n1", false).await.unwrap();
            slow.node.freeze_at("commit", Some(LEASE + Duration::from_secs(2)));
            read_a_source(&world, &slow);
            go_on_with_another(&world).await;
        });
        let connected = world.connected().remove(0);
        let sync = world.newest_syncs(connected.id).remove(0);
        assert_eq!(sync.status, SyncStatus::Succeeded, "seed {seed}");
        assert!(!world.is_broken(), "seed {seed}");
        taken_over += u32::from(sync.attempt == 2);
    }
    assert!(taken_over > 0, "some learn that they have lost it before they are done");
}

#[test]
fn a_node_that_has_lost_a_sync_does_not_end_it_when_it_may_not_ask() {
    for seed in 0..16 {
        let world = in_fair_weather(seed);
        in_a_life(&world, async {
            let slow = start(&world, "n1", false).await.unwrap();
            read_a_source(&world, &slow);
            tokio::time::sleep(Duration::from_secs(30)).await;
            // All that it has would go.
            world.state().truths[0].streams.iter_mut().for_each(|stream| stream.rows.clear());
            slow.node.freeze_at("commit", Some(LEASE + Duration::from_secs(2)));
            let asking = trigger(&world, &slow, SyncMode::FullRefresh);
            go_on_with_another(&world).await;
            let status = world.state().syncs[&asking].status;
            assert_eq!(status, SyncStatus::NeedsApproval, "seed {seed}");
        });
    }
}

/// Another process takes the sync over, and is slower to go on with it than the one that had it is to come back.
async fn go_on_with_another(world: &Arc<World>) {
    let other = start(world, "n2", true).await.unwrap();
    other.node.freeze_at("begin_run", Some(LEASE / 2));
    tokio::time::sleep(LEASE * 10).await;
}

fn in_fair_weather(seed: u64) -> Arc<World> {
    let world = World::new(seed, None);
    world.state().weather = Weather::default();
    world
}

/// Has a process read a source.
fn read_a_source(world: &World, process: &Process) {
    let (now, tick) = (world.clock.now(), world.clock.tick());
    let mut truth = Truth::new(Character::Unresumable, &world.dice, now, tick);
    truth.insert(&world.dice, now, tick);
    world.state().truths.push(truth);
    world.connect(0);
    trigger(world, process, SyncMode::Incremental);
}

fn trigger(world: &World, process: &Process, mode: SyncMode) -> SyncId {
    let connected = world.connected().remove(0);
    let processes = std::slice::from_ref(process);
    world.trigger_as(&connected, processes, mode, OnConflict::Reject, false, false).unwrap()
}
