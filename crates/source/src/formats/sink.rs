//! Where records go: the batch that is being filled.

use std::time::Instant;

use inlet_model::{Batch, Rejection, Scope};

use super::Place;
use crate::{ReadRequest, RecordEncoder, StreamRequest, Unkeyed, too_large};

/// What records are read for: one scope of one stream.
#[derive(Debug, Clone, Copy)]
pub struct Target<'a> {
    /// The read.
    pub request: &'a ReadRequest,
    /// The stream.
    pub stream: &'a StreamRequest,
    /// The scope. Its name is part of the key of a record that has no key of its own.
    pub scope: &'a Scope,
}

impl Target<'_> {
    fn new_batch(&self) -> Batch {
        let batch = Batch::new(self.stream.name.clone(), self.scope.clone(), self.request.seed);
        batch.with_room(self.request.batch_bytes)
    }
}

/// A batch that is being filled, and the place up to which its records reach.
#[derive(Debug)]
pub struct Sink<'a> {
    /// The place behind the last record.
    pub place: Place,
    pub(super) batch: Batch,
    encoder: RecordEncoder,
    target: Target<'a>,
    /// When the batch must be closed; set soon after its first record.
    due: Option<Instant>,
    asked: u32,
}

impl<'a> Sink<'a> {
    /// An empty batch for records that come after `place`.
    #[must_use]
    pub fn new(target: Target<'a>, place: Place) -> Self {
        let Target { stream, request, .. } = target;
        let encoder =
            RecordEncoder::new(&stream.primary_key, stream.fields.as_deref(), request.max_record_bytes);
        Self { place, batch: target.new_batch(), encoder, target, due: None, asked: 0 }
    }

    /// Whether the batch is to be closed now.
    #[inline]
    pub fn is_full(&mut self) -> bool {
        const ASK_EVERY: u32 = 64;
        self.asked = self.asked.wrapping_add(1);
        self.batch.bytes() >= self.target.request.batch_bytes
            || (self.asked.is_multiple_of(ASK_EVERY) && self.is_due())
    }

    /// Whether the batch has waited long enough.
    pub fn is_due(&mut self) -> bool {
        if self.batch.is_empty() {
            return false;
        }
        let now = Instant::now();
        now >= *self.due.get_or_insert(now + self.target.request.batch_delay)
    }

    /// The batch, if it holds anything; the next one begins empty.
    pub fn take_batch(&mut self) -> Option<Batch> {
        self.due = None;
        if self.batch.is_empty() {
            return None;
        }
        Some(std::mem::replace(&mut self.batch, self.target.new_batch()))
    }

    pub(super) fn max_record_bytes(&self) -> usize {
        self.target.request.max_record_bytes
    }

    /// Takes the next record, which is JSON.
    #[inline]
    pub(super) fn json(&mut self, position: u64, raw: &[u8]) {
        let unkeyed = Unkeyed::Row { path: self.target.scope.as_str(), row: self.place.row + 1 };
        self.encoder.upsert(&mut self.batch, position, raw, unkeyed);
    }

    /// The refusal of a record of which only the start is known, and that it is longer than allowed.
    pub(super) fn too_large(&self, position: u64, start: &[u8]) -> Rejection {
        too_large(self.max_record_bytes(), position, start)
    }

    /// Moves the place on to `offset`, behind so many more records and lines.
    #[inline]
    pub(super) fn pass(&mut self, offset: u64, rows: u64, lines: u64) {
        self.place.offset = offset;
        self.place.row += rows;
        self.place.line += lines;
    }
}
