//! Restarts: what returned `Ok` is there when everything is opened anew.

use serde_json::json;

use super::given::Given;
use super::items::{Line, WHOLE, gone, listing, put, puts, stream_end};

/// Records, changes, runs, refusals, positions, pushes and the seed are all as they were.
pub async fn everything_is_there_after_a_restart(given: Given) {
    let connector = given.connector();
    let first = given.begun(connector, &["s"]).await;
    given.commit(&first, given.whole_listing("s", "a", &puts(1..=20, "a"), json!("a"))).await;
    given.finish(&first).await;
    let sync = given.begun(connector, &["s", "t"]).await;
    let items = vec![
        listing("s", "b"),
        given.records_to(
            "s",
            "b",
            &[put(3, "moved"), put(30, "new"), Line::Refused, put(30, "twice")],
            json!([1]),
        ),
        given.records_to("t", WHOLE, &[put(1, "t"), put(1, "u"), gone(1), put(2, "t")], json!({"t": 1})),
        stream_end("t"),
    ];
    given.commit(&sync, items).await;
    given.commit(&sync, given.whole_listing("s", "a", &puts(1..=10, "a"), json!("a2"))).await;
    given.sweep_step(&sync, "s", 4).await;
    given.pushed(connector, "s", b"waits").await;
    let sight = given.sight(&sync).await;
    let (scopes, unswept) = (given.scopes(&sync, "s").await, given.unswept(&sync).await);
    let (ended, seed, stats) = (given.run(&first).await, given.store.seed(), given.stats().await);
    let mut given = given;
    for _ in 0..3 {
        given = given.reopened().await;
        assert_eq!(given.sight(&sync).await, sight);
        assert_eq!(given.scopes(&sync, "s").await, scopes);
        assert_eq!(given.unswept(&sync).await, unswept);
        assert_eq!(given.run(&first).await, ended);
        assert_eq!(given.store.seed(), seed);
        assert_eq!(given.stats().await.records, stats.records);
    }
}

/// The same record is unchanged after a restart, and the numbers go on where they were.
pub async fn writing_goes_on_after_a_restart(given: Given) {
    let connector = given.connector();
    let mut given = given;
    for round in 0..5_u64 {
        let sync = given.begun(connector, &["s"]).await;
        let fresh = i64::try_from(round).unwrap() + 1;
        let receipt = given.commit(&sync, vec![given.records("s", WHOLE, &puts(1..=fresh, "a"))]).await;
        assert_eq!((receipt.counts.created, receipt.counts.unchanged), (1, round));
        assert_eq!(receipt.last_change, round + 1);
        given.finish(&sync).await;
        given = given.reopened().await;
    }
}
