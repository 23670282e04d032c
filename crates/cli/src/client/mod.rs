//! The one client of the HTTP API that every command uses, whether the server is this process or another.

mod events;
pub(crate) mod objects;
mod problem;
mod retry;
#[cfg(test)]
mod tests;
mod transport;
mod uri;

use std::sync::Arc;

use axum::body::Bytes;
use axum::http::{HeaderValue, Method, StatusCode};
use inlet_model::Entropy;
use serde::de::DeserializeOwned;
use serde_json::Value;

pub(crate) use events::Events;
pub(crate) use problem::{CallError, Problem};
pub(crate) use transport::{Transport, key_headers};
pub(crate) use uri::{Query, segment};

use retry::Patience;
use transport::{Answer, Opened, Outgoing};

const JSON: &str = "application/json";
const MERGE_PATCH: &str = "application/merge-patch+json";

/// A client. Cheap to clone.
///
/// A call that found no server, or lost it, or was told to come again, is repeated a few times. That is safe: a POST carries
/// an idempotency key, and the other methods do the same when they are done twice.
#[derive(Debug, Clone)]
pub(crate) struct Client {
    transport: Transport,
    entropy: Arc<dyn Entropy>,
    patience: Patience,
}

/// A good answer's body.
#[derive(Debug, Clone)]
pub(crate) struct Body(Bytes);

impl Body {
    /// The body as `T`.
    pub(crate) fn read<T: DeserializeOwned>(&self) -> Result<T, CallError> {
        serde_json::from_slice(&self.0).map_err(|error| CallError::Unreadable(Box::new(error)))
    }

    /// The body as the server wrote it, without the line end that it may have.
    pub(crate) fn text(&self) -> Result<&str, CallError> {
        match std::str::from_utf8(&self.0) {
            Ok(text) => Ok(text.trim_end()),
            Err(error) => Err(CallError::Unreadable(Box::new(error))),
        }
    }
}

impl Client {
    /// A client over this transport. Idempotency keys are made of `entropy`.
    pub(crate) fn new(transport: Transport, entropy: Arc<dyn Entropy>) -> Self {
        Self { transport, entropy, patience: Patience::default() }
    }

    /// Asks for `path`, which is whole: with its query, and escaped.
    pub(crate) async fn get(&self, path: &str) -> Result<Body, CallError> {
        self.call(Outgoing::new(Method::GET, path)).await
    }

    /// As [`get`](Self::get), but tried only once.
    pub(crate) async fn get_once(&self, path: &str) -> Result<Body, CallError> {
        let impatient = Self { patience: Patience::NONE, ..self.clone() };
        impatient.get(path).await
    }

    /// As [`get`](Self::get), but `None` where there is nothing.
    pub(crate) async fn find(&self, path: &str) -> Result<Option<Body>, CallError> {
        match self.get(path).await {
            Err(CallError::Problem(problem)) if problem.status == StatusCode::NOT_FOUND => Ok(None),
            other => other.map(Some),
        }
    }

    /// Asks for the events at `path`, behind the one of that `id`. `None`: there are no more. Tried only once: who follows events
    /// calls again where it was left.
    pub(crate) async fn events(
        &self,
        path: &str,
        last_id: Option<&str>,
    ) -> Result<Option<Events>, CallError> {
        let mut request = Outgoing::new(Method::GET, path);
        request.last_event_id = last_id.and_then(|id| HeaderValue::from_str(id).ok());
        match self.transport.open(&request).await? {
            Opened::Parts(parts) => Ok(Some(Events::of(parts))),
            Opened::Answer(answer) if answer.status == StatusCode::NO_CONTENT => Ok(None),
            Opened::Answer(answer) => {
                Err(CallError::Problem(Box::new(Problem::read(answer.status, &answer.body))))
            }
        }
    }

    /// Posts `body` to `path`.
    pub(crate) async fn post(&self, path: &str, body: &Value) -> Result<Body, CallError> {
        self.post_as(path, JSON, body.to_string().into()).await
    }

    /// Posts a body of any media type.
    pub(crate) async fn post_as(
        &self,
        path: &str,
        media_type: &'static str,
        body: Bytes,
    ) -> Result<Body, CallError> {
        let mut request = Outgoing::new(Method::POST, path).with_body(media_type, body);
        request.idempotency_key = Some(self.idempotency_key());
        self.call(request).await
    }

    /// Changes what is at `path` by a merge patch.
    pub(crate) async fn patch(&self, path: &str, patch: &Value) -> Result<Body, CallError> {
        self.call(Outgoing::new(Method::PATCH, path).with_body(MERGE_PATCH, patch.to_string().into())).await
    }

    /// Puts `body`, which is JSON, at `path`.
    pub(crate) async fn put(&self, path: &str, body: String) -> Result<Body, CallError> {
        self.call(Outgoing::new(Method::PUT, path).with_body(JSON, body.into())).await
    }

    /// Deletes what is at `path`.
    pub(crate) async fn delete(&self, path: &str) -> Result<Body, CallError> {
        self.call(Outgoing::new(Method::DELETE, path)).await
    }

    /// The server's time, in seconds since 1970, if it says so.
    pub(crate) async fn server_time(&self) -> Result<Option<i64>, CallError> {
        Ok(self.transport.send(&Outgoing::new(Method::GET, "/healthz")).await?.date)
    }

    async fn call(&self, request: Outgoing<'_>) -> Result<Body, CallError> {
        let (mut tries, mut may_be_done) = (0, false);
        loop {
            let outcome = self.transport.send(&request).await;
            tries += 1;
            match self.patience.before_next(tries, &outcome) {
                Some(wait) => {
                    may_be_done |= matches!(&outcome, Err(error) if error.may_have_arrived());
                    tokio::time::sleep(wait).await;
                }
                None => return good(&request, outcome?, may_be_done),
            }
        }
    }

    /// A key that no other request has.
    fn idempotency_key(&self) -> HeaderValue {
        let text = format!("inlet-{:032x}", u128::from_be_bytes(self.entropy.bytes()));
        HeaderValue::from_str(&text).expect("hexadecimal digits are visible ASCII")
    }
}

/// The body of an answer that is a success.
fn good(request: &Outgoing<'_>, answer: Answer, may_be_done: bool) -> Result<Body, CallError> {
    // A delete whose answer was lost finds nothing when it is repeated: it was done.
    let is_gone = request.method == Method::DELETE && answer.status == StatusCode::NOT_FOUND && may_be_done;
    if answer.status.is_success() || is_gone {
        return Ok(Body(answer.body));
    }
    Err(CallError::Problem(Box::new(Problem::read(answer.status, &answer.body))))
}
