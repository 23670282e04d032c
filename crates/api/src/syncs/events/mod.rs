//! `GET …/sync/{sync_id}/events`: what happens in a sync, as it happens, as server-sent events.
//!
//! ```text
//! curl -N http://127.0.0.1:8080/v1/spaces/default/collections/default/connectors/con_01k…/sync/syn_01k…/events
//! retry: 2000
//!
//! id: m2.l0
//! event: state
//! data: {"seq":2,"at":"…","from":"queued","to":"running","cause":"claimed","code":null,"attempt":1}
//! ```
//!
//! What all listeners of a sync are told is made once, by the task of its [`feed`]; each [`listener`] only keeps how far it has
//! come, its [`place`]. Specification: <https://html.spec.whatwg.org/multipage/server-sent-events.html>.

mod feed;
mod fill;
mod listener;
mod place;
mod view;

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{FromRequestParts, State};
use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

pub(crate) use self::feed::Hub;
use self::listener::Listener;
use self::place::Place;
use crate::app::Api;
use crate::auth::Credential;
use crate::codes::Code;
use crate::find;
use crate::operation::{Access, Operation, Param, path};
use crate::paths::SyncPath;
use crate::problem::Problem;
use crate::query::Query;
use crate::serve::Stopping;

const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");
const X_ACCEL_BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");
const MEDIA_TYPE: &str = "text/event-stream";

pub(crate) fn operation() -> Operation {
    let place = "The `id` of the last event that you have: the stream goes on behind it.";
    Operation::get("watch_sync", path::SYNC_EVENTS, Access::Read)
        .summary("Watch a sync")
        .description(
            "Server-sent events. `state`: a move of the sync. `log`: a line of its log. `progress`: its counters, its streams and \
             its speed, at most four times a second. `end`: the sync as it ended; then the stream is closed. States and lines come in \
             order, all of them, from the beginning of the sync on or behind the event whose `id` is given; of progress only the \
             newest. Whoever has the end already gets 204.",
        )
        .param(Param::header("Last-Event-ID", place))
        .param(Param::query::<String>("last_event_id", "The same, for those who cannot set headers; the header counts before it."))
        .answers_events("The events.")
        .answers_nothing("The caller has everything: there is no use in asking again.")
}

pub(crate) async fn events(
    State(api): State<Api>,
    path: SyncPath,
    mut query: Query,
    asking: Asking,
) -> Result<Response, Problem> {
    let in_query = query.take("last_event_id");
    query.finish()?;
    let place = take_place(asking.last_event_id.as_ref(), in_query.as_deref())?;
    let sync = find::sync(&api, &path).await?;
    if place.has_end {
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    let turn = Arc::clone(&api.listeners).try_acquire_owned().map_err(|_| too_many())?;
    let feed = api.hub.join(&api, &sync);
    let listener = Listener::new(api, &sync, feed, place, asking.credential, asking.stopping, turn);
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE)),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (X_ACCEL_BUFFERING, HeaderValue::from_static("no")),
    ];
    Ok((headers, Body::from_stream(listener.into_stream())).into_response())
}

/// What a listener brings along.
#[derive(Debug)]
pub(crate) struct Asking {
    last_event_id: Option<HeaderValue>,
    credential: Credential,
    stopping: Option<Stopping>,
}

impl FromRequestParts<Api> for Asking {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &Api) -> Result<Self, Problem> {
        let credential = parts.extensions.get().copied();
        Ok(Self {
            last_event_id: parts.headers.get(LAST_EVENT_ID).cloned(),
            credential: credential.ok_or_else(|| Problem::internal().because("nobody asked who listens"))?,
            // Not there in a router without a socket: then nothing stops.
            stopping: parts.extensions.get().cloned(),
        })
    }
}

fn take_place(header: Option<&HeaderValue>, query: Option<&str>) -> Result<Place, Problem> {
    const WHAT: &str = "is the `id` of an event, such as `m3.l17`";
    if let Some(value) = header {
        let place = value.to_str().ok().and_then(|text| text.parse().ok());
        return place
            .ok_or_else(|| Problem::new(Code::InvalidHeader, format!("The header `Last-Event-ID` {WHAT}.")));
    }
    match query {
        Some(text) => text.parse().map_err(|_| Query::invalid("last_event_id", WHAT)),
        None => Ok(Place::default()),
    }
}

fn too_many() -> Problem {
    let detail = "As many callers listen to syncs as the server lets listen. Try again in a moment, or read the sync itself.";
    Problem::new(Code::Unavailable, detail).header(header::RETRY_AFTER, HeaderValue::from_static("5"))
}
