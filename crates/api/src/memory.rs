//! The memory that large things may take together: bodies of requests, and pages of records on their way out.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

const KIB: usize = 1 << 10;

/// What there is to give, in KiB.
#[derive(Debug)]
pub(crate) struct Memory {
    total: u32,
    free: Arc<Semaphore>,
}

/// A part of it, given back when it is dropped.
#[derive(Debug)]
pub(crate) struct Share {
    _permit: OwnedSemaphorePermit,
}

impl Memory {
    /// So many bytes in all.
    pub(crate) fn new(bytes: usize) -> Self {
        let total = u32::try_from(bytes / KIB).unwrap_or(u32::MAX);
        let permits = usize::try_from(total).unwrap_or(Semaphore::MAX_PERMITS).min(Semaphore::MAX_PERMITS);
        Self { total, free: Arc::new(Semaphore::new(permits)) }
    }

    /// Waits until so many bytes are free; who asks for more than all gets all.
    pub(crate) async fn take(&self, bytes: usize) -> Share {
        let kib = u32::try_from(bytes.div_ceil(KIB)).unwrap_or(u32::MAX).min(self.total);
        let permit = Arc::clone(&self.free).acquire_many_owned(kib).await;
        Share { _permit: permit.expect("the semaphore is never closed") }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    #[test]
    fn who_asks_for_more_than_is_free_waits() {
        let memory = Memory::new(10 * KIB);
        let first = memory.take(8 * KIB).now_or_never().unwrap();
        assert!(memory.take(2 * KIB + 1).now_or_never().is_none());
        assert!(memory.take(2 * KIB).now_or_never().is_some());
        assert!(memory.take(100 * KIB).now_or_never().is_none());
        drop(first);
        assert!(memory.take(100 * KIB).now_or_never().is_some(), "more than all is all");
    }
}
