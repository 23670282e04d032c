//! Rehearsals: a run that writes nothing comes to what the run itself would come to.

use inlet_model::{Counts, Scope};
use serde_json::json;

use super::given::{Claim, Given, a_failure, name};
use super::items::{
    Line, WHOLE, complete, data_of, gone, key_of, listing, put, puts, scopes, stream_end, stream_failed,
    unchanged,
};
use super::seen::ALL;
use crate::collection::{Item, Rehearsed, RehearsedStream, RunStart, Sample, SampleLimits, Unseen};

const LIMITS: SampleLimits = SampleLimits { each: 3, bytes: 10_000, max_keys: 1_000 };

/// A listing that finds records new, changed, as they were, twice and gone; and changes outside a listing.
pub async fn a_rehearsal_comes_to_what_the_run_comes_to(given: Given) {
    let connector = ten_records(&given).await;
    let lines = [put(1, "a"), put(2, "b"), put(11, "new"), put(11, "again"), put(1, "a"), Line::Refused];
    let outside =
        [put(3, "a"), put(4, "b"), put(4, "c"), put(4, "c"), gone(5), gone(5), put(5, "d"), put(12, "e")];
    for (items, expected) in [
        (given.whole_listing("s", WHOLE, &lines, json!(2)), [6, 1, 1, 1, 8, 3]),
        (vec![given.records("s", WHOLE, &outside)], [7, 2, 2, 3, 1, 0]),
    ] {
        let rehearsed = given.rehearsed(connector, items).await;
        let counts = rehearsed.counts;
        let found =
            [counts.read, counts.created, counts.updated, counts.unchanged, counts.deleted, counts.rejected];
        assert_eq!((found, rehearsed.exact), (expected, true));
    }
    let real = given.begun(connector, &["s"]).await;
    given.commit(&real, given.whole_listing("s", WHOLE, &lines, json!(2))).await;
    given.sweep(&real, "s").await;
    let again = given.rehearsed(connector, given.whole_listing("s", WHOLE, &lines, json!(2))).await;
    assert_eq!((again.counts.unchanged, again.counts.deleted, again.counts.rejected), (3, 0, 3));
}

/// Nothing of it is to be seen, and the next run starts where it would have.
pub async fn a_rehearsal_writes_nothing(given: Given) {
    let connector = ten_records(&given).await;
    let claim = given.begun(connector, &["s"]).await;
    given.finish(&claim).await;
    let before = given.sight(&claim).await;
    let streams = given.store.streams(None, None).await.unwrap();
    let next = given.claim(connector, &["s", "never read"]);
    let items = vec![
        listing("s", WHOLE),
        given.records("s", WHOLE, &puts(20..30, "x")),
        complete("s", WHOLE, json!(9)),
    ];
    let (_, rehearsed) =
        given.rehearse(&next, vec![items, vec![stream_failed("s"), stream_end("never read")]]).await;
    let ends: Vec<_> = rehearsed.streams.iter().map(|stream| stream.end.clone()).collect();
    assert_eq!(ends, [Some(Some(a_failure())), Some(None)]);
    let given = given.reopened().await;
    assert_eq!(given.sight(&claim).await, before);
    assert_eq!(given.store.streams(None, None).await.unwrap(), streams);
    assert_eq!(given.try_run(next.sync_id).await, None);
    assert_eq!(given.store.pending_deletes(connector).await.unwrap(), []);
}

/// Each sample has the record as it is and as it would be, whole.
pub async fn a_rehearsal_shows_some_records_before_and_after(given: Given) {
    let connector = ten_records(&given).await;
    let lines = [put(1, "a"), put(2, "b"), put(11, "new"), put(11, "again")];
    let rehearsed = given.rehearsed(connector, given.whole_listing("s", WHOLE, &lines, json!(2))).await;
    let sample = |id, before: Option<&str>, after: Option<&str>| Sample {
        key: key_of(id),
        before: before.map(|value| data_of(id, value)),
        after: after.map(|value| data_of(id, value)),
    };
    let deleted = [3, 4, 5].map(|id| sample(id, Some("a"), None));
    let expected =
        [vec![sample(2, Some("a"), Some("b")), sample(11, None, Some("new"))], deleted.into()].concat();
    assert_eq!(rehearsed.samples, expected);
    let refused = &rehearsed.rejected[0];
    assert_eq!(
        (refused.code.as_str(), refused.position, refused.stream.as_str()),
        ("record.duplicate_key", 4, "s")
    );
    assert_eq!((rehearsed.deletes.records, rehearsed.deletes.of), (8, 10));
}

/// However much would change, few records are shown.
pub async fn the_samples_keep_to_their_bounds(given: Given) {
    let connector = ten_records(&given).await;
    let claim = given.claim(connector, &["s"]);
    let lines = puts(100..200, &"x".repeat(1_000));
    let items = || vec![given.whole_listing("s", WHOLE, &lines, json!(2))];
    let (_, rehearsed) = given.rehearse(&claim, items()).await;
    assert_eq!(rehearsed.streams[0].samples.len(), 6);
    let limits = SampleLimits { each: 50, bytes: 2_500, max_keys: 4 };
    let (_, rehearsed) = given.rehearse_within(&claim, items(), limits).await;
    let samples = &rehearsed.streams[0].samples;
    assert_eq!(samples.iter().filter(|sample| sample.before.is_none()).count(), 2);
    assert_eq!(samples.iter().filter(|sample| sample.after.is_none()).count(), 4);
}

/// What waits for a sweep counts as deleted, and as new if it is found again; the cursor is the one it leaves.
pub async fn a_rehearsal_starts_as_if_it_had_swept(given: Given) {
    let connector = ten_records(&given).await;
    let left = given.begun(connector, &["s"]).await;
    given.commit(&left, given.whole_listing("s", WHOLE, &puts(1..=4, "a"), json!(2))).await;
    given.finish(&left).await;
    let next = given.claim(connector, &["s"]);
    let (start, rehearsed) =
        given.rehearse(&next, vec![vec![given.records("s", WHOLE, &puts([4, 5], "a"))]]).await;
    assert_eq!(start.scopes[&name("s")][&Scope::whole()].cursor, Some(json!(2)));
    assert!(start.unswept.is_empty());
    let counts = rehearsed.streams[0].counts;
    assert_eq!((counts.created, counts.unchanged, counts.deleted), (1, 1, 6));
    assert_eq!(rehearsed.streams[0].samples.last().unwrap().key, key_of(7));
}

/// A shape that is another shows no cursor, and a full refresh no listing of others; an open one begins anew.
pub async fn a_stream_that_is_read_differently_is_rehearsed_from_the_beginning(given: Given) {
    let connector = ten_records(&given).await;
    let left = given.begun(connector, &["s"]).await;
    let items = vec![listing("s", WHOLE), given.records_to("s", WHOLE, &puts(1..=4, "a"), json!("here"))];
    given.commit(&left, items).await;
    given.finish(&left).await;
    let start = async |claim: Claim| {
        let (mut start, _) = given.rehearse(&claim, vec![]).await;
        let state = start.scopes.get_mut(&name("s")).unwrap().remove(&Scope::whole()).unwrap();
        (state.cursor, state.listing.map(|listing| listing.position))
    };
    let next = given.claim(connector, &["s"]);
    assert_eq!(start(next.clone()).await, (Some(json!(1)), Some(None)));
    assert_eq!(start(next.clone().of_a_full_refresh()).await, (Some(json!(1)), None));
    assert_eq!(start(next.shaped("another")).await, (None, None));
}

/// It would append to a copy of its own, which the next run knows nothing of.
pub async fn a_rehearsed_full_refresh_begins_no_copy(given: Given) {
    let connector = given.connector();
    let begun = given.claim(connector, &["s"]).appending();
    given.begin(&begun).await;
    given.finish(&begun).await;
    let next = given.claim(connector, &["s"]).appending();
    let copy = async |claim: Claim| {
        let start = given.rehearse(&claim, vec![]).await.0;
        (start.copies[&name("s")], start.run.generation)
    };
    let (of_refresh, generation) = copy(next.clone().of_a_full_refresh()).await;
    assert_eq!(of_refresh, generation);
    assert_eq!(copy(next.clone()).await.0, 0);
    assert_eq!(given.begin(&next).await.copies[&name("s")], 0);
}

/// A rehearsal holds up nobody.
pub async fn other_connectors_write_while_one_rehearses(given: Given) {
    let connector = ten_records(&given).await;
    let claim = given.claim(connector, &["s"]);
    let (_, mut rehearsal) = given.store.rehearse(given.new_run(&claim), LIMITS).await.unwrap();
    rehearsal.apply(vec![listing("s", WHOLE), given.records("s", WHOLE, &puts(1..=5, "a"))]).await.unwrap();
    let other = given.begun(given.connector(), &["s"]).await;
    given.commit(&other, given.whole_listing("s", WHOLE, &puts(0..3_000, "z"), json!(1))).await;
    let counts = rehearsal.apply(vec![given.records("s", WHOLE, &puts(6..=9, "a"))]).await.unwrap();
    assert_eq!(counts.unchanged, 9);
    rehearsal.apply(vec![complete("s", WHOLE, json!(2))]).await.unwrap();
    assert_eq!(rehearsal.end().await.unwrap().streams[0].counts.deleted, 1);
}

/// Whatever a run does, its rehearsal counts the same.
pub async fn random_runs_come_to_what_was_rehearsed(given: Given) {
    let mut dice = Dice(7);
    for history in 0..50 {
        let connector = given.connector();
        for run in 0..6 {
            let claim = given.claim(connector, &["s"]);
            let appends = history % 2 == 1 && dice.below(5) > 0;
            let claim = if appends { claim.appending() } else { claim };
            let label = format!("run {run} of history {history}");
            let seed = dice.0;
            let (_, rehearsed) = given.rehearse(&claim, random_run(&given, &mut dice)).await;
            dice.0 = seed;
            let start = given.begin(&claim).await;
            if !start.unswept.is_empty() {
                given.sweep_all(&claim).await;
            }
            for items in random_run(&given, &mut dice) {
                given.commit(&claim, items).await;
            }
            let pending = given.store.pending_deletes(connector).await.unwrap();
            let waits: u64 = pending.iter().map(|stream| stream.records).sum();
            let deletes = &rehearsed.streams[0].deletes;
            // Some sweeps are left to the next run.
            let counts = if dice.below(3) > 0 {
                given.sweep_all(&claim).await;
                given.counts(&claim).await
            } else {
                let counts = given.counts(&claim).await;
                Counts { deleted: counts.deleted + waits, ..counts }
            };
            assert_eq!(rehearsed.streams[0].counts, counts, "{label}");
            assert!(deletes.records >= waits, "{label}");
            given.finish(&claim).await;
        }
    }
}

/// The commits of a run: most scopes are listed, some only changed, some found as they were or gone.
fn random_run(given: &Given, dice: &mut Dice) -> Vec<Vec<Item>> {
    let mut commits = Vec::new();
    let mut named = Vec::new();
    for scope in ["x", "y", "z"] {
        let lines = |dice: &mut Dice, gone_too: bool| -> Vec<Line> {
            (0..dice.below(7))
                .map(|_| match dice.below(12) {
                    0 if gone_too => gone(dice.below(9)),
                    1 => Line::Refused,
                    value => put(dice.below(9), ["a", "b"][value as usize % 2]),
                })
                .collect()
        };
        match dice.below(8) {
            0 => continue,
            1 => commits.push(vec![unchanged("s", scope)]),
            2 => commits.push(vec![given.records_to("s", scope, &lines(dice, true), json!(1))]),
            _ => {
                commits.push(vec![listing("s", scope), given.records("s", scope, &lines(dice, false))]);
                let unseen = [Unseen::Goes, Unseen::GoesIfAbsent, Unseen::GoesIfApproved, Unseen::Stays];
                let unseen = unseen[dice.below(4) as usize];
                let (stream, scope, cursor) = (name("s"), Scope::new(scope), Some(json!(2)));
                let end = Item::Complete { stream, scope: scope.clone(), cursor, unseen };
                commits.push(vec![given.records("s", scope.as_str(), &lines(dice, false)), end]);
            }
        }
        named.push(scope);
    }
    if dice.below(3) == 0 {
        commits.push(vec![scopes("s", &named)]);
    }
    commits
}

/// Numbers that are the same each time.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: i64) -> i64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) as i64) % bound
    }
}

/// Records 1 to 10 of the stream `s`.
async fn ten_records(given: &Given) -> inlet_model::ConnectorId {
    let connector = given.connector();
    let first = given.begun(connector, &["s"]).await;
    given.commit(&first, given.whole_listing("s", WHOLE, &puts(1..=10, "a"), json!(1))).await;
    given.finish(&first).await;
    connector
}

impl Given {
    async fn rehearse(&self, claim: &Claim, commits: Vec<Vec<Item>>) -> (RunStart, Rehearsed) {
        self.rehearse_within(claim, commits, LIMITS).await
    }

    async fn rehearse_within(
        &self,
        claim: &Claim,
        commits: Vec<Vec<Item>>,
        limits: SampleLimits,
    ) -> (RunStart, Rehearsed) {
        let (start, mut rehearsal) = self.store.rehearse(self.new_run(claim), limits).await.unwrap();
        for items in commits {
            assert!(rehearsal.apply(items).await.unwrap().add_up());
        }
        (start, rehearsal.end().await.unwrap())
    }

    /// What a run of the stream `s` would come to.
    async fn rehearsed(&self, connector: inlet_model::ConnectorId, items: Vec<Item>) -> RehearsedStream {
        let claim = self.claim(connector, &["s"]);
        self.rehearse(&claim, vec![items]).await.1.streams.remove(0)
    }

    /// The sweep of the stream `s`, when everything is approved and nothing that is asked for is there.
    async fn sweep_all(&self, claim: &Claim) {
        self.try_approve(claim, &["s"]).await.unwrap();
        let candidates = self.try_candidates(claim, "s", ALL).await.unwrap();
        assert!(self.sweep_absent(claim, "s", ALL, candidates).await.done);
    }
}
