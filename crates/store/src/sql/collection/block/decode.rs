//! Blocks into entries. Any bytes may come in; none make it panic, or take more memory than a block may have.

use std::ops::Range;

use inlet_model::{SyncId, Timestamp};

use super::{
    BlockEntry, BlockError, CHECKSUM_LEN, CODEC_RAW, CODEC_ZSTD, EntryHead, HEAD_LEN_MIN, ORIGIN_LEN, Origin,
    RAW_LEN_MAX, ScopeId, StreamId, VERSION, checksum, op_of, varint,
};

const TRUNCATED: BlockError = BlockError::Malformed("it ends too early");

/// A block that was read: its heads parsed, its keys and data where decompression left them.
#[derive(Debug)]
pub(crate) struct Block {
    payload: Vec<u8>,
    origins: Vec<Origin>,
    entries: Vec<Located>,
}

#[derive(Debug)]
struct Located {
    head: EntryHead,
    origin: usize,
    key: Range<usize>,
    data: Range<usize>,
}

impl Block {
    /// Reads the block that is stored under `first_change`.
    pub(crate) fn decode(first_change: u64, stored: &[u8]) -> Result<Self, BlockError> {
        let (body, sum) = stored.split_last_chunk::<CHECKSUM_LEN>().ok_or(TRUNCATED)?;
        match body.first() {
            Some(&VERSION) => {}
            Some(&version) if version > VERSION => return Err(BlockError::Newer(version)),
            _ => return Err(BlockError::Malformed("it has no version")),
        }
        if checksum(first_change, body) != u64::from_le_bytes(*sum) {
            return Err(BlockError::Checksum);
        }
        let (codec, mut rest) = body[1..].split_first().ok_or(TRUNCATED)?;
        let count = take_len(&mut rest)?;
        let raw_len = take_len(&mut rest)?;
        if raw_len > RAW_LEN_MAX || count > raw_len / HEAD_LEN_MIN {
            return Err(BlockError::Malformed("it is too large"));
        }
        let payload = decompress(*codec, raw_len, rest)?;
        Self::parse(first_change, count, payload)
    }

    fn parse(first_change: u64, count: usize, payload: Vec<u8>) -> Result<Self, BlockError> {
        let mut rest = payload.as_slice();
        let origins = take_origins(&mut rest)?;
        let mut entries = Vec::with_capacity(count);
        let mut change = first_change;
        let (mut keys_len, mut data_len) = (0_usize, 0_usize);
        for index in 0..count {
            let entry = take_head(&mut rest, change, &origins, (keys_len, data_len))?;
            if (entry.head.change == change) != (index == 0) {
                return Err(BlockError::Malformed("its changes do not increase"));
            }
            change = entry.head.change;
            keys_len = entry.key.end;
            data_len = entry.data.end;
            entries.push(entry);
        }
        if keys_len.checked_add(data_len) != Some(rest.len()) {
            return Err(BlockError::Malformed("its lengths do not add up"));
        }
        let keys_at = payload.len() - rest.len();
        let data_at = keys_at + keys_len;
        for entry in &mut entries {
            entry.key = entry.key.start + keys_at..entry.key.end + keys_at;
            entry.data = entry.data.start + data_at..entry.data.end + data_at;
        }
        Ok(Self { payload, origins, entries })
    }

    /// How many entries there are.
    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    /// The change of its first entry.
    pub(crate) fn first(&self) -> Option<u64> {
        self.entries.first().map(|entry| entry.head.change)
    }

    /// The change of its last entry.
    pub(crate) fn last(&self) -> Option<u64> {
        self.entries.last().map(|entry| entry.head.change)
    }

    /// The memory that its entries take up, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        self.payload.len()
    }

    /// The entry at `index`, which must be below [`len`](Self::len).
    pub(crate) fn entry(&self, index: usize) -> BlockEntry<'_> {
        let located = &self.entries[index];
        BlockEntry {
            head: located.head,
            origin: self.origins[located.origin],
            key: &self.payload[located.key.clone()],
            data: &self.payload[located.data.clone()],
        }
    }

    /// The index of the first entry with a change greater than `after`.
    pub(crate) fn first_after(&self, after: u64) -> usize {
        self.entries.partition_point(|entry| entry.head.change <= after)
    }

    /// The entry with that change.
    pub(crate) fn find(&self, change: u64) -> Option<BlockEntry<'_>> {
        let index = self.entries.binary_search_by_key(&change, |entry| entry.head.change).ok()?;
        Some(self.entry(index))
    }
}

fn decompress(codec: u8, raw_len: usize, stored: &[u8]) -> Result<Vec<u8>, BlockError> {
    let payload = match codec {
        CODEC_RAW => stored.to_vec(),
        CODEC_ZSTD => zstd::bulk::decompress(stored, raw_len)
            .map_err(|_| BlockError::Malformed("its payload does not decompress"))?,
        _ => return Err(BlockError::Malformed("its codec is unknown")),
    };
    if payload.len() == raw_len { Ok(payload) } else { Err(BlockError::Malformed("its length is another")) }
}

fn take_len(rest: &mut &[u8]) -> Result<usize, BlockError> {
    let len = varint::take(rest).ok_or(TRUNCATED)?;
    usize::try_from(len).map_err(|_| BlockError::Malformed("it is too large"))
}

fn take_origins(rest: &mut &[u8]) -> Result<Vec<Origin>, BlockError> {
    let count = take_len(rest)?;
    if count > rest.len() / ORIGIN_LEN {
        return Err(TRUNCATED);
    }
    let mut origins = Vec::with_capacity(count);
    for _ in 0..count {
        let (sync_id, after) = rest.split_first_chunk::<16>().ok_or(TRUNCATED)?;
        let (at, after) = after.split_first_chunk::<8>().ok_or(TRUNCATED)?;
        *rest = after;
        let sync_id = u128::from_be_bytes(*sync_id);
        origins.push(Origin {
            sync_id: (sync_id != 0).then(|| SyncId::from_u128(sync_id)),
            at: Timestamp::from_micros(i64::from_le_bytes(*at)),
        });
    }
    Ok(origins)
}

/// Takes one head. Its ranges count from the start of the keys and of the data.
fn take_head(
    rest: &mut &[u8],
    before: u64,
    origins: &[Origin],
    (keys_len, data_len): (usize, usize),
) -> Result<Located, BlockError> {
    let number = |rest: &mut &[u8]| varint::take(rest).ok_or(TRUNCATED);
    let small = |rest: &mut &[u8]| {
        u32::try_from(number(rest)?).map_err(|_| BlockError::Malformed("a number is too large"))
    };
    let beyond = BlockError::Malformed("a number is too large");

    let change = before.checked_add(number(rest)?).ok_or(beyond)?;
    let (&op, after) = rest.split_first().ok_or(TRUNCATED)?;
    *rest = after;
    let op = op_of(op).ok_or(BlockError::Malformed("an op is unknown"))?;
    let stream = StreamId(small(rest)?);
    let scope = ScopeId(small(rest)?);
    let origin = take_len(rest)?;
    let at = origins.get(origin).ok_or(BlockError::Malformed("an origin is not there"))?.at;
    let created_us = at.as_micros().wrapping_sub(varint::take_signed(rest).ok_or(TRUNCATED)?);
    let previous = match number(rest)? {
        0 => 0,
        superseded => change.checked_sub(superseded).ok_or(beyond)?,
    };
    let key_end = keys_len.checked_add(take_len(rest)?).ok_or(beyond)?;
    let data_end = data_len.checked_add(take_len(rest)?).ok_or(beyond)?;
    Ok(Located {
        head: EntryHead { change, op, stream, scope, created_us, previous },
        origin,
        key: keys_len..key_end,
        data: data_len..data_end,
    })
}
