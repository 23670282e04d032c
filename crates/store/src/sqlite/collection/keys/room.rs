//! What the key logs of a process take up together.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// If all logs take up more memory than this, each is merged …
const ALL: usize = 32 << 20;

/// … unless it takes up less than this: to merge a few rows frees next to nothing.
const SMALL: usize = 1 << 20;

/// The memory of all key logs, in bytes. Clones are one.
#[derive(Debug, Clone, Default)]
pub(crate) struct KeyLogRoom(Arc<AtomicUsize>);

/// One log's part of it; given back when dropped.
#[derive(Debug)]
pub(super) struct Held {
    room: KeyLogRoom,
    bytes: usize,
}

impl KeyLogRoom {
    pub(super) fn hold(&self) -> Held {
        Held { room: self.clone(), bytes: 0 }
    }
}

impl Held {
    /// Says how much the log takes up now.
    pub(super) fn set(&mut self, bytes: usize) {
        // Two steps, so that the sum never goes below zero; nobody minds that it is too high in between.
        self.room.0.fetch_add(bytes, Ordering::Relaxed);
        self.room.0.fetch_sub(self.bytes, Ordering::Relaxed);
        self.bytes = bytes;
    }

    /// Whether the log should make room for others.
    pub(super) fn is_too_much(&self) -> bool {
        self.bytes >= SMALL && self.room.0.load(Ordering::Relaxed) > ALL
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.set(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logs_make_room_for_each_other_and_a_small_one_for_nobody() {
        let room = KeyLogRoom::default();
        let (mut one, mut other, mut small) = (room.hold(), room.hold(), room.hold());
        one.set(ALL / 2);
        other.set(ALL / 2);
        assert!(!one.is_too_much());
        small.set(SMALL - 1);
        assert!(one.is_too_much() && other.is_too_much() && !small.is_too_much());
        one.set(0);
        assert!(!other.is_too_much());
        one.set(ALL);
        assert!(other.is_too_much());
        drop(one);
        assert!(!other.is_too_much());
    }
}
