//! Readers of a feed of which a part is gone: none misses a delete in silence.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use inlet_model::{Change, ConnectorId, StreamName};

use super::given::Given;
use super::items::{WHOLE, gone, put, puts};
use super::seen::ALL;
use super::upkeep::{HISTORY, synced};
use crate::collection::{ChangeCursor, ChangePage, UpkeepProgress};

/// What a consumer holds: by stream, key and connector the change that it knows of the record.
pub(super) type Held = BTreeMap<(StreamName, Vec<u8>, ConnectorId), u64>;

/// Does what the docs tell a consumer to do: created and updated are one.
pub(super) fn apply(held: &mut Held, changes: &[Change]) {
    for change in changes {
        let place = (change.stream.clone(), change.key.clone(), change.connector_id);
        match change.data {
            Some(_) => held.insert(place, change.change),
            None => held.remove(&place),
        };
    }
}

impl Given {
    /// What a consumer holds that reads the feed from its beginning.
    pub(super) async fn replayed(&self) -> Held {
        let mut held = Held::new();
        apply(&mut held, &self.feed().await);
        held
    }

    /// What the collection holds, as a consumer would.
    pub(super) async fn present(&self) -> Held {
        let records = self.all_records().await.into_iter();
        records.map(|it| ((it.stream, it.key, it.connector_id), it.change)).collect()
    }

    async fn changes_from(&self, cursor: ChangeCursor, limit: usize) -> ChangePage {
        self.store.changes(cursor, limit, ALL).await.unwrap()
    }
}

/// Wherever a consumer has come to before the upkeep: either it is told that it has to begin again, or what it is given
/// makes what it holds the records. It is told exactly if it is behind the last change that let something go.
pub async fn a_reader_anywhere_misses_nothing_or_is_told_so(given: Given) {
    let connector = given.connector();
    synced(&given, connector, puts(1..=20, "a")).await;
    synced(&given, connector, vec![gone(1), put(2, "b"), gone(3)]).await;
    synced(&given, connector, puts(21..=24, "a")).await;
    given.wait(2 * HISTORY);
    synced(&given, connector, vec![gone(4), put(5, "b"), put(1, "again"), gone(6)]).await;
    let before = given.feed().await;
    given.upkeep(HISTORY).await;
    // The first sync made 20 changes, the second three, of which the last is a delete.
    let compacted_through = 23;
    let mut held = Held::new();
    for after in 0..=before.len() {
        apply(&mut held, &before[after.saturating_sub(1)..after]);
        let after = after as u64;
        match given.changes_from(ChangeCursor::behind(after), ALL).await {
            ChangePage::Expired { compacted_through: told } => {
                assert_eq!(told, compacted_through);
                assert!((1..compacted_through).contains(&after), "{after}");
            }
            ChangePage::Changes { changes, next } => {
                assert!(after == 0 || after >= compacted_through, "{after}");
                let mut held = held.clone();
                apply(&mut held, &changes);
                assert_eq!(held, given.present().await, "from {after}");
                assert!(changes.iter().all(|change| change.change > after));
                assert_eq!(next.after, before.len() as u64);
            }
        }
    }
}

/// The pages of the present state go on from one another, though they are behind what has gone.
pub async fn a_reader_that_began_at_the_beginning_reads_on_to_the_end(given: Given) {
    let connector = given.connector();
    synced(&given, connector, puts(1..=30, "a")).await;
    synced(&given, connector, (11..=30).map(gone).collect()).await;
    given.wait(2 * HISTORY);
    given.upkeep(HISTORY).await;
    let (mut held, mut cursor) = (Held::new(), ChangeCursor::START);
    for page_number in 0.. {
        let ChangePage::Changes { changes, next } = given.changes_from(cursor, 3).await else {
            panic!("page {page_number} has expired")
        };
        apply(&mut held, &changes);
        cursor = next;
        if changes.len() < 3 {
            break;
        }
        // What comes meanwhile, and what it supersedes, expires nothing as long as it is young.
        synced(&given, connector, vec![put(1, &page_number.to_string()), gone(2 + page_number)]).await;
        given.upkeep(HISTORY).await;
        assert!(page_number < 20, "the pages do not end");
    }
    assert_eq!(held, given.present().await);
    // At the end it is as far as everybody, though the last changes before are gone.
    given.wait(2 * HISTORY);
    given.upkeep(HISTORY).await;
    assert!(
        matches!(given.changes_from(cursor, 3).await, ChangePage::Changes { changes, .. } if changes.is_empty())
    );
}

/// A delete that went while it read, of a record that it was given, is no secret to it.
pub async fn a_reader_that_began_at_the_beginning_is_told_of_what_went_meanwhile(given: Given) {
    let connector = given.connector();
    synced(&given, connector, puts(1..=10, "a")).await;
    synced(&given, connector, vec![gone(10)]).await;
    given.wait(2 * HISTORY);
    given.upkeep(HISTORY).await;
    let ChangePage::Changes { changes, next } = given.changes_from(ChangeCursor::START, 5).await else {
        panic!("the beginning never expires")
    };
    assert_eq!((changes.len(), next), (5, ChangeCursor { after: 5, floor: 11 }));
    synced(&given, connector, vec![gone(1)]).await;
    given.wait(2 * HISTORY);
    given.upkeep(HISTORY).await;
    assert_eq!(given.changes_from(next, 5).await, ChangePage::Expired { compacted_through: 12 });
    assert_eq!(given.replayed().await, given.present().await);
}

/// One that follows beside commits and upkeep, and begins again when it is told to, ends with the records.
pub async fn a_reader_that_follows_beside_commits_and_upkeep_holds_the_records(given: Given) {
    const ROUNDS: i64 = 40;
    let given = Arc::new(given);
    let sync = given.begun(given.connector(), &["s"]).await;
    let writer = tokio::spawn({
        let (given, sync) = (Arc::clone(&given), sync.clone());
        async move {
            for round in 0..ROUNDS {
                let mut lines = puts(round..round + 20, &round.to_string());
                lines.extend((round - 5..round).map(gone));
                given.commit(&sync, vec![given.records("s", WHOLE, &lines)]).await;
            }
        }
    });
    let keeper = tokio::spawn({
        let given = Arc::clone(&given);
        async move {
            for _ in 0..ROUNDS {
                while given.upkeep_step(Duration::from_micros(8), 64).await == UpkeepProgress::More {}
                tokio::task::yield_now().await;
            }
        }
    });
    let (mut held, mut cursor) = (Held::new(), ChangeCursor::START);
    loop {
        let through = writer.is_finished() && keeper.is_finished();
        match given.changes_from(cursor, 33).await {
            ChangePage::Expired { .. } => (held, cursor) = (Held::new(), ChangeCursor::START),
            ChangePage::Changes { changes, next } => {
                apply(&mut held, &changes);
                cursor = next;
                if through && changes.len() < 33 {
                    break;
                }
            }
        }
        tokio::task::yield_now().await;
    }
    writer.await.unwrap();
    keeper.await.unwrap();
    assert_eq!(held, given.present().await);
    assert_eq!(held.len(), 20);
}
