//! What comes out of a transaction, which a database runs as something that answers nothing.

use std::sync::{Arc, Mutex, PoisonError};

/// What a read or a write has found, on its way out of the database.
pub(super) struct Answer<T>(Arc<Mutex<Option<T>>>);

impl<T> Answer<T> {
    pub(super) fn is(&self, answer: T) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(answer);
    }

    pub(super) fn take(self) -> T {
        let answer = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        answer.expect("what was done without an error has said what it found")
    }
}

impl<T> Default for Answer<T> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

impl<T> Clone for Answer<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}
