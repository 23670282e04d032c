//! Carries a request to its end: bounded in time and number, whether or not it panics or its caller hangs up.

use std::sync::{Arc, Mutex, MutexGuard};

use axum::extract::{Request, State};
use axum::http::{HeaderValue, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::{AbortHandle, JoinError};
use tracing::Instrument;

use crate::app::Api;
use crate::codes::Code;
use crate::problem::Problem;

/// Runs the request as a task of its own.
///
/// A request that may change something goes on when its caller hangs up or the time is over: half of a change (a
/// sync marked as cancelled but not stopped) would have to wait for the engine to notice. One that only reads is dropped.
pub(crate) async fn through(State(api): State<Api>, mut request: Request, next: Next) -> Response {
    let Some(place) = Place::take(&api.requests) else { return busy().into_response() };
    request.extensions_mut().insert(place.clone());
    let only_reads = request.method().is_safe();
    let work = async move {
        let response = next.run(request).await;
        place.leave();
        response
    };
    let work = tokio::spawn(work.in_current_span());
    let _drop_reads = only_reads.then(|| AbortOnDrop(work.abort_handle()));
    match tokio::time::timeout(api.limits.request_time, work).await {
        Ok(Ok(response)) => response,
        Ok(Err(failed)) => Problem::internal().because(Panicked::of(failed)).into_response(),
        Err(_) => timed_out(only_reads).into_response(),
    }
}

/// A request's place among those that are answered at the same time. All clones are one place; it is free once the request is
/// answered or dropped.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    all: Arc<Semaphore>,
    permit: Arc<Mutex<Option<OwnedSemaphorePermit>>>,
}

impl Place {
    fn take(all: &Arc<Semaphore>) -> Option<Self> {
        let permit = Arc::clone(all).try_acquire_owned().ok()?;
        Some(Self { all: Arc::clone(all), permit: Arc::new(Mutex::new(Some(permit))) })
    }

    /// Gives the place to others, while the request only waits.
    pub(crate) fn leave(&self) {
        drop(self.permit().take());
    }

    /// Takes a place again, when one is free.
    pub(crate) async fn come_back(&self) {
        let permit = Arc::clone(&self.all).acquire_owned().await;
        *self.permit() = Some(permit.expect("the semaphore is never closed"));
    }

    fn permit(&self) -> MutexGuard<'_, Option<OwnedSemaphorePermit>> {
        self.permit.lock().expect("no holder panics")
    }
}

fn busy() -> Problem {
    let detail = "The server has as many requests in hand as it takes. Try again in a moment.";
    Problem::new(Code::Unavailable, detail).header(header::RETRY_AFTER, HeaderValue::from_static("1"))
}

fn timed_out(only_reads: bool) -> Problem {
    let detail = if only_reads {
        "The answer took too long. Try again, or ask for less at a time."
    } else {
        "The answer took too long, and what was asked for may still be done. Look before you ask again, or repeat \
         the request with the same Idempotency-Key."
    };
    Problem::new(Code::TimedOut, detail)
}

/// Ends a task when whoever waits for it goes away.
pub(crate) struct AbortOnDrop(pub(crate) AbortHandle);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// What a request's task said when it panicked.
#[derive(Debug)]
struct Panicked(String);

impl Panicked {
    fn of(failed: JoinError) -> Self {
        let Ok(payload) = failed.try_into_panic() else { return Self("it was aborted".to_owned()) };
        let text = payload.downcast_ref::<&str>().map(|text| (*text).to_owned());
        Self(text.or_else(|| payload.downcast_ref::<String>().cloned()).unwrap_or_default())
    }
}

impl std::fmt::Display for Panicked {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "the request's task panicked: {}", self.0)
    }
}

impl std::error::Error for Panicked {}
