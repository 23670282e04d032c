//! The format of blocks: what goes in comes out, and nothing else does.

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

/// An entry that owns what it holds.
#[derive(Debug, Clone, PartialEq)]
struct Owned {
    head: EntryHead,
    origin: Origin,
    key: Vec<u8>,
    data: Vec<u8>,
}

impl Owned {
    fn borrowed(&self) -> BlockEntry<'_> {
        BlockEntry { head: self.head, origin: self.origin, key: &self.key, data: &self.data }
    }
}

fn origin(sync: u128, at: i64) -> Origin {
    Origin { sync_id: (sync > 0).then(|| SyncId::from_u128(sync)), at: Timestamp::from_micros(at) }
}

prop_compose! {
    fn entry()(
        step in 1_u64..1 << 40,
        op in prop::sample::select(vec![ChangeOp::Created, ChangeOp::Updated, ChangeOp::Deleted]),
        (stream, scope) in any::<(u32, u32)>(),
        created_us: i64,
        superseded in prop::option::of(0_u64..=u64::MAX),
        origin in prop::sample::select(vec![origin(1, 5), origin(0, 5), origin(u128::MAX, i64::MIN), origin(7, i64::MAX)]),
        key in vec(any::<u8>(), 0..40),
        data in vec(any::<u8>(), 0..200),
    ) -> Owned {
        // The change holds the step for now; `numbered` makes it a number.
        let head = EntryHead {
            change: step, op, stream: StreamId(stream), scope: ScopeId(scope), created_us, previous: superseded.unwrap_or(0),
        };
        Owned { head, origin, key, data }
    }
}

fn numbered(mut entries: Vec<Owned>) -> Vec<Owned> {
    let mut change = 0;
    for entry in &mut entries {
        change += entry.head.change;
        entry.head.change = change;
        entry.head.previous %= change;
    }
    entries
}

fn encode(entries: &[Owned]) -> Vec<u8> {
    let mut encoder = BlockEncoder::new().unwrap();
    for entry in entries {
        encoder.push(&entry.borrowed());
    }
    let EncodedBlock { first_change, last_change, count, stored } = encoder.finish().unwrap();
    assert_eq!(Some(first_change), entries.first().map(|entry| entry.head.change));
    assert_eq!(Some(last_change), entries.last().map(|entry| entry.head.change));
    assert_eq!(count, entries.len());
    stored
}

/// Bytes with a checksum that fits, so that the decoder looks at them.
fn sealed(first_change: u64, mut body: Vec<u8>) -> Vec<u8> {
    let sum = checksum(first_change, &body);
    body.extend_from_slice(&sum.to_le_bytes());
    body
}

proptest! {
    #[test]
    fn entries_survive(entries in vec(entry(), 1..40).prop_map(numbered)) {
        let first = entries[0].head.change;
        let stored = encode(&entries);
        let block = Block::decode(first, &stored).unwrap();
        prop_assert_eq!(block.len(), entries.len());
        for (index, entry) in entries.iter().enumerate() {
            prop_assert_eq!(block.entry(index), entry.borrowed());
            prop_assert_eq!(block.find(entry.head.change), Some(entry.borrowed()));
            prop_assert_eq!(block.first_after(entry.head.change), index + 1);
        }
        prop_assert_eq!(block.first_after(first - 1), 0);
    }

    #[test]
    fn any_damage_is_noticed(
        entries in vec(entry(), 1..10).prop_map(numbered),
        at: prop::sample::Index,
        flip in 1_u8..,
    ) {
        let first = entries[0].head.change;
        let mut stored = encode(&entries);
        let at = at.index(stored.len());
        stored[at] ^= flip;
        prop_assert!(Block::decode(first, &stored).is_err());
        prop_assert!(Block::decode(first, &stored[..at]).is_err());
    }

    #[test]
    fn no_bytes_make_it_panic(first: u64, bytes in vec(any::<u8>(), 0..300)) {
        let _ = Block::decode(first, &bytes);
        let _ = Block::decode(first, &sealed(first, bytes.clone()));
        for codec in [CODEC_RAW, CODEC_ZSTD] {
            let mut body = vec![VERSION, codec];
            body.extend_from_slice(&bytes);
            let _ = Block::decode(first, &sealed(first, body));
        }
    }

    /// The checksum put right again, and no compression in the way: the damage reaches the parser.
    #[test]
    fn no_damaged_payload_makes_it_panic(
        entries in vec(entry(), 1..10).prop_map(numbered),
        damage in vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        cut: prop::sample::Index,
    ) {
        let first = entries[0].head.change;
        let stored = encode(&entries);
        let mut payload = payload_of(&stored);
        for (at, byte) in damage {
            let at = at.index(payload.len());
            payload[at] = byte;
        }
        for payload in [&payload[..], &payload[..cut.index(payload.len())]] {
            let mut body = vec![VERSION, CODEC_RAW];
            varint::put(&mut body, entries.len() as u64);
            varint::put(&mut body, payload.len() as u64);
            body.extend_from_slice(payload);
            if let Ok(block) = Block::decode(first, &sealed(first, body)) {
                for index in 0..block.len() {
                    block.entry(index);
                }
            }
        }
    }
}

/// The payload of a stored block.
fn payload_of(stored: &[u8]) -> Vec<u8> {
    let mut rest = &stored[2..stored.len() - CHECKSUM_LEN];
    varint::take(&mut rest).unwrap();
    let len = varint::take(&mut rest).unwrap() as usize;
    match stored[1] {
        CODEC_RAW => rest.to_vec(),
        _ => zstd::bulk::decompress(rest, len).unwrap(),
    }
}

fn plain(change: u64, data: &[u8]) -> Owned {
    let head = EntryHead {
        change,
        op: ChangeOp::Created,
        stream: StreamId(1),
        scope: ScopeId::WHOLE,
        created_us: 5_000,
        previous: 0,
    };
    Owned { head, origin: origin(9, 5_000), key: change.to_be_bytes().to_vec(), data: data.to_vec() }
}

#[test]
fn a_block_in_the_place_of_another_is_not_read() {
    let stored = encode(&[plain(7, b"{}"), plain(8, b"{}")]);
    assert!(Block::decode(7, &stored).is_ok());
    assert_eq!(Block::decode(8, &stored).unwrap_err(), BlockError::Checksum);
}

#[test]
fn a_newer_version_is_told_from_damage() {
    let mut stored = encode(&[plain(7, b"{}")]);
    stored[0] = VERSION + 1;
    assert_eq!(Block::decode(7, &stored).unwrap_err(), BlockError::Newer(VERSION + 1));
    stored[0] = 0;
    assert!(matches!(Block::decode(7, &stored), Err(BlockError::Malformed(_))));
}

#[test]
fn what_does_not_compress_is_stored_as_it_is() {
    let mut noise = vec![0; 4096];
    inlet_model::Entropy::fill(&inlet_model::SeededEntropy::new(1), &mut noise);
    let stored = encode(&[plain(1, &noise)]);
    assert_eq!(stored[1], CODEC_RAW);
    assert_eq!(Block::decode(1, &stored).unwrap().entry(0).data, noise);
    let stored = encode(&[plain(1, &[b'a'; 4096])]);
    assert_eq!(stored[1], CODEC_ZSTD);
    assert!(stored.len() < 200);
}

#[test]
fn a_block_is_full_by_count_or_by_bytes() {
    let mut encoder = BlockEncoder::new().unwrap();
    for change in 1..=512 {
        assert!(!encoder.is_full());
        encoder.push(&plain(change, b"{}").borrowed());
    }
    assert!(encoder.is_full());
    encoder.clear();
    assert!(encoder.is_empty());
    encoder.push(&plain(1, &vec![b'a'; 300 << 10]).borrowed());
    assert!(encoder.is_full());
}

#[test]
fn a_claimed_length_is_not_believed() {
    let mut body = vec![VERSION, CODEC_ZSTD];
    varint::put(&mut body, 1);
    varint::put(&mut body, u64::MAX);
    assert_eq!(Block::decode(1, &sealed(1, body)).unwrap_err(), BlockError::Malformed("it is too large"));
}

#[test]
fn version_1_is_pinned() {
    let mut updated = plain(9, b"{\"id\":2}");
    updated.head = EntryHead {
        op: ChangeOp::Updated,
        scope: ScopeId(3),
        created_us: 4_000,
        previous: 2,
        ..updated.head
    };
    updated.origin = origin(10, 6_000);
    let mut deleted = plain(300, b"");
    deleted.head = EntryHead { op: ChangeOp::Deleted, stream: StreamId(200), previous: 7, ..deleted.head };
    let stored = encode(&[plain(7, b"{\"id\":1}"), updated, deleted]);
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    insta::assert_snapshot!(hex(&payload_of(&stored)), @"020000000000000000000000000000000988130000000000000000000000000000000000000000000a70170000000000000000010000000008080201010301a01f070808a30202c801000000a502080000000000000000070000000000000009000000000000012c7b226964223a317d7b226964223a327d");
    insta::assert_snapshot!(hex(&stored), @"0101037828b52ffd20785d0200d4030200098813000a701700010000000008080201010301a01f070808a30202c801000000a502080007000900012c7b226964223a317d7b226964223a327d061000020f5c7619a1898c0518547a9e04f6f18f");
}
