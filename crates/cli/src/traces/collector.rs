//! The collector, as the exporter reaches it: by the HTTP client of this program, on its runtime.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use tokio::runtime::Handle;

use crate::tls::{Flaw, Trust};

/// A collector that has not answered after this long has not got the batch.
const TIMEOUT: Duration = Duration::from_secs(10);

/// No more of an answer is read: what a collector says beside its status is a line or two.
const MAX_ANSWER: usize = 64 << 10;

/// The variable that names a file of certificates.
pub(super) const CERTIFICATE: &str = "OTEL_EXPORTER_OTLP_CERTIFICATE";

/// Sends batches. The exporter's thread is not one of the runtime, so each is sent by a task there.
#[derive(Debug)]
pub(super) struct Collector {
    http: reqwest::Client,
    runtime: Handle,
    /// Whether the last batch did not get through: the log says when that changes, not each time.
    is_failing: Arc<AtomicBool>,
}

impl Collector {
    pub(super) fn new(trust: Trust, runtime: Handle) -> reqwest::Result<Self> {
        let http = trust.client().timeout(TIMEOUT).build()?;
        Ok(Self { http, runtime, is_failing: Arc::default() })
    }

    fn tell(&self, failure: Option<&reqwest::Error>, flaw: Option<Flaw>, status: Option<u16>) {
        let is_failing = failure.is_some() || status.is_some_and(|status| status >= 300);
        if self.is_failing.swap(is_failing, Ordering::Relaxed) == is_failing {
            return;
        }
        if is_failing {
            tracing::warn!(
                error = failure.map(|error| error as &(dyn std::error::Error + 'static)),
                status,
                code = flaw.map(Flaw::code),
                hint = flaw.map(|flaw| flaw.hint(CERTIFICATE)),
                "the trace collector takes no spans; they are lost until it does"
            );
        } else {
            tracing::info!("the trace collector takes spans again");
        }
    }
}

#[async_trait]
impl HttpClient for Collector {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let request = reqwest::Request::try_from(request)?;
        let sent = self.runtime.spawn(send(self.http.clone(), request)).await?;
        let flaw = sent.as_ref().err().and_then(Flaw::of);
        // The URL stays out of the log: it may hold a password.
        let sent = sent.map_err(reqwest::Error::without_url);
        self.tell(sent.as_ref().err(), flaw, sent.as_ref().ok().map(|response| response.status().as_u16()));
        Ok(sent?)
    }
}

async fn send(http: reqwest::Client, request: reqwest::Request) -> reqwest::Result<Response<Bytes>> {
    let mut answer = http.execute(request).await?;
    let mut body = Vec::new();
    while let Some(part) = answer.chunk().await? {
        let room = MAX_ANSWER - body.len();
        body.extend_from_slice(part.get(..room).unwrap_or(&part));
        if body.len() == MAX_ANSWER {
            break;
        }
    }
    let mut response = Response::new(Bytes::from(body));
    *response.status_mut() = answer.status();
    // It may say when to try again.
    *response.headers_mut() = std::mem::take(answer.headers_mut());
    Ok(response)
}
