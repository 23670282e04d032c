//! Pushes: what is stored, what is refused, what is replayed.

use inlet_model::mask::Masking;
use inlet_model::{ConnectorId, Timestamp};

use super::given::{Given, name};
use super::items::inbox_taken;
use crate::StoreResult;
use crate::catalog::{Idempotent, StoredAnswer};
use crate::collection::{Push, PushEffect};

/// How long a key counts in these behaviours, in microseconds.
const KEPT: i64 = 1_000_000;

/// Pushes get strictly increasing places, in the order in which they were acknowledged, over all streams and connectors.
pub async fn pushes_get_increasing_places(given: Given) {
    let (one, two) = (given.connector(), given.connector());
    let mut last = 0;
    let mut given = given;
    for round in 0..4 {
        for (connector, stream) in [(one, "s"), (two, "s"), (one, "t")] {
            let seq = given.pushed(connector, stream, b"{}").await;
            assert!(seq > last, "round {round}");
            last = seq;
        }
        // A place is not used again when the inbox is empty.
        let sync = given.begun(one, &["s", "t"]).await;
        given.commit(&sync, vec![inbox_taken("s", last), inbox_taken("t", last)]).await;
        given = given.reopened().await;
    }
}

/// A push that would exceed what may wait for the connector is refused, and stores nothing.
pub async fn a_push_beyond_the_limit_is_refused(given: Given) {
    let connector = given.connector();
    let other = given.connector();
    let lines = vec![b'x'; 4_000];
    let push = async |connector: ConnectorId| {
        let push = Push { max_pending_bytes: 10_000, ..given.a_push(connector, "s", &lines) };
        given.store.push(push).await.unwrap()
    };
    let mut stored = Vec::new();
    for _ in 0..2 {
        match push(connector).await {
            PushEffect::Stored { seq } => stored.push(seq),
            other => panic!("there is room, but {other:?}"),
        }
    }
    let PushEffect::Full { pending_bytes } = push(connector).await else { panic!("there is no room") };
    assert!((8_000..=10_000).contains(&pending_bytes));
    assert_eq!(given.inbox(connector).await[0].1.len(), 2);
    // What waits for another connector does not count.
    assert!(matches!(push(other).await, PushEffect::Stored { .. }));
    // Once something is taken there is room again.
    let sync = given.begun(connector, &["s"]).await;
    given.commit(&sync, vec![inbox_taken("s", stored[0])]).await;
    assert!(matches!(push(connector).await, PushEffect::Stored { .. }));
    assert!(matches!(push(connector).await, PushEffect::Full { .. }));
}

/// All streams of a connector count together, also after a restart.
pub async fn the_limit_counts_all_streams_and_outlives_a_restart(given: Given) {
    let connector = given.connector();
    let lines = vec![b'x'; 4_000];
    given.pushed(connector, "s", &lines).await;
    given.pushed(connector, "t", &lines).await;
    let given = given.reopened().await;
    let push = Push { max_pending_bytes: 10_000, ..given.a_push(connector, "u", &lines) };
    assert!(matches!(given.store.push(push).await.unwrap(), PushEffect::Full { .. }));
    assert_eq!(given.inbox(connector).await.len(), 2);
}

/// A push that alone is too much is refused.
pub async fn a_push_that_alone_is_too_much_is_refused(given: Given) {
    let connector = given.connector();
    let push = Push { max_pending_bytes: 100, ..given.a_push(connector, "s", &[b'x'; 101]) };
    assert_eq!(given.store.push(push).await.unwrap(), PushEffect::Full { pending_bytes: 0 });
    assert_eq!(given.inbox(connector).await, []);
}

/// The same request again gets the first answer, and stores nothing; after a restart too.
pub async fn a_repeated_push_gets_the_first_answer(given: Given) {
    let connector = given.connector();
    let first = given.idempotent(1, 1);
    let answer = first.answer.clone();
    assert!(matches!(given.push_with(connector, first).await, PushEffect::Stored { .. }));
    let mut given = given;
    for _ in 0..2 {
        let mut again = given.idempotent(1, 1);
        again.answer.body = b"another".to_vec();
        assert_eq!(given.push_with(connector, again).await, PushEffect::Replayed(answer.clone()));
        assert_eq!(given.inbox(connector).await[0].1.len(), 1);
        given = given.reopened().await;
    }
}

/// Another request with the key is a mismatch, and stores nothing.
pub async fn another_push_with_the_key_is_a_mismatch(given: Given) {
    let connector = given.connector();
    given.push_with(connector, given.idempotent(1, 1)).await;
    assert_eq!(given.push_with(connector, given.idempotent(1, 2)).await, PushEffect::Mismatch);
    assert_eq!(given.inbox(connector).await[0].1.len(), 1);
    assert!(matches!(given.push_with(connector, given.idempotent(2, 2)).await, PushEffect::Stored { .. }));
    assert_eq!(given.inbox(connector).await[0].1.len(), 2);
}

/// The record of a key outlives the push in the inbox.
pub async fn a_push_that_was_taken_is_still_known(given: Given) {
    let connector = given.connector();
    let PushEffect::Stored { seq } = given.push_with(connector, given.idempotent(1, 1)).await else {
        panic!("the key is new")
    };
    let sync = given.begun(connector, &["s"]).await;
    given.commit(&sync, vec![inbox_taken("s", seq)]).await;
    assert!(matches!(given.push_with(connector, given.idempotent(1, 1)).await, PushEffect::Replayed(_)));
    assert_eq!(given.inbox(connector).await, []);
}

/// A key that has expired does not count, and is recorded anew.
pub async fn an_expired_key_is_recorded_anew(given: Given) {
    let connector = given.connector();
    given.push_with(connector, given.idempotent(1, 1)).await;
    let later = Timestamp::from_micros(given.now().as_micros() + 2 * KEPT);
    let late = |request: u8| Idempotent {
        now: later,
        expired_before: Timestamp::from_micros(later.as_micros() - KEPT),
        ..given.idempotent(1, request)
    };
    assert!(matches!(given.push_with(connector, late(2)).await, PushEffect::Stored { .. }));
    assert!(matches!(given.push_with(connector, late(2)).await, PushEffect::Replayed(_)));
    assert_eq!(given.push_with(connector, late(1)).await, PushEffect::Mismatch);
    assert_eq!(given.inbox(connector).await[0].1.len(), 2);
}

/// The key is looked up first: a repeated push is answered though there is no room.
pub async fn a_repeated_push_is_answered_though_there_is_no_room(given: Given) {
    let connector = given.connector();
    given.push_with(connector, given.idempotent(1, 1)).await;
    let full = |idempotent| Push {
        max_pending_bytes: 1,
        idempotent: Some(idempotent),
        ..given.a_push(connector, "s", b"{}")
    };
    let again = given.store.push(full(given.idempotent(1, 1))).await.unwrap();
    assert!(matches!(again, PushEffect::Replayed(_)));
    assert_eq!(given.store.push(full(given.idempotent(1, 2))).await.unwrap(), PushEffect::Mismatch);
}

/// A push that was refused leaves its key free: it may be done when there is room.
pub async fn a_refused_push_leaves_its_key_free(given: Given) {
    let connector = given.connector();
    let idempotent = given.idempotent(1, 1);
    let push = Push {
        max_pending_bytes: 1,
        idempotent: Some(idempotent.clone()),
        ..given.a_push(connector, "s", b"{}")
    };
    assert!(matches!(given.store.push(push).await.unwrap(), PushEffect::Full { .. }));
    assert!(matches!(given.push_with(connector, idempotent).await, PushEffect::Stored { .. }));
}

/// Of many pushes at once with one key, one is stored, and the others get its answer.
pub async fn of_parallel_pushes_with_one_key_one_is_stored(given: Given) {
    let connector = given.connector();
    let mut pushes = tokio::task::JoinSet::new();
    for _ in 0..50 {
        let store = std::sync::Arc::clone(&given.store);
        let idempotent = Some(given.idempotent(1, 1));
        let push = Push { idempotent, ..given.a_push(connector, "s", b"{}") };
        pushes.spawn(async move { store.push(push).await.unwrap() });
    }
    let effects = pushes.join_all().await;
    let stored = effects.iter().filter(|effect| matches!(effect, PushEffect::Stored { .. })).count();
    let replayed = effects.iter().filter(|effect| matches!(effect, PushEffect::Replayed(_))).count();
    assert_eq!((stored, replayed), (1, 49));
    assert_eq!(given.inbox(connector).await[0].1.len(), 1);
}

impl Given {
    /// A push that nothing is in the way of.
    pub(super) fn a_push(&self, connector_id: ConnectorId, stream: &str, lines: &[u8]) -> Push {
        Push {
            connector_id,
            stream: name(stream),
            key_fields: vec!["id".to_owned()],
            masking: Masking::default(),
            lines: lines.to_vec(),
            count: 1,
            now: self.now(),
            max_pending_bytes: 1 << 30,
            idempotent: None,
        }
    }

    pub(super) async fn try_push(
        &self,
        connector_id: ConnectorId,
        stream: &str,
        lines: &[u8],
    ) -> StoreResult<PushEffect> {
        self.store.push(self.a_push(connector_id, stream, lines)).await
    }

    /// The place of a push that was stored.
    pub(super) async fn pushed(&self, connector_id: ConnectorId, stream: &str, lines: &[u8]) -> u64 {
        match self.try_push(connector_id, stream, lines).await.unwrap() {
            PushEffect::Stored { seq } => seq,
            other => panic!("nothing is in the way, but {other:?}"),
        }
    }

    async fn push_with(&self, connector_id: ConnectorId, idempotent: Idempotent) -> PushEffect {
        let push = Push { idempotent: Some(idempotent), ..self.a_push(connector_id, "s", b"{}") };
        self.store.push(push).await.unwrap()
    }

    /// The use of an idempotency key: equal `key`s are one key, equal `request`s one request.
    fn idempotent(&self, key: u8, request: u8) -> Idempotent {
        let now = self.now();
        Idempotent {
            scope: [key; 32],
            fingerprint: [request; 32],
            answer: StoredAnswer {
                status: 202,
                location: Some(format!("/v1/pushes/{key}")),
                body: vec![b'{', request, 0, 255, b'}'],
            },
            now,
            expired_before: Timestamp::from_micros(now.as_micros() - KEPT),
        }
    }
}
