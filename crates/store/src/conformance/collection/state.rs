//! Checkpoints as people look at them and change them.

use std::collections::BTreeMap;

use inlet_model::{ConnectorId, Scope, StreamName};
use serde_json::{Value, json};

use super::given::{Claim, Given, name};
use super::items::{WHOLE, key_of, listing, puts, scopes};
use super::seen::ALL;
use crate::collection::CheckpointEffect::{Changed, Held};
use crate::collection::{Checkpoint, ScopeListing, StreamCursors};

/// Every scope is shown with its cursor, its records and the listing it is in, by stream and then by scope.
pub async fn checkpoints_are_shown_by_stream_and_scope(given: Given) {
    let connector = given.connector();
    let sync = with_all_kinds(&given, connector).await;
    let generation = given.run(&sync).await.generation;
    let found = all(&given, connector).await;
    let shown: Vec<_> = found
        .iter()
        .map(|it| (it.stream.as_str(), it.scope.as_str(), it.records, it.cursor.clone(), it.listing.clone()))
        .collect();
    let open = ScopeListing::Open { generation, position: Some(json!({"line": 2})), seen: 2 };
    assert_eq!(
        shown,
        [
            ("s", "complete", 2, Some(json!("c1")), Some(ScopeListing::Complete)),
            ("s", "gone", 1, Some(json!("g1")), Some(ScopeListing::Gone)),
            ("s", "open", 3, Some(json!("o1")), Some(open)),
            ("t", WHOLE, 1, Some(json!(1)), None),
        ]
    );
    assert!(found.iter().all(|checkpoint| checkpoint.listed_by.is_some()));
    let given = given.reopened().await;
    assert_eq!(all(&given, connector).await, found);
    assert_eq!(all(&given, given.connector()).await, []);
}

/// Pages of any size give the same, of one stream too.
pub async fn checkpoints_come_in_pages(given: Given) {
    let connector = given.connector();
    with_all_kinds(&given, connector).await;
    let whole = all(&given, connector).await;
    for limit in 1..=5 {
        let mut seen: Vec<Checkpoint> = Vec::new();
        loop {
            let after = seen.last().map(|last| (last.stream.clone(), last.scope.clone()));
            let page = given.store.checkpoints(connector, None, after, limit).await.unwrap();
            assert!(page.len() <= limit);
            if page.is_empty() {
                break;
            }
            seen.extend(page);
        }
        assert_eq!(seen, whole);
    }
    let of_t = given.store.checkpoints(connector, Some(&name("t")), None, 9).await.unwrap();
    assert_eq!(of_t, whole[3..]);
}

/// The next run starts from the cursors that were set, and only from them.
pub async fn a_run_starts_from_the_cursors_that_were_set(given: Given) {
    let connector = listed(&given, &["x", "y"]).await;
    assert_eq!(given.set(connector, "s", &[("x", json!("new")), ("z", json!([1, null]))]).await, Changed);
    let sync = given.begun(connector, &["s", "t"]).await;
    assert_eq!(given.cursor(&sync, "s", "x").await, Some(json!("new")));
    assert_eq!(given.cursor(&sync, "s", "y").await, None, "it was not named");
    assert_eq!(given.cursor(&sync, "s", "z").await, Some(json!([1, null])));
    assert_eq!(given.cursor(&sync, "t", WHOLE).await, Some(json!(1)), "another stream");
    assert_eq!(given.ids("s").await.len(), 4, "records are left as they are");
    given.commit(&sync, given.whole_listing("s", "z", &puts(50..52, "a"), json!(2))).await;
    assert_eq!(given.ids("s").await.len(), 6);
}

/// A listing that is open is dropped: it would set a cursor of its own.
pub async fn to_set_cursors_drops_open_listings_and_keeps_sweeps(given: Given) {
    let connector = given.connector();
    let sync = with_all_kinds(&given, connector).await;
    given.finish(&sync).await;
    let wanted = [("open", json!("o9")), ("complete", json!("c9"))];
    assert_eq!(given.set(connector, "s", &wanted).await, Changed);
    let next = given.begun(connector, &["s"]).await;
    assert_eq!(given.unswept(&next).await, ["s"]);
    assert_eq!(given.scope(&next, "s", "open").await.listing, None);
    assert_eq!(given.sweep(&next, "s").await, 2, "what was unseen, and what was gone");
    assert_eq!(given.cursor(&next, "s", "open").await, Some(json!("o9")));
    assert_eq!(given.cursor(&next, "s", "complete").await, Some(json!("c9")), "not that of the listing");
}

/// A scope that was gone and is named is not gone.
pub async fn a_scope_that_was_gone_and_is_named_stays(given: Given) {
    let connector = given.connector();
    let sync = with_all_kinds(&given, connector).await;
    given.finish(&sync).await;
    given.set(connector, "s", &[("gone", json!("g9"))]).await;
    let next = given.begun(connector, &["s"]).await;
    given.sweep(&next, "s").await;
    assert_eq!(given.cursor(&next, "s", "gone").await, Some(json!("g9")));
    assert_eq!(given.store.record(None, &name("s"), &key_of(20)).await.unwrap().len(), 1);
}

/// The cursor of a stream that no run has read is there for the first that does, whatever its shape and even if it appends; the
/// next shape drops it.
pub async fn a_stream_that_was_never_read_can_have_cursors(given: Given) {
    let connectors = [given.connector(), given.connector()];
    for connector in connectors {
        assert_eq!(given.set(connector, "s", &[(WHOLE, json!(7))]).await, Changed);
    }
    let given = given.reopened().await;
    let [plain, appending] = connectors.map(|connector| given.claim(connector, &["s"]).shaped("a shape"));
    for first in [plain, appending.appending()] {
        given.begin(&first).await;
        assert_eq!(given.cursor(&first, "s", WHOLE).await, Some(json!(7)));
        given.finish(&first).await;
        let second = given.claim(first.connector_id, &["s"]).shaped("another shape");
        given.begin(&second).await;
        assert_eq!(given.cursor(&second, "s", WHOLE).await, None);
    }
}

/// Nothing is known any more of how far the streams were read; nothing is deleted, and nothing waits to be.
pub async fn a_reset_lists_everything_again_and_deletes_nothing(given: Given) {
    let connector = given.connector();
    let sync = with_all_kinds(&given, connector).await;
    given.finish(&sync).await;
    let before = (given.all_records().await, given.feed().await);
    assert_eq!(given.store.reset_checkpoints(connector, None).await.unwrap(), Changed);
    assert_eq!((given.all_records().await, given.feed().await), before);
    let next = given.begun(connector, &["s", "t"]).await;
    assert_eq!(given.unswept(&next).await, [""; 0]);
    for stream in ["s", "t"] {
        for state in given.scopes(&next, stream).await.into_values() {
            assert_eq!((state.cursor, state.listing, state.listed_by), (None, None, None));
        }
    }
    let counts =
        given.commit(&next, given.whole_listing("t", WHOLE, &puts([30], "a"), json!(2))).await.counts;
    assert_eq!((counts.created, counts.unchanged), (0, 1));
}

/// A reset of one stream leaves the others, and other connectors.
pub async fn a_reset_of_one_stream_leaves_the_others(given: Given) {
    let (one, other) = (listed(&given, &["x"]).await, listed(&given, &["x"]).await);
    given.store.reset_checkpoints(one, Some(name("s"))).await.unwrap();
    let cursors: Vec<_> = all(&given, one).await.into_iter().map(|it| it.cursor).collect();
    assert_eq!(cursors, [None, Some(json!(1))]);
    assert!(all(&given, other).await.iter().all(|checkpoint| checkpoint.cursor.is_some()));
}

/// While a run is under way, in whatever attempt, nothing is changed; once it has ended, it is.
pub async fn nothing_is_changed_behind_the_back_of_a_run(given: Given) {
    let connector = listed(&given, &["x"]).await;
    let sync = given.begun(connector, &["s"]).await;
    let before = all(&given, connector).await;
    let given = given.reopened().await;
    assert_eq!(given.set(connector, "s", &[("x", json!(9))]).await, Held(sync.sync_id));
    assert_eq!(given.store.reset_checkpoints(connector, None).await.unwrap(), Held(sync.sync_id));
    assert_eq!(all(&given, connector).await, before);
    given.finish(&sync).await;
    assert_eq!(given.set(connector, "s", &[("x", json!(9))]).await, Changed);
    assert_eq!(given.store.reset_checkpoints(connector, None).await.unwrap(), Changed);
}

/// A change that meets the beginning of a run comes before it and is what it starts from, or is refused.
pub async fn a_change_that_meets_a_beginning_is_before_it_or_refused(given: Given) {
    for round in 0..10 {
        let connector = listed(&given, &["x"]).await;
        let claim = given.claim(connector, &["s"]);
        let beginning = async {
            for _ in 0..round {
                tokio::task::yield_now().await;
            }
            given.begin(&claim).await
        };
        let wanted = [("x", json!("new"))];
        let (start, effect) = tokio::join!(beginning, given.set(connector, "s", &wanted));
        let cursor = start.scopes[&name("s")][&Scope::new("x")].cursor.clone();
        let expected = if effect == Changed { json!("new") } else { json!(1) };
        assert_eq!(cursor, Some(expected));
        assert_eq!(given.cursor(&claim, "s", "x").await, cursor, "it stays what it was");
    }
}

async fn all(given: &Given, connector: ConnectorId) -> Vec<Checkpoint> {
    given.store.checkpoints(connector, None, None, ALL).await.unwrap()
}

/// A connector that has listed these scopes of the stream `s` with two records each, and the whole of `t` with one.
async fn listed(given: &Given, of: &[&str]) -> ConnectorId {
    let connector = given.connector();
    let sync = given.begun(connector, &["s", "t"]).await;
    for (place, scope) in (0..).zip(of) {
        let lines = puts(place * 10..place * 10 + 2, "a");
        given.commit(&sync, given.whole_listing("s", scope, &lines, json!(1))).await;
    }
    given.commit(&sync, given.whole_listing("t", WHOLE, &puts([30], "a"), json!(1))).await;
    given.finish(&sync).await;
    connector
}

/// A sync under way with a scope of each kind: `open` (10 to 12, of which two are seen), `complete` (0 and 1, of which one is
/// seen), `gone` (20), and the stream `t` that it does not touch.
async fn with_all_kinds(given: &Given, connector: ConnectorId) -> Claim {
    let first = given.begun(connector, &["s", "t"]).await;
    for (scope, ids, cursor) in [("open", 10..13, "o1"), ("complete", 0..2, "c1"), ("gone", 20..21, "g1")] {
        given.commit(&first, given.whole_listing("s", scope, &puts(ids, "a"), json!(cursor))).await;
    }
    given.commit(&first, given.whole_listing("t", WHOLE, &puts([30], "a"), json!(1))).await;
    given.finish(&first).await;
    let second = given.begun(connector, &["s", "t"]).await;
    let mut items = given.whole_listing("s", "complete", &puts(0..1, "a"), json!("c2"));
    items.push(scopes("s", &["open", "complete"]));
    items.push(listing("s", "open"));
    items.push(given.records_to("s", "open", &puts(10..12, "a"), json!({"line": 2})));
    given.commit(&second, items).await;
    second
}

impl Given {
    async fn set(
        &self,
        connector: ConnectorId,
        stream: &str,
        cursors: &[(&str, Value)],
    ) -> crate::collection::CheckpointEffect {
        let stream: StreamName = name(stream);
        let cursors: BTreeMap<Scope, Option<Value>> =
            cursors.iter().map(|(scope, cursor)| (Scope::new(scope), Some(cursor.clone()))).collect();
        self.store.set_cursors(connector, vec![StreamCursors { stream, cursors }]).await.unwrap()
    }
}
