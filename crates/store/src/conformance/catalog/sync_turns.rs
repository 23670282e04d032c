//! In which order queued syncs are given to workers.

use std::sync::Arc;

use inlet_model::SyncId;
use inlet_model::sync::Outcome;

use super::given::Given;
use crate::catalog::{Catalog, Claim, Collection};

/// So many queued syncs of connectors of the collection, in order.
async fn queued(given: &Given, collection: &Collection, syncs: usize) -> Vec<SyncId> {
    let mut ids = Vec::new();
    for _ in 0..syncs {
        ids.push(given.queued_sync(&given.stored_connector_in(collection).await).await.id);
    }
    ids
}

/// What the next so many claims give.
async fn claimed(given: &Given, claims: usize) -> Vec<SyncId> {
    let mut ids = Vec::new();
    for _ in 0..claims {
        ids.push(given.claim().await.unwrap().sync.id);
    }
    ids
}

/// Spaces take turns: one that queues many holds up no other.
pub async fn spaces_take_turns(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let (one, other) = (given.stored_collection().await, given.stored_collection().await);
    let many = queued(&given, &one, 6).await;
    let few = queued(&given, &other, 2).await;
    let turns = [many[0], few[0], many[1], few[1], many[2], many[3], many[4], many[5]];
    assert_eq!(claimed(&given, 8).await, turns);
}

/// All connectors of a space are one, whatever their collections.
pub async fn the_collections_of_a_space_have_its_turns_together(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let one = given.stored_collection().await;
    let beside = given.stored_collection_in(&one.space_id).await;
    let other = given.stored_collection().await;
    let (first, second) = (queued(&given, &one, 2).await, queued(&given, &beside, 2).await);
    let few = queued(&given, &other, 2).await;
    let turns = [first[0], few[0], first[1], few[1], second[0], second[1]];
    assert_eq!(claimed(&given, 6).await, turns);
}

/// A space that comes later takes its turns from now on: it is not owed those that others had before.
pub async fn a_space_is_not_owed_the_turns_it_had_no_use_for(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let (one, other) = (given.stored_collection().await, given.stored_collection().await);
    let many = queued(&given, &one, 8).await;
    assert_eq!(claimed(&given, 4).await, many[..4]);
    let late = queued(&given, &other, 3).await;
    let turns = [many[4], late[0], many[5], late[1], many[6], late[2], many[7]];
    assert_eq!(claimed(&given, 7).await, turns);
}

/// A space whose syncs end and are queued again one by one neither goes before the others nor behind all of them.
pub async fn a_space_that_queues_one_by_one_has_every_other_turn(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let many = queued(&given, &given.stored_collection().await, 6).await;
    let connector = given.stored_connector().await;
    let end = async |claim: Claim| {
        given.catalog.sync_finish(&given.a_run(&claim, Outcome::Succeeded)).await.unwrap();
    };
    for next in &many[..3] {
        let single = given.queued_sync(&connector).await;
        let both = [given.claim().await.unwrap(), given.claim().await.unwrap()];
        assert_eq!(both.each_ref().map(|claim| claim.sync.id), [*next, single.id]);
        for claim in both {
            end(claim).await;
        }
    }
}
