//! Entries into blocks.

use super::{
    BlockEntry, CHECKSUM_LEN, CODEC_RAW, CODEC_ZSTD, ORIGIN_LEN, Origin, VERSION, checksum, op_byte, varint,
};

/// A block is closed at this many entries: enough for them to compress well together, few enough that reading one
/// of them is cheap.
const ENTRIES: usize = 512;

/// A block is closed at this many bytes, for records so large that [`ENTRIES`] of them would be too much to read for one.
const RAW_LEN: usize = 256 << 10;

/// The fastest of zstd's ordinary levels: the next ones cost half as much again for a few per cent of size.
const ZSTD_LEVEL: i32 = 1;

/// Version, codec and two numbers.
const HEADER_LEN_MAX: usize = 2 + 10 + 10;

/// A finished block.
#[derive(Debug)]
pub(crate) struct EncodedBlock {
    pub(crate) first_change: u64,
    pub(crate) last_change: u64,
    /// How many entries it has.
    pub(crate) count: usize,
    /// The stored form.
    pub(crate) stored: Vec<u8>,
}

/// Gathers entries into a block, again and again; its buffers are kept.
pub(crate) struct BlockEncoder {
    compressor: zstd::bulk::Compressor<'static>,
    origins: Vec<Origin>,
    first_change: u64,
    last_change: u64,
    count: usize,
    heads: Vec<u8>,
    keys: Vec<u8>,
    data: Vec<u8>,
    payload: Vec<u8>,
}

impl BlockEncoder {
    pub(crate) fn new() -> std::io::Result<Self> {
        Ok(Self {
            compressor: zstd::bulk::Compressor::new(ZSTD_LEVEL)?,
            origins: Vec::new(),
            first_change: 0,
            last_change: 0,
            count: 0,
            heads: Vec::new(),
            keys: Vec::new(),
            data: Vec::new(),
            payload: Vec::new(),
        })
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Whether the block is to be finished before the next entry.
    pub(crate) fn is_full(&self) -> bool {
        self.count >= ENTRIES || self.heads.len() + self.keys.len() + self.data.len() >= RAW_LEN
    }

    /// Adds an entry, whose change must be greater than that of the one before.
    pub(crate) fn push(&mut self, entry: &BlockEntry<'_>) {
        let head = &entry.head;
        if self.is_empty() {
            self.first_change = head.change;
            self.last_change = head.change;
        }
        let origin = self.origin_index(entry.origin);
        let superseded = if head.previous == 0 { 0 } else { head.change - head.previous };
        let heads = &mut self.heads;
        varint::put(heads, head.change - self.last_change);
        heads.push(op_byte(head.op));
        varint::put(heads, u64::from(head.stream.0));
        varint::put(heads, u64::from(head.scope.0));
        varint::put(heads, origin as u64);
        varint::put_signed(heads, entry.origin.at.as_micros().wrapping_sub(head.created_us));
        varint::put(heads, superseded);
        varint::put(heads, entry.key.len() as u64);
        varint::put(heads, entry.data.len() as u64);
        self.keys.extend_from_slice(entry.key);
        self.data.extend_from_slice(entry.data);
        self.last_change = head.change;
        self.count += 1;
    }

    fn origin_index(&mut self, origin: Origin) -> usize {
        match self.origins.iter().rposition(|known| *known == origin) {
            Some(index) => index,
            None => {
                self.origins.push(origin);
                self.origins.len() - 1
            }
        }
    }

    /// Finishes the block and begins an empty one.
    pub(crate) fn finish(&mut self) -> std::io::Result<EncodedBlock> {
        self.gather_payload();
        let compressed = self.compressor.compress(&self.payload)?;
        let (codec, payload) = if compressed.len() < self.payload.len() {
            (CODEC_ZSTD, &compressed)
        } else {
            (CODEC_RAW, &self.payload)
        };
        let mut stored = Vec::with_capacity(payload.len() + HEADER_LEN_MAX + CHECKSUM_LEN);
        stored.extend_from_slice(&[VERSION, codec]);
        varint::put(&mut stored, self.count as u64);
        varint::put(&mut stored, self.payload.len() as u64);
        stored.extend_from_slice(payload);
        let sum = checksum(self.first_change, &stored);
        stored.extend_from_slice(&sum.to_le_bytes());
        let count = std::mem::take(&mut self.count);
        Ok(EncodedBlock { first_change: self.first_change, last_change: self.last_change, count, stored })
    }

    /// Throws away what was gathered.
    pub(crate) fn clear(&mut self) {
        self.count = 0;
        self.origins.clear();
        self.heads.clear();
        self.keys.clear();
        self.data.clear();
    }

    /// Puts the parts together and empties them. A huge record does not keep its memory.
    fn gather_payload(&mut self) {
        let payload = &mut self.payload;
        payload.clear();
        payload.reserve(
            ORIGIN_LEN * (self.origins.len() + 1) + self.heads.len() + self.keys.len() + self.data.len(),
        );
        varint::put(payload, self.origins.len() as u64);
        for origin in self.origins.drain(..) {
            payload.extend_from_slice(&origin.sync_id.map_or(0, |id| id.as_u128()).to_be_bytes());
            payload.extend_from_slice(&origin.at.as_micros().to_le_bytes());
        }
        for part in [&mut self.heads, &mut self.keys, &mut self.data] {
            payload.append(part);
            part.shrink_to(2 * RAW_LEN);
        }
        payload.shrink_to(4 * RAW_LEN);
    }
}

impl std::fmt::Debug for BlockEncoder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("BlockEncoder").field("count", &self.count).finish_non_exhaustive()
    }
}
