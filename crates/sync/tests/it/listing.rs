//! What lands, and what is deleted.

use inlet_model::sync::SyncStatus;

use crate::fixture::{Fixture, batch, complete, end, listing};

#[tokio::test]
async fn records_land_and_the_counters_add_up() {
    let fixture = Fixture::new(&["s"]).await;
    fixture.script(|request, out| async move {
        out.send(listing("s")).await.unwrap();
        let batch = batch(&request, "s", 0..3, "a");
        out.send(inlet_source::Message::Batch { batch, checkpoint: Some(3.into()) }).await.unwrap();
        out.send(complete("s", true)).await.unwrap();
        out.send(end("s")).await.unwrap();
        Ok(())
    });
    let engine = fixture.engine().await;
    let sync = fixture.sync_to_the_end(&engine).await;
    assert_eq!(sync.status, SyncStatus::Succeeded);
    assert_eq!((sync.counts.read, sync.counts.created, sync.attempt), (3, 3, 1));
    assert_eq!(fixture.records().await["1"], r#"{"id":1,"value":"a"}"#);
    let again = fixture.sync_to_the_end(&engine).await;
    assert_eq!((again.counts.read, again.counts.unchanged, again.counts.created), (3, 3, 0));
}

/// Lists 0..5 first; then 0..3 and completes as the test says.
async fn list_fewer(finish: Option<bool>) -> (usize, u64) {
    let fixture = Fixture::new(&["s"]).await;
    let lists = |ids: std::ops::Range<i64>, finish: Option<bool>| {
        move |request, out: inlet_source::Outlet| {
            let ids = ids.clone();
            async move {
                out.send(listing("s")).await.unwrap();
                let batch = batch(&request, "s", ids, "a");
                out.send(inlet_source::Message::Batch { batch, checkpoint: Some(1.into()) }).await.unwrap();
                if let Some(certified) = finish {
                    out.send(complete("s", certified)).await.unwrap();
                }
                out.send(end("s")).await.unwrap();
                Ok(())
            }
        }
    };
    let engine = fixture.engine().await;
    fixture.script(lists(0..5, Some(true)));
    fixture.sync_to_the_end(&engine).await;
    fixture.script(lists(0..3, finish));
    let sync = fixture.sync_to_the_end(&engine).await;
    assert_eq!(sync.status, SyncStatus::Succeeded);
    (fixture.records().await.len(), sync.counts.deleted)
}

#[tokio::test]
async fn a_certified_complete_listing_deletes_what_it_did_not_see() {
    assert_eq!(list_fewer(Some(true)).await, (3, 2));
}

#[tokio::test]
async fn an_uncertified_listing_deletes_nothing() {
    assert_eq!(list_fewer(Some(false)).await, (5, 0));
}

#[tokio::test]
async fn the_end_of_input_without_complete_deletes_nothing() {
    assert_eq!(list_fewer(None).await, (5, 0));
}
