//! How many syncs run at once.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use inlet_store::catalog::SyncLimits;
use inlet_sync::EngineOptions;

use crate::fixture::{Fixture, end, options};

#[tokio::test]
async fn no_more_syncs_of_a_space_are_at_their_sources_than_may() {
    let fixture = Fixture::new(&["s"]).await;
    let (reading, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let greatest = Arc::clone(&most);
    fixture.script(move |_request, out| {
        let (reading, most) = (Arc::clone(&reading), Arc::clone(&greatest));
        async move {
            most.fetch_max(reading.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            tokio::time::sleep(Duration::from_millis(30)).await;
            reading.fetch_sub(1, Ordering::SeqCst);
            out.send(end("s")).await.unwrap();
            Ok(())
        }
    });
    let limits = SyncLimits { per_space: NonZeroU32::new(2), ..SyncLimits::default() };
    let engine = fixture.engine_with(EngineOptions { running_syncs: 6, limits, ..options() }).await;
    let mut syncs = Vec::new();
    for _ in 0..6 {
        syncs.push(fixture.queued_beside().await);
    }
    engine.wake();
    for sync in syncs {
        assert!(fixture.ended(&sync).await.status.is_final());
    }
    assert_eq!(most.load(Ordering::SeqCst), 2);
}
