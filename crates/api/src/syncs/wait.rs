//! Waiting for the end of a sync, on behalf of a request that is held open for it.
//!
//! Who waits takes no place among the requests that are answered at the same time, and there is a bound to how many wait; so
//! however many do, others are answered. It ends with the caller, and with the server.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderValue, header};
use inlet_store::catalog::Sync;
use tokio::time::Instant;

use crate::app::Api;
use crate::carry::Place;
use crate::codes::Code;
use crate::find;
use crate::paths::SyncPath;
use crate::problem::Problem;
use crate::query::Query;
use crate::serve::Stopping;

/// The longest wait that can be asked for.
const LONGEST: Duration = Duration::from_secs(60);
/// The answer is given so long before the time for requests is over.
const MARGIN: Duration = Duration::from_secs(5);

/// What a request needs to wait.
#[derive(Debug)]
pub(crate) struct Waiting {
    place: Option<Place>,
    stopping: Option<Stopping>,
}

impl FromRequestParts<Api> for Waiting {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &Api) -> Result<Self, Problem> {
        // Neither is there in a router without the layers that put them there: then nothing is given up, and nothing stops.
        let (place, stopping) = (parts.extensions.get().cloned(), parts.extensions.get().cloned());
        Ok(Self { place, stopping })
    }
}

/// `wait`: a whole number of `ms`, `s` or `m`. None at all is no wait.
pub(crate) fn take_wait(query: &mut Query) -> Result<Duration, Problem> {
    let Some(text) = query.take("wait") else { return Ok(Duration::ZERO) };
    let wait = parse(&text).ok_or_else(|| {
        Query::invalid("wait", "is a whole number with its unit, such as `30s`, `500ms` or `1m`")
    })?;
    if wait > LONGEST {
        return Err(Query::invalid(
            "wait",
            &format!("is at most `{}s`; ask again when it is over", LONGEST.as_secs()),
        ));
    }
    Ok(wait)
}

fn parse(text: &str) -> Option<Duration> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let number: u32 = number.parse().ok()?;
    match unit {
        "ms" => Some(Duration::from_millis(number.into())),
        "s" => Some(Duration::from_secs(number.into())),
        "m" => Some(Duration::from_secs(u64::from(number) * 60)),
        _ => None,
    }
}

/// The sync as it is when it has ended or the time is over, whichever comes first.
pub(crate) async fn ended(
    api: &Api,
    path: &SyncPath,
    wait: Duration,
    waiting: Waiting,
) -> Result<Sync, Problem> {
    let deadline = Instant::now() + wait.min(api.limits.request_time.saturating_sub(MARGIN));
    // Before the sync is read, so that no change after that is missed.
    let mut watch = api.engine.watch(path.sync_id);
    let mut sync = find::sync(api, path).await?;
    if sync.status.is_final() || wait.is_zero() {
        return Ok(sync);
    }
    let _turn = Arc::clone(&api.waits).try_acquire_owned().map_err(|_| too_many())?;
    let mut over = false;
    while !over && !sync.status.is_final() {
        if let Some(place) = &waiting.place {
            place.leave();
        }
        over = tokio::select! {
            () = watch.changed() => false,
            () = tokio::time::sleep_until(deadline) => true,
            () = stopping(waiting.stopping.clone()) => true,
        };
        if let Some(place) = &waiting.place {
            place.come_back().await;
        }
        sync = find::sync(api, path).await?;
    }
    Ok(sync)
}

async fn stopping(stopping: Option<Stopping>) {
    match stopping {
        Some(stopping) => stopping.begun().await,
        None => std::future::pending().await,
    }
}

fn too_many() -> Problem {
    let detail = "As many requests wait for a sync as the server lets wait. Ask without `wait`, or try again in a moment.";
    Problem::new(Code::Unavailable, detail).header(header::RETRY_AFTER, HeaderValue::from_static("1"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wait(text: &str) -> Result<Duration, Code> {
        take_wait(&mut Query::parse(text).unwrap()).map_err(|problem| problem.code())
    }

    #[test]
    fn a_wait_is_a_number_with_its_unit() {
        assert_eq!(wait(""), Ok(Duration::ZERO));
        for (text, millis) in [("500ms", 500), ("0s", 0), ("30s", 30_000), ("60s", 60_000), ("1m", 60_000)] {
            assert_eq!(wait(&format!("wait={text}")), Ok(Duration::from_millis(millis)), "{text}");
        }
        for bad in ["", "30", "s", "1.5s", "-1s", "1h", "30S", "30s ", "99999999999s", "61s", "2m", "60001ms"]
        {
            assert_eq!(wait(&format!("wait={bad}")), Err(Code::InvalidParameter), "{bad}");
        }
    }
}
