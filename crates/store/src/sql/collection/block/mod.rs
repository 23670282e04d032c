//! Blocks: entries of the change feed, in order, compressed together. Version 1 of the format.
//!
//! ```text
//! stored   version u8 (1) · codec u8 (0 raw, 1 zstd) · count · raw length · payload · checksum u64 LE
//! payload  origins: how many, then for each the sync's id (16 bytes, big-endian; 0 for none) and the commit's time (i64 LE, µs)
//!          heads:   for each entry  change − that of the entry before · op u8 (0 created, 1 updated, 2 deleted) ·
//!                   stream · scope · origin's index · time of commit − time of creation (µs, signed) ·
//!                   change − the change it superseded, or 0 · length of key · length of data
//!          keys:    one after the other, as [`inlet_model::key`] encodes them, in full
//!          data:    one after the other, canonical JSON; empty where deleted
//! ```
//!
//! Numbers without a width are [`varint`]s. The first entry's change is the number under which the block is stored, so
//! its difference is 0. The checksum is XXH3-64 of all bytes before it, seeded with that number: neither a torn block nor
//! one in another's place is read. `docs/format.md` says the same for those who do not read Rust.

mod decode;
mod encode;
#[cfg(test)]
mod tests;
pub(crate) mod varint;

use inlet_model::{ChangeOp, SyncId, Timestamp};

pub(crate) use decode::Block;
pub(crate) use encode::{BlockEncoder, EncodedBlock};

/// The version that is written.
const VERSION: u8 = 1;

/// A payload as it is.
const CODEC_RAW: u8 = 0;
/// A payload compressed with zstd.
const CODEC_ZSTD: u8 = 1;

const CHECKSUM_LEN: usize = size_of::<u64>();
const ORIGIN_LEN: usize = 24;

/// A head is eight numbers and an op, each of a byte at least.
const HEAD_LEN_MIN: usize = 9;

/// No payload is longer: one record of a batch, its key and a block's worth of others.
const RAW_LEN_MAX: usize = inlet_model::Batch::MAX_BYTES + (1 << 20);

/// Where an entry comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Origin {
    /// `None` where records were removed on request.
    pub(crate) sync_id: Option<SyncId>,
    pub(crate) at: Timestamp,
}

/// A stream within its collection: the number by which key table and blocks name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct StreamId(pub(crate) u32);

/// A scope within its stream. 0 is the whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct ScopeId(pub(crate) u32);

impl ScopeId {
    /// The scope of a stream without parts.
    pub(crate) const WHOLE: Self = Self(0);
}

/// An entry but for its key and data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct EntryHead {
    pub(crate) change: u64,
    pub(crate) op: ChangeOp,
    pub(crate) stream: StreamId,
    pub(crate) scope: ScopeId,
    /// When the record first appeared, in microseconds.
    pub(crate) created_us: i64,
    /// The change this one superseded; 0 for none.
    pub(crate) previous: u64,
}

/// An entry of a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct BlockEntry<'a> {
    pub(crate) head: EntryHead,
    pub(crate) origin: Origin,
    pub(crate) key: &'a [u8],
    pub(crate) data: &'a [u8],
}

/// Why bytes are no block of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BlockError {
    #[error("the block has version {0}, which is newer than this program knows")]
    Newer(u8),
    #[error("the block's checksum does not match")]
    Checksum,
    #[error("the block is malformed: {0}")]
    Malformed(&'static str),
}

fn op_byte(op: ChangeOp) -> u8 {
    match op {
        ChangeOp::Created => 0,
        ChangeOp::Updated => 1,
        ChangeOp::Deleted => 2,
    }
}

fn op_of(byte: u8) -> Option<ChangeOp> {
    [ChangeOp::Created, ChangeOp::Updated, ChangeOp::Deleted].into_iter().find(|&op| op_byte(op) == byte)
}

fn checksum(first_change: u64, bytes: &[u8]) -> u64 {
    xxhash_rust::xxh3::xxh3_64_with_seed(bytes, first_change)
}
