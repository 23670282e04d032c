//! A message to a hook: what it says of itself, and whether it is signed by a secret of the connector.
//!
//! Who sends a message that is not, learns nothing but that: not whether there is such a connector, nor whether it has a secret.
//! Each is the same code, after the same work.

use axum::extract::{FromRequest, FromRequestParts as _, RawPathParams, Request};
use axum::http::{HeaderMap, HeaderValue, header};
use inlet_model::{ConnectorId, Timestamp};
use inlet_store::catalog::{Trigger, WebhookSecret};
use inlet_webhooks::{SigningSecret, is_signed};

use crate::app::Api;
use crate::body::Raw;
use crate::codes::Code;
use crate::problem::Problem;
use crate::rate_limit::Limited;
use crate::serve::Peer;
use crate::trigger_secret;

const ID: &str = "webhook-id";
const TIMESTAMP: &str = "webhook-timestamp";
const SIGNATURE: &str = "webhook-signature";

/// The longest id of a message.
const ID_MAX: usize = 255;

/// A message as it came.
#[derive(Debug)]
pub(crate) struct Message {
    /// `None`: no connector can have such an id.
    connector_id: Option<ConnectorId>,
    headers: HeaderMap,
    peer: Option<Peer>,
    body: Raw,
}

impl FromRequest<Api> for Message {
    type Rejection = Problem;

    async fn from_request(request: Request, api: &Api) -> Result<Self, Problem> {
        let (mut parts, body) = request.into_parts();
        let params = RawPathParams::from_request_parts(&mut parts, &()).await.ok();
        let named = params.iter().flatten().find(|(name, _)| *name == "connector_id");
        let connector_id = named.and_then(|(_, id)| id.parse().ok());
        let headers = parts.headers.clone();
        let peer = parts.extensions.get().copied();
        let body = Raw::from_request(Request::from_parts(parts, body), api).await?;
        Ok(Self { connector_id, headers, peer, body })
    }
}

/// A message that a secret of its connector has signed.
#[derive(Debug)]
pub(super) struct Verified {
    pub(super) trigger: Trigger,
    /// The message's own id: the same, however often it is sent.
    pub(super) id: String,
}

impl Message {
    /// Whether a secret of the connector has signed it of late. Whoever sends many that are not is slowed down.
    pub(super) async fn verified(self, api: &Api) -> Result<Verified, Problem> {
        let now = api.clock.now();
        let trigger = match self.connector_id {
            Some(id) => api.catalog.trigger_get(id).await?,
            None => None,
        };
        let secrets = secrets(api, trigger.as_ref(), now);
        let is_signed = self.is_signed(&secrets, now);
        match trigger.filter(|_| is_signed) {
            Some(trigger) => Ok(Verified { trigger, id: self.header(ID).unwrap_or_default().to_owned() }),
            None => {
                let turn = api.rates.take(self.peer.map(|Peer(address)| Limited::address(address)), now);
                Err(turn.refusal().unwrap_or_else(not_verified))
            }
        }
    }

    fn is_signed(&self, secrets: &[SigningSecret], now: Timestamp) -> bool {
        let (id, timestamp, signature) = (self.header(ID), self.header(TIMESTAMP), self.header(SIGNATURE));
        let id = id.filter(|id| (1..=ID_MAX).contains(&id.len()));
        match (id, timestamp, signature) {
            (Some(id), Some(timestamp), Some(signature)) => {
                is_signed(secrets, id, timestamp, signature, &self.body.bytes, now)
            }
            _ => false,
        }
    }

    /// The text of a header that is there once.
    fn header(&self, name: &str) -> Option<&str> {
        let mut values = self.headers.get_all(name).iter();
        let value = values.next().filter(|_| values.next().is_none());
        value.and_then(|value| value.to_str().ok())
    }
}

/// What the message may be signed with. Where there is nothing, something is drawn, sealed and opened, which nobody knows: that takes as long.
fn secrets(api: &Api, trigger: Option<&Trigger>, now: Timestamp) -> Vec<SigningSecret> {
    let Some(trigger) = trigger else {
        let drawn = SigningSecret::generate(&*api.entropy);
        let sealed = trigger_secret::sealed(api, ConnectorId::from_u128(0), &drawn);
        return opened(api, ConnectorId::from_u128(0), &sealed).into_iter().collect();
    };
    let valid = trigger.secrets.valid_at(now);
    valid.filter_map(|secret| opened(api, trigger.connector.id, secret)).collect()
}

fn opened(api: &Api, connector_id: ConnectorId, secret: &WebhookSecret) -> Option<SigningSecret> {
    match api.vault.open(connector_id, &secret.pointer, &secret.sealed) {
        Ok(text) => text.as_str().and_then(|text| text.parse().ok()),
        Err(error) => {
            tracing::error!(%connector_id, %error, "the secret of a trigger cannot be read; give the connector a new one");
            None
        }
    }
}

fn not_verified() -> Problem {
    let detail = "The message is not signed by a secret of the connector, or not within the last five minutes. Sign its `webhook-id`, \
                  `webhook-timestamp` and body as the Standard Webhooks specification says.";
    let challenge = HeaderValue::from_static("Webhook-Signature realm=\"inlet\"");
    Problem::new(Code::HookNotVerified, detail).header(header::WWW_AUTHENTICATE, challenge)
}
