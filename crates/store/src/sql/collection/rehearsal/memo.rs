//! What a rehearsal remembers of the records that are not, or not any more, what stands in the file.

use std::collections::HashMap;

use inlet_model::{HASH_LEN, HashSeed, RecordHash};

/// Records that are remembered: some 10 MB of them.
const ROOM: usize = 150_000;

/// A record as it would be by now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Memory {
    /// It would be there.
    There {
        hash: [u8; HASH_LEN],
        /// The place of its scope in the stream.
        scope: u32,
        /// The number of the listing that saw it last; 0 for none.
        seen_by: u32,
    },
    /// It would be gone.
    Gone,
}

/// The records that are remembered, by a hash of what they are filed under.
#[derive(Debug, Default)]
pub(super) struct Memo(HashMap<[u8; HASH_LEN], Memory>);

impl Memo {
    pub(super) fn get(&self, filed: &[u8]) -> Option<Memory> {
        self.0.get(&name(filed)).copied()
    }

    /// Remembers a record; whether there was room for it.
    pub(super) fn put(&mut self, filed: &[u8], memory: Memory) -> bool {
        let name = name(filed);
        let has_room = self.0.len() < ROOM || self.0.contains_key(&name);
        if has_room {
            self.0.insert(name, memory);
        }
        has_room
    }
}

fn name(filed: &[u8]) -> [u8; HASH_LEN] {
    *RecordHash::of(HashSeed(0), filed).as_bytes()
}
