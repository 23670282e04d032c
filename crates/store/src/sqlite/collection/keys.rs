//! The key table: for each live record its hash, the change that made it what it is, its creation and its scope.
//!
//! It is ordered by stream and then by key: a stream's number in front, in an encoding that keeps the order of numbers.

use std::borrow::Cow;
use std::ops::Range;

use inlet_model::HASH_LEN;
use inlet_model::key::{STORAGE_KEY_MAX, storage_key};
use rusqlite::{CachedStatement, Connection, params};

use super::block::{ScopeId, StreamId};
use super::error::{Outcome, Trouble};

/// Stream numbers below this are one byte; others are this and how many bytes follow, then those, big-endian.
const LONG_STREAM: u8 = 0xf0;

/// A row of the key table but for its key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct KeyRow {
    pub(super) hash: [u8; HASH_LEN],
    pub(super) change: u64,
    pub(super) created_us: i64,
    pub(super) scope: ScopeId,
}

/// Appends the stream's number as the key table has it.
pub(super) fn push_stream(out: &mut Vec<u8>, stream: u64) {
    if stream < u64::from(LONG_STREAM) {
        out.push(stream as u8);
    } else {
        let bytes = stream.to_be_bytes();
        let skipped = (stream.leading_zeros() / 8) as usize;
        out.push(LONG_STREAM + (bytes.len() - skipped) as u8);
        out.extend_from_slice(&bytes[skipped..]);
    }
}

/// Appends the key under which the key table files a record.
pub(super) fn push_filed(out: &mut Vec<u8>, stream: StreamId, key: &[u8]) {
    push_stream(out, u64::from(stream.0));
    out.extend_from_slice(&storage_key(key));
}

/// The key under which the key table files a record.
pub(super) fn filed(stream: StreamId, key: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(key.len() + 5);
    push_filed(&mut out, stream, key);
    out
}

/// All keys that a stream may have in the key table.
pub(super) fn range_of(stream: StreamId) -> Range<Vec<u8>> {
    let (mut start, mut end) = (Vec::new(), Vec::new());
    push_stream(&mut start, u64::from(stream.0));
    push_stream(&mut end, u64::from(stream.0) + 1);
    start..end
}

/// The stream, and the key within it.
pub(super) fn split(filed: &[u8]) -> Option<(StreamId, &[u8])> {
    let (&first, rest) = filed.split_first()?;
    if first < LONG_STREAM {
        return Some((StreamId(u32::from(first)), rest));
    }
    let (number, key) = rest.split_at_checked(usize::from(first - LONG_STREAM))?;
    let number = number.iter().try_fold(0_u32, |sum, byte| Some(sum.checked_mul(256)? + u32::from(*byte)))?;
    Some((StreamId(number), key))
}

/// The record's whole key, if the key table has it: a very long one stands only in its block.
pub(super) fn whole_key(filed: &[u8]) -> Option<&[u8]> {
    split(filed).map(|(_, key)| key).filter(|key| key.len() < STORAGE_KEY_MAX)
}

/// Reads the row that starts at column `at`.
pub(super) fn read_row(row: &rusqlite::Row<'_>, at: usize) -> Outcome<KeyRow> {
    let mut hash = [0; HASH_LEN];
    // A hash of another length is another algorithm's: it equals none, and the record counts as changed.
    if let Ok(stored) =
        <&[u8; HASH_LEN]>::try_from(row.get_ref(at)?.as_blob().map_err(rusqlite::Error::from)?)
    {
        hash = *stored;
    }
    Ok(KeyRow {
        hash,
        change: u64::try_from(row.get::<_, i64>(at + 1)?)
            .map_err(|_| Trouble::Damaged("a change is below zero"))?,
        created_us: row.get(at + 2)?,
        scope: ScopeId(row.get(at + 3)?),
    })
}

/// The row of a key.
pub(super) fn get(connection: &Connection, filed: &[u8]) -> Outcome<Option<KeyRow>> {
    let mut statement =
        connection.prepare_cached("SELECT hash, change, created, scope FROM keys WHERE k = ?1")?;
    let mut rows = statement.query(params![filed])?;
    rows.next()?.map(|row| read_row(row, 0)).transpose()
}

/// Looks up `filed`, which come in order, and gives each key's row, or `None`, to `each`.
///
/// To step to the next row costs a small part of finding one from the root, so where keys asked for lie close together
/// the table is stepped through, and where they lie far apart each is sought. Which it is, is learned on the way.
pub(super) fn look_up<'k>(
    connection: &Connection,
    filed: impl Iterator<Item = &'k [u8]>,
    mut each: impl FnMut(Option<KeyRow>) -> Outcome<()>,
) -> Outcome<()> {
    let mut statement = connection
        .prepare_cached("SELECT k, hash, change, created, scope FROM keys WHERE k >= ?1 ORDER BY k")?;
    let mut filed = filed.peekable();
    let mut patience = Patience::new();
    while let Some(sought) = filed.peek() {
        let mut rows = statement.query(params![sought])?;
        let mut steps = 0;
        let allowed = patience.steps();
        // Steps while the next row is not too far, then seeks anew.
        while steps <= allowed {
            let Some(row) = rows.next()? else {
                // There is no row from here on.
                return filed.try_for_each(|_| each(None));
            };
            let at = row.get_ref(0)?.as_blob().map_err(rusqlite::Error::from)?;
            while filed.next_if(|sought| *sought < at).is_some() {
                each(None)?;
                patience.reward(steps);
                steps = 0;
            }
            if filed.next_if(|sought| *sought == at).is_some() {
                each(Some(read_row(row, 1)?))?;
                patience.reward(steps);
                steps = 0;
            }
            if filed.peek().is_none() {
                return Ok(());
            }
            steps += 1;
        }
        patience.punish();
    }
    Ok(())
}

/// How many rows to step over before a key is sought from the root.
struct Patience {
    steps: u32,
    seeks: u32,
}

impl Patience {
    const MOST: u32 = 16;
    /// Even where stepping has not paid for long, it is tried again at every so many seeks.
    const TRIED_AGAIN: u32 = 64;

    fn new() -> Self {
        Self { steps: Self::MOST, seeks: 0 }
    }

    fn steps(&mut self) -> u32 {
        self.seeks += 1;
        if self.seeks.is_multiple_of(Self::TRIED_AGAIN) { Self::MOST } else { self.steps }
    }

    fn reward(&mut self, steps: u32) {
        if steps > 0 {
            self.steps = (self.steps + 1).min(Self::MOST);
        }
    }

    fn punish(&mut self) {
        self.steps /= 2;
    }
}

/// Rows written by one statement: to begin and end one costs as much as to write a row.
const ROWS: usize = 16;

/// Writes the rows of `filed`, which come in order; `None` removes one that is there.
pub(super) fn write<'k>(
    connection: &Connection,
    filed: impl Iterator<Item = (&'k [u8], Option<KeyRow>)>,
) -> Outcome<()> {
    let mut delete = connection.prepare_cached("DELETE FROM keys WHERE k = ?1")?;
    let mut many = connection.prepare_cached(&put_sql(ROWS))?;
    let mut pending = Vec::with_capacity(ROWS);
    for (key, row) in filed {
        match row {
            Some(row) => pending.push((key, row)),
            None if delete.execute(params![key])? == 1 => {}
            None => return Err(Trouble::Damaged("a row of the key table has gone")),
        }
        if pending.len() == ROWS {
            put(&mut many, &pending)?;
            pending.clear();
        }
    }
    let mut one = connection.prepare_cached(&put_sql(1))?;
    pending.chunks(1).try_for_each(|row| put(&mut one, row))
}

/// Replacing a row by one of the same length writes it in place, which an `UPDATE` would not: that is three times as slow.
fn put_sql(rows: usize) -> String {
    let values = vec!["(?, ?, ?, ?, ?)"; rows].join(", ");
    format!("REPLACE INTO keys (k, hash, change, created, scope) VALUES {values}")
}

fn put(statement: &mut CachedStatement<'_>, rows: &[(&[u8], KeyRow)]) -> Outcome<()> {
    for (at, (key, row)) in (1..).step_by(5).zip(rows) {
        statement.raw_bind_parameter(at, key)?;
        statement.raw_bind_parameter(at + 1, row.hash)?;
        statement.raw_bind_parameter(at + 2, row.change as i64)?;
        statement.raw_bind_parameter(at + 3, row.created_us)?;
        statement.raw_bind_parameter(at + 4, row.scope.0)?;
    }
    statement.raw_execute()?;
    Ok(())
}

/// The key as a caller sees it: whole if the key table has it whole, else as `in_block` finds it.
pub(super) fn restore_key<'k>(
    filed: &'k [u8],
    in_block: impl FnOnce() -> Outcome<Vec<u8>>,
) -> Outcome<Cow<'k, [u8]>> {
    match whole_key(filed) {
        Some(key) => Ok(Cow::Borrowed(key)),
        None => in_block().map(Cow::Owned),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use proptest::collection::{btree_map, btree_set, vec};
    use proptest::prelude::*;

    use super::*;

    fn empty_table() -> Connection {
        let connection = Connection::open_in_memory().unwrap();
        connection.execute_batch(include_str!("migrations/v1.sql")).unwrap();
        connection
    }

    fn row(change: u64) -> KeyRow {
        KeyRow { hash: [1; HASH_LEN], change, created_us: -1, scope: ScopeId(3) }
    }

    fn write_all(connection: &Connection, rows: &BTreeMap<Vec<u8>, Option<KeyRow>>) -> Outcome<()> {
        write(connection, rows.iter().map(|(key, row)| (key.as_slice(), *row)))
    }

    /// Short keys of few letters, so that they lie close and meet often; and some that lie far apart.
    fn key() -> impl Strategy<Value = Vec<u8>> {
        prop_oneof![vec(0_u8..3, 1..6), vec(any::<u8>(), 1..4)]
    }

    proptest! {
        #[test]
        fn looking_up_in_order_finds_what_each_look_finds(
            there in btree_set(key(), 0..300),
            sought in btree_set(key(), 0..300),
        ) {
            let connection = empty_table();
            let rows = there.iter().zip(1..).map(|(key, change)| (key.clone(), Some(row(change)))).collect();
            write_all(&connection, &rows).unwrap();
            let mut found = Vec::new();
            look_up(&connection, sought.iter().map(Vec::as_slice), |row| { found.push(row); Ok(()) }).unwrap();
            let one_by_one: Vec<_> = sought.iter().map(|key| get(&connection, key).unwrap()).collect();
            let expected: Vec<_> = sought.iter().map(|key| rows.get(key).copied().flatten()).collect();
            prop_assert_eq!(&found, &expected);
            prop_assert_eq!(one_by_one, expected);
        }

        #[test]
        fn rows_are_what_was_last_written(
            before in btree_set(key(), 0..100),
            after in btree_map(key(), any::<bool>(), 0..100),
        ) {
            let connection = empty_table();
            write_all(&connection, &before.iter().map(|key| (key.clone(), Some(row(1)))).collect()).unwrap();
            // Only what is there is removed.
            let changes: BTreeMap<_, _> = after
                .into_iter()
                .map(|(key, stays)| (key.clone(), (stays || !before.contains(&key)).then(|| row(2))))
                .collect();
            write_all(&connection, &changes).unwrap();
            let all: BTreeSet<_> = before.iter().chain(changes.keys()).cloned().collect();
            for key in all {
                let expected = changes.get(&key).copied().unwrap_or(Some(row(1)));
                prop_assert_eq!(get(&connection, &key).unwrap(), expected);
            }
        }

        #[test]
        fn streams_keep_their_order(one in 0..=u32::MAX, other in 0..=u32::MAX, key in proptest::collection::vec(any::<u8>(), 0..4)) {
            let (one_filed, other_filed) = (filed(StreamId(one), &key), filed(StreamId(other), &key));
            prop_assert_eq!(one.cmp(&other), one_filed.cmp(&other_filed));
            prop_assert!(range_of(StreamId(one)).contains(&one_filed));
            prop_assert_eq!(range_of(StreamId(one)).contains(&other_filed), one == other);
            prop_assert_eq!(split(&one_filed), Some((StreamId(one), key.as_slice())));
            prop_assert_eq!(whole_key(&one_filed), Some(key.as_slice()));
        }
    }

    #[test]
    fn the_first_streams_cost_one_byte() {
        assert_eq!(filed(StreamId(1), b"k"), [1, b'k']);
        assert_eq!(filed(StreamId(239), b""), [239]);
        assert_eq!(filed(StreamId(240), b""), [0xf1, 240]);
        assert_eq!(filed(StreamId(256), b""), [0xf2, 1, 0]);
    }

    #[test]
    fn what_is_no_filed_key_is_not_taken_apart() {
        assert_eq!(split(b""), None);
        assert_eq!(split(&[0xf2, 1]), None);
        assert_eq!(split(&[0xf5, 1, 0, 0, 0, 0]), None);
    }

    #[test]
    fn a_row_that_has_gone_is_noticed() {
        let gone = BTreeMap::from([(vec![1], None)]);
        assert!(matches!(write_all(&empty_table(), &gone), Err(Trouble::Damaged(_))));
    }

    #[test]
    fn a_very_long_key_is_not_whole() {
        let key = vec![b'k'; 5000];
        assert_eq!(whole_key(&filed(StreamId(7), &key)), None);
        assert_eq!(whole_key(&filed(StreamId(7), &key[..1000])), Some(&key[..1000]));
    }
}
