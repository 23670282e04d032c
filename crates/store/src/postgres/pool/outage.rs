//! Whether the database is lost, which is told once, and once when it is back.

use std::error::Error;
use std::sync::{Mutex, MutexGuard, PoisonError, TryLockError};
use std::time::{Duration, Instant};

use crate::sql::{SqlError, SqlResult};

/// As long as it is lost, a connection is tried so often at most.
const PAUSE: Duration = Duration::from_millis(200);

/// It is lost, and was when it was last tried.
#[derive(Debug, thiserror::Error)]
#[error("the database was not reached a moment ago")]
struct StillLost;

/// What is known of it.
#[derive(Debug, Default)]
pub(in crate::postgres) struct Outage {
    lost: Mutex<Option<Lost>>,
    /// Held by the one that tries, while the database is lost: the others learn what comes of it.
    trying: Mutex<()>,
}

#[derive(Debug, Clone, Copy)]
struct Lost {
    since: Instant,
    /// When a connection was last tried, if one was.
    tried: Option<Instant>,
}

impl Outage {
    /// Opens a connection. While the database is lost one tries at a time, with pauses between, and the others do not wait for it: so calls
    /// do not queue up for what does not answer.
    pub(super) fn connect<T>(&self, open: impl FnOnce() -> SqlResult<T>) -> SqlResult<T> {
        let _trying = match (self.is_lost(), self.trying.try_lock()) {
            (false, _) => None,
            (true, Ok(trying)) => Some(trying),
            (true, Err(TryLockError::Poisoned(trying))) => Some(trying.into_inner()),
            // What broke off a moment ago may be there again.
            (true, Err(TryLockError::WouldBlock)) if !self.was_tried_in_vain() => {
                Some(self.trying.lock().unwrap_or_else(PoisonError::into_inner))
            }
            (true, Err(TryLockError::WouldBlock)) => return Err(SqlError::Lost(StillLost.into())),
        };
        let tried = self.state().and_then(|lost| lost.tried);
        if tried.is_some_and(|tried| tried.elapsed() < PAUSE) {
            return Err(SqlError::Lost(StillLost.into()));
        }
        match open() {
            Ok(opened) => {
                self.is_back();
                Ok(opened)
            }
            Err(SqlError::Lost(error)) => {
                self.note(&*error, Some(Instant::now()));
                Err(SqlError::Lost(error))
            }
            refused => refused,
        }
    }

    /// A connection broke off, or its server fell silent.
    pub(in crate::postgres) fn broke_off(&self, error: impl Into<Box<dyn Error + Send + Sync>>) -> SqlError {
        let error = error.into();
        self.note(&*error, None);
        SqlError::Lost(error)
    }

    /// Something was answered. That ends no outage in which connections are refused, as some may live on.
    pub(super) fn answered(&self) {
        if self.is_lost() && !self.was_tried_in_vain() {
            self.is_back();
        }
    }

    fn was_tried_in_vain(&self) -> bool {
        self.state().is_some_and(|lost| lost.tried.is_some())
    }

    pub(super) fn is_lost(&self) -> bool {
        self.state().is_some()
    }

    fn note(&self, error: &(dyn Error + Send + Sync + 'static), tried: Option<Instant>) {
        let error = error as &(dyn Error + 'static);
        let mut state = self.state();
        match &mut *state {
            Some(lost) => lost.tried = tried.or(lost.tried),
            None => {
                *state = Some(Lost { since: Instant::now(), tried });
                drop(state);
                tracing::warn!(error, "the database is lost; what needs it waits until it is back");
            }
        }
    }

    fn is_back(&self) {
        if let Some(lost) = self.state().take() {
            tracing::info!(seconds = lost.since.elapsed().as_secs_f64(), "the database is back");
        }
    }

    fn state(&self) -> MutexGuard<'_, Option<Lost>> {
        self.lost.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused() -> SqlResult<()> {
        Err(SqlError::Lost("nobody listens".into()))
    }

    #[test]
    fn a_lost_database_is_tried_by_one_now_and_then() {
        let outage = Outage::default();
        assert!(outage.connect(refused).is_err() && outage.is_lost());
        let tried = outage.connect(|| -> SqlResult<()> { panic!("it was tried a moment ago") });
        assert!(matches!(tried, Err(SqlError::Lost(_))));
        outage.answered();
        assert!(outage.is_lost(), "another connection may live on");
        outage.state().as_mut().unwrap().tried = Instant::now().checked_sub(PAUSE);
        assert!(outage.connect(|| Ok(())).is_ok() && !outage.is_lost());
    }

    #[test]
    fn a_connection_that_broke_off_is_replaced_at_once() {
        let outage = Outage::default();
        let _lost = outage.broke_off("reset by peer");
        assert!(outage.is_lost() && outage.connect(|| Ok(())).is_ok());
        let _lost = outage.broke_off("reset by peer");
        outage.answered();
        assert!(!outage.is_lost());
    }

    #[test]
    fn a_server_that_refuses_is_not_lost() {
        let outage = Outage::default();
        let refusal = || -> SqlResult<()> { Err(SqlError::NoRow) };
        assert!(outage.connect(refusal).is_err() && !outage.is_lost());
    }
}
