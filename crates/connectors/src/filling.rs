//! A batch that is being filled, and when it must go.

use std::time::Instant;

use inlet_model::{Batch, Scope, StreamName};
use inlet_source::ReadRequest;

/// The batch in hand of a stream that is one scope.
#[derive(Debug)]
pub(crate) struct Filling {
    pub(crate) batch: Batch,
    /// When it must be closed; set soon after its first record.
    due: Option<Instant>,
    asked: u32,
}

impl Filling {
    /// An empty batch.
    pub(crate) fn new(stream: &StreamName, request: &ReadRequest) -> Self {
        let batch = Batch::new(stream.clone(), Scope::whole(), request.seed);
        Self { batch, due: None, asked: 0 }
    }

    /// Whether the batch is to be sent now. Asked after each record; the clock is looked at only now and then.
    pub(crate) fn is_full(&mut self, request: &ReadRequest) -> bool {
        const ASK_EVERY: u32 = 64;
        if self.batch.bytes() >= request.batch_bytes {
            return true;
        }
        self.asked = self.asked.wrapping_add(1);
        if !self.asked.is_multiple_of(ASK_EVERY) {
            return false;
        }
        let now = Instant::now();
        now >= *self.due.get_or_insert(now + request.batch_delay)
    }

    /// When the batch must go although nothing comes any more; `None` while it is empty.
    pub(crate) fn due(&mut self, request: &ReadRequest) -> Option<Instant> {
        let is_empty = self.batch.is_empty();
        (!is_empty).then(|| *self.due.get_or_insert_with(|| Instant::now() + request.batch_delay))
    }

    /// Takes the batch, and begins the next.
    pub(crate) fn take(&mut self, request: &ReadRequest) -> Batch {
        let next = Batch::new(self.batch.stream().clone(), Scope::whole(), request.seed);
        self.due = None;
        std::mem::replace(&mut self.batch, next)
    }
}
