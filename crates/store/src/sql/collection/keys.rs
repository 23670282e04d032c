//! The keys of the key table.
//!
//! It is ordered by stream and then by key: a stream's number in front, in an encoding that keeps the order of numbers.

use std::borrow::Cow;
use std::ops::Range;

use inlet_model::key::{STORAGE_KEY_MAX, storage_key};

use super::block::StreamId;
use super::error::Outcome;

/// Stream numbers below this are one byte; others are this and how many bytes follow, then those, big-endian.
const LONG_STREAM: u8 = 0xf0;

/// Appends the stream's number as the key table has it.
pub(crate) fn push_stream(out: &mut Vec<u8>, stream: u64) {
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
pub(crate) fn filed(stream: StreamId, key: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(key.len() + 5);
    push_filed(&mut out, stream, key);
    out
}

/// All keys that a stream may have in the key table.
pub(crate) fn range_of(stream: StreamId) -> Range<Vec<u8>> {
    let (mut start, mut end) = (Vec::new(), Vec::new());
    push_stream(&mut start, u64::from(stream.0));
    push_stream(&mut end, u64::from(stream.0) + 1);
    start..end
}

/// The stream, and the key within it.
pub(crate) fn split(filed: &[u8]) -> Option<(StreamId, &[u8])> {
    let (&first, rest) = filed.split_first()?;
    if first < LONG_STREAM {
        return Some((StreamId(u32::from(first)), rest));
    }
    let (number, key) = rest.split_at_checked(usize::from(first - LONG_STREAM))?;
    let number = number.iter().try_fold(0_u32, |sum, byte| Some(sum.checked_mul(256)? + u32::from(*byte)))?;
    Some((StreamId(number), key))
}

/// The record's whole key, if the key table has it: a very long one stands only in its block.
pub(crate) fn whole_key(filed: &[u8]) -> Option<&[u8]> {
    split(filed).map(|(_, key)| key).filter(|key| key.len() < STORAGE_KEY_MAX)
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
    use proptest::prelude::*;

    use super::*;

    proptest! {
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
    fn a_very_long_key_is_not_whole() {
        let key = vec![b'k'; 5000];
        assert_eq!(whole_key(&filed(StreamId(7), &key)), None);
        assert_eq!(whole_key(&filed(StreamId(7), &key[..1000])), Some(&key[..1000]));
    }
}
