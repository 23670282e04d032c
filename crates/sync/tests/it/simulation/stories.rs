//! What simulations have found, told once more without chance.

use std::time::Duration;

use inlet_model::Clock;
use inlet_model::sync::{SyncMode, SyncStatus};
use inlet_store::catalog::OnConflict;

use super::life::{in_a_life, start};
use super::truth::{Character, Truth};
use super::world::{Weather, World};

#[test]
fn a_run_that_has_ended_is_told_as_it_ended_though_its_connector_is_gone_and_the_store_fails_once() {
    let world = World::new(0, None);
    world.state().weather = Weather::default();
    in_a_life(&world, async {
        let process = start(&world, "n1", false).await.unwrap();
        let truth = Truth::new(Character::Unresumable, &world.dice, world.clock.now(), world.clock.tick());
        world.state().truths.push(truth);
        world.connect(0);
        // Its run ends, and nobody can be told.
        process.node.freeze_at("sync_finish", None);
        let processes = [process];
        let connected = world.connected().remove(0);
        world.trigger_as(&connected, &processes, SyncMode::Incremental, OnConflict::Reject, false, false);
        tokio::time::sleep(Duration::from_secs(60)).await;
    });
    let connected = world.connected().remove(0);
    let status = || world.newest_syncs(connected.id)[0].status;
    assert_eq!(status(), SyncStatus::Running);
    world.delete(&connected, &[]);
    assert_eq!(status(), SyncStatus::Cancelling);
    in_a_life(&world, async {
        let process = start(&world, "n1", false).await.unwrap();
        process.node.fail_at("run");
        tokio::time::sleep(Duration::from_secs(60)).await;
    });
    let sync = world.newest_syncs(connected.id).remove(0);
    assert_eq!(sync.status, SyncStatus::Succeeded);
    assert!(sync.counts.add_up() && sync.counts.read > 0, "{:?}", sync.counts);
    assert!(!world.is_broken());
}
