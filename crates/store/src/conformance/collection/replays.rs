//! Replays: what a sync refused is read again, and nothing else.

use inlet_model::SyncId;
use serde_json::json;

use super::given::{Claim, Given, kind, name};
use super::items::{Line, WHOLE, complete, data_of, listing, put, stream_end};
use crate::StoreErrorKind;
use crate::collection::{Fence, Replay};

/// By a claim that is greater than all others.
fn replay_of(sync: &Claim) -> Replay {
    let fence = Fence(1_000_000);
    Replay { connector_id: sync.connector_id, fence, refused_by: sync.sync_id, pushed: false }
}

fn pushed(sync: &Claim) -> Replay {
    Replay { pushed: true, ..replay_of(sync) }
}

impl Given {
    async fn replay(&self, replay: Replay) -> Vec<String> {
        let streams = self.store.replay_rejected(replay).await.unwrap();
        streams.iter().map(ToString::to_string).collect()
    }

    /// A sync that has listed the scopes `good` and `bad` of two streams, and refused a record in `s`, `bad`.
    async fn refusing(&self) -> Claim {
        let sync = self.begun(self.connector(), &["s", "t"]).await;
        for (stream, scope) in [("s", "good"), ("s", "bad"), ("t", "bad")] {
            let mut lines = vec![put(if scope == "good" { 1 } else { 2 }, "a")];
            if (stream, scope) == ("s", "bad") {
                lines.push(Line::Refused);
            }
            let items = vec![
                listing(stream, scope),
                self.records(stream, scope, &lines),
                complete(stream, scope, json!("read")),
            ];
            self.commit(&sync, items).await;
        }
        self.commit(&sync, vec![stream_end("s"), stream_end("t")]).await;
        self.finish(&sync).await;
        sync
    }
}

/// The scopes in which records were refused are listed again, those beside them are not, and nothing is deleted.
pub async fn only_the_scopes_that_hold_refused_records_are_listed_again(given: Given) {
    let sync = given.refusing().await;
    for _ in 0..2 {
        assert_eq!(given.replay(replay_of(&sync)).await, ["s"]);
    }
    assert_eq!(given.ids("s").await, [1, 2]);
    let next = given.begun(sync.connector_id, &["s", "t"]).await;
    let bad = given.scope(&next, "s", "bad").await;
    assert_eq!((bad.cursor, bad.listed_by, bad.listing), (None, None, None));
    assert_eq!(given.cursor(&next, "s", "good").await, Some(json!("read")));
    assert_eq!(given.cursor(&next, "t", "bad").await, Some(json!("read")));
}

/// Where more was refused than is kept, all scopes of the stream are listed again.
pub async fn where_not_every_refusal_is_kept_all_scopes_are_listed_again(given: Given) {
    let sync = given.begun(given.connector(), &["s"]).await;
    let refused = vec![Line::Refused; 10_000];
    for (scope, lines) in [("first", &refused[..]), ("second", &refused[..1]), ("third", &[put(1, "a")])] {
        given.commit(&sync, vec![given.records_to("s", scope, lines, json!("read"))]).await;
    }
    given.finish(&sync).await;
    assert_eq!(given.replay(replay_of(&sync)).await, ["s"]);
    let next = given.begun(sync.connector_id, &["s"]).await;
    for scope in ["first", "second", "third"] {
        assert_eq!(given.cursor(&next, "s", scope).await, None, "{scope}");
    }
}

/// A pushed record that was refused is pushed again as it was, once.
pub async fn a_refused_push_is_pushed_again_once(given: Given) {
    let sync = given.begun(given.connector(), &["s", "t"]).await;
    let line = data_of(1, "pushed");
    let refused = [Line::RefusedPush(line.clone()), put(2, "a"), Line::RefusedPush(line.clone())];
    given.commit(&sync, vec![given.records_to("s", WHOLE, &refused, json!(7))]).await;
    given.finish(&sync).await;
    assert_eq!(given.replay(pushed(&sync)).await, ["s"]);
    let inbox = given.inbox(sync.connector_id).await;
    assert_eq!((inbox.len(), inbox[0].0.as_str(), inbox[0].1.len()), (1, "s", 1));
    let push = &inbox[0].1[0];
    assert_eq!(push.key_fields, ["id"]);
    assert_eq!(push.lines, [&line[..], b"\n", &line[..], b"\n"].concat());
    assert_eq!(given.replay(pushed(&sync)).await, [""; 0]);
    assert_eq!(given.inbox(sync.connector_id).await, inbox);
    let next = given.begun(sync.connector_id, &["s"]).await;
    assert_eq!(given.cursor(&next, "s", WHOLE).await, Some(json!(7)), "what was taken stays taken");
    assert_eq!(given.rejected(&sync).await.len(), 2, "what it has to tell stays");
}

/// A sync that refused nothing, that is another connector's or that never was leaves nothing to read again.
pub async fn where_nothing_was_refused_there_is_nothing_to_read_again(given: Given) {
    let sync = given.refusing().await;
    let other = given.begun(given.connector(), &["s"]).await;
    given.finish(&other).await;
    let unknown = Replay { refused_by: SyncId::from_u128(1), ..replay_of(&sync) };
    let foreign = Replay { connector_id: other.connector_id, ..replay_of(&sync) };
    for replay in [replay_of(&other), unknown, foreign, pushed(&sync)] {
        assert_eq!(given.replay(replay).await, [""; 0]);
    }
    let next = given.begun(sync.connector_id, &["s"]).await;
    assert_eq!(given.cursor(&next, "s", "bad").await, Some(json!("read")));
}

/// Only the newest claim prepares, and only before its run has begun: nothing is changed behind the back of a run, nor for a
/// connector that is closed. A run that was lost is in nobody's way.
pub async fn only_the_newest_claim_prepares_and_before_it_begins(given: Given) {
    let sync = given.refusing().await;
    let lost = given.begun(sync.connector_id, &["s"]).await;
    let newer = given.claim(sync.connector_id, &["s"]);
    let by = |claim: &Claim| Replay { fence: claim.fence, ..replay_of(&sync) };
    assert_eq!(kind(given.store.replay_rejected(by(&lost)).await), StoreErrorKind::Fenced);
    assert_eq!(given.cursor(&lost, "s", "bad").await, Some(json!("read")));
    assert_eq!(given.replay(by(&newer)).await, ["s"]);
    given.begin(&newer).await;
    assert_eq!(given.cursor(&newer, "s", "bad").await, None);
    assert_eq!(kind(given.store.replay_rejected(by(&newer)).await), StoreErrorKind::Fenced);
    given.store.close_connector(sync.connector_id).await.unwrap();
    assert_eq!(kind(given.store.replay_rejected(replay_of(&sync)).await), StoreErrorKind::Fenced);
}

/// What waits for a sweep is swept all the same, and then listed again.
pub async fn what_waits_for_a_sweep_is_swept_before_it_is_listed_again(given: Given) {
    let sync = given.begun(given.connector(), &["s"]).await;
    given.commit(&sync, vec![given.records("s", WHOLE, &[put(1, "gone"), put(2, "a")])]).await;
    let listed = [put(2, "a"), Line::Refused];
    let items =
        vec![listing("s", WHOLE), given.records("s", WHOLE, &listed), complete("s", WHOLE, json!("read"))];
    given.commit(&sync, items).await;
    given.finish(&sync).await;
    assert_eq!(given.replay(replay_of(&sync)).await, ["s"]);
    let next = given.begun(sync.connector_id, &["s"]).await;
    assert_eq!(given.unswept(&next).await, ["s"]);
    assert_eq!(given.sweep(&next, "s").await, 1);
    assert_eq!((given.ids("s").await, given.cursor(&next, "s", WHOLE).await), (vec![2], None));
    assert_eq!(given.run(&next).await.streams[0].name, name("s"));
}
