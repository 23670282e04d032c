//! The one client of the HTTP API that every command uses, whether the server is this process or another.

pub(crate) mod objects;
mod problem;
mod transport;
mod uri;

use axum::body::Bytes;
use axum::http::{Method, StatusCode};
use serde::de::DeserializeOwned;
use serde_json::Value;

pub(crate) use problem::{CallError, Problem};
pub(crate) use transport::{Transport, key_headers};
pub(crate) use uri::{Query, segment};

/// A client. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Client {
    transport: Transport,
}

/// A good answer's body.
#[derive(Debug, Clone)]
pub(crate) struct Body(Bytes);

impl Body {
    /// The body as `T`.
    pub(crate) fn read<T: DeserializeOwned>(&self) -> Result<T, CallError> {
        serde_json::from_slice(&self.0).map_err(|error| CallError::Unreadable(Box::new(error)))
    }

    /// The body as the server wrote it.
    pub(crate) fn text(&self) -> Result<&str, CallError> {
        std::str::from_utf8(&self.0).map_err(|error| CallError::Unreadable(Box::new(error)))
    }
}

impl Client {
    /// A client over this transport.
    pub(crate) fn new(transport: Transport) -> Self {
        Self { transport }
    }

    /// Asks for `path`, which is whole: with its query, and escaped.
    pub(crate) async fn get(&self, path: &str) -> Result<Body, CallError> {
        self.call(Method::GET, path, None).await
    }

    /// As [`get`](Self::get), but `None` where there is nothing.
    pub(crate) async fn find(&self, path: &str) -> Result<Option<Body>, CallError> {
        match self.get(path).await {
            Err(CallError::Problem(problem)) if problem.status == StatusCode::NOT_FOUND => Ok(None),
            other => other.map(Some),
        }
    }

    /// Posts `body` to `path`.
    pub(crate) async fn post(&self, path: &str, body: &Value) -> Result<Body, CallError> {
        self.call(Method::POST, path, Some(body)).await
    }

    async fn call(&self, method: Method, path: &str, body: Option<&Value>) -> Result<Body, CallError> {
        let body = body.map(Value::to_string);
        let (status, bytes) = self.transport.send(method, path, body).await?;
        if status.is_success() {
            return Ok(Body(bytes));
        }
        Err(CallError::Problem(Box::new(Problem::read(status, &bytes))))
    }
}
