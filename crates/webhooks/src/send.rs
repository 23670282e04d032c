//! One attempt: a POST that is signed, bounded in time and in what is read of the answer, and goes nowhere but to its target.

use std::error::Error;
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use inlet_model::{DeliveryId, Timestamp};
use inlet_source::Egress;
use inlet_store::catalog::{DeliveryError, Reply};
use reqwest::header::{CONTENT_TYPE, HeaderMap, RETRY_AFTER};
use reqwest::{Client, Response, redirect};
use tokio::sync::OnceCell;

use crate::names::{Guard, Names, NoAddress};
use crate::sign::{SigningSecret, signature};
use crate::target::{Gate, UrlError, check_url};

/// Bytes of an answer that are read, for the log.
const BODY_READ: usize = 1 << 10;
/// Connections that wait for the next delivery to the same host, and for how long.
const IDLE_CONNECTIONS: usize = 2;
const IDLE_TIME: Duration = Duration::from_secs(30);

/// What is sent.
#[derive(Debug)]
pub(crate) struct Message<'a> {
    pub(crate) id: DeliveryId,
    pub(crate) url: &'a str,
    pub(crate) body: &'a str,
    /// All that sign it.
    pub(crate) secrets: &'a [SigningSecret],
    pub(crate) now: Timestamp,
}

/// What came of it.
#[derive(Debug)]
pub(crate) struct Attempt {
    pub(crate) reply: Reply,
    /// After how many seconds to come again, if the target said so.
    pub(crate) retry_after: Option<u64>,
    pub(crate) duration_ms: u32,
}

/// Makes attempts. Connections with and without TLS may go to different addresses, so each has a client of its own.
#[derive(Debug)]
pub(crate) struct Sender {
    egress: Egress,
    names: Arc<dyn Names>,
    timeout: Duration,
    plain: OnceCell<Client>,
    tls: OnceCell<Client>,
}

impl Sender {
    pub(crate) fn new(egress: Egress, names: Arc<dyn Names>, timeout: Duration) -> Self {
        // Without a provider no client can be built; an error says that the process has one.
        let _done = rustls::crypto::ring::default_provider().install_default();
        Self { egress, names, timeout, plain: OnceCell::new(), tls: OnceCell::new() }
    }

    /// Sends a message once, and waits for its answer within the time-out.
    pub(crate) async fn send(&self, message: Message<'_>) -> Attempt {
        let begun = Instant::now();
        let now = message.now;
        let sent = tokio::time::timeout(self.timeout, self.try_send(message));
        let outcome = sent.await.unwrap_or(Err(DeliveryError::TimedOut));
        let duration_ms = u32::try_from(begun.elapsed().as_millis()).unwrap_or(u32::MAX);
        match outcome {
            Ok((reply, headers)) => Attempt { reply, retry_after: retry_after(&headers, now), duration_ms },
            Err(error) => Attempt { reply: Reply::Failed(error), retry_after: None, duration_ms },
        }
    }

    async fn try_send(&self, message: Message<'_>) -> Result<(Reply, HeaderMap), DeliveryError> {
        // Looked at anew: what the operator allows may have changed since the webhook was made.
        let url = check_url(message.url, self.egress).map_err(|error| match error {
            UrlError::Refused(refusal) => refusal.as_delivery_error(),
            _ => DeliveryError::UrlRefused,
        })?;
        let client = self.client(url.scheme() == "https").await?;
        let seconds = message.now.as_millis().div_euclid(1000);
        let signature = signature(message.secrets, message.id, seconds, message.body.as_bytes());
        let request = client
            .post(url)
            .header("webhook-id", message.id.to_string())
            .header("webhook-timestamp", seconds)
            .header("webhook-signature", signature)
            .header(CONTENT_TYPE, "application/json")
            .body(message.body.to_owned());
        let mut response = request.send().await.map_err(|error| told(&error))?;
        let status = response.status().as_u16();
        let body = beginning(&mut response).await;
        let headers = std::mem::take(response.headers_mut());
        Ok((Reply::Answered { status, body }, headers))
    }

    /// The client for connections with or without TLS. Where no certificate can be trusted there is none with it.
    async fn client(&self, tls: bool) -> Result<&Client, DeliveryError> {
        let cell = if tls { &self.tls } else { &self.plain };
        cell.get_or_try_init(|| async { self.build(tls) }).await.map_err(|error| {
            tracing::error!(error = &error as &dyn Error, "no client for webhooks can be made");
            DeliveryError::TlsFailed
        })
    }

    fn build(&self, tls: bool) -> reqwest::Result<Client> {
        let guard = Guard { names: Arc::clone(&self.names), gate: Gate { egress: self.egress, tls } };
        let builder = Client::builder()
            .redirect(redirect::Policy::none())
            // A proxy would connect where nobody has looked.
            .no_proxy()
            .dns_resolver(Arc::new(guard))
            .pool_max_idle_per_host(IDLE_CONNECTIONS)
            .pool_idle_timeout(IDLE_TIME)
            .user_agent(concat!("Inlet-Webhooks/", env!("CARGO_PKG_VERSION")));
        if tls { builder.https_only(true).build() } else { builder.tls_certs_only([]).build() }
    }
}

/// The beginning of the body. The status has said already what matters: a body that breaks off is as good as its beginning.
async fn beginning(response: &mut Response) -> String {
    let mut bytes = Vec::new();
    while bytes.len() < BODY_READ {
        match response.chunk().await {
            Ok(Some(chunk)) => bytes.extend_from_slice(&chunk[..chunk.len().min(BODY_READ - bytes.len())]),
            Ok(None) | Err(_) => break,
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// In seconds from now, or as a date.
fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<u64> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse() {
        return Some(seconds);
    }
    let date = jiff::fmt::rfc2822::parse(text).ok()?.timestamp().as_second();
    Some(u64::try_from(date.saturating_sub(now.as_millis().div_euclid(1000))).unwrap_or(0))
}

/// Why there was no answer.
fn told(error: &reqwest::Error) -> DeliveryError {
    let mut cause: Option<&(dyn Error + 'static)> = Some(error);
    while let Some(link) = cause {
        match link.downcast_ref::<NoAddress>() {
            Some(NoAddress::Refused(refusal)) => return refusal.as_delivery_error(),
            Some(NoAddress::NotResolved(_)) => return DeliveryError::NameNotResolved,
            None => {}
        }
        if link.is::<rustls::Error>() {
            return DeliveryError::TlsFailed;
        }
        // The source of such an error is that of the one within it, which would be passed over.
        let within = link.downcast_ref::<io::Error>().and_then(|error| error.get_ref());
        cause = match within {
            Some(within) => Some(within),
            None => link.source(),
        };
    }
    match error {
        error if error.is_timeout() => DeliveryError::TimedOut,
        error if error.is_connect() => DeliveryError::ConnectFailed,
        _ => DeliveryError::Broken,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn when_to_come_again_is_read_in_seconds_and_as_a_date() {
        let now = Timestamp::from_millis(1_700_000_000_500);
        let read = |text: &str| {
            let headers = HeaderMap::from_iter([(RETRY_AFTER, text.parse().unwrap())]);
            retry_after(&headers, now)
        };
        assert_eq!(read("120"), Some(120));
        assert_eq!(read("Tue, 14 Nov 2023 22:14:20 GMT"), Some(60));
        assert_eq!(read("Tue, 14 Nov 2023 22:00:00 GMT"), Some(0), "that is past");
        for nothing in ["", "soon", "-5", "1.5"] {
            assert_eq!(read(nothing), None, "{nothing}");
        }
        assert_eq!(retry_after(&HeaderMap::new(), now), None);
    }
}
