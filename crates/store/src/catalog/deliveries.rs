//! Deliveries: what each webhook is told, from the move of a sync that caused it until it has arrived or is given up.
//!
//! They are an outbox. A delivery is queued in the very transaction that moves the sync, and leaves the queue only when its
//! answer is noted; so it is sent at least once, whatever crashes, and under the same id each time.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use inlet_model::{DeliveryId, SyncId, Timestamp, WebhookId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio::sync::Notify;

use super::{Effect, Idempotent, Page, PageQuery, Webhook, WebhookEvent};
use crate::StoreResult;

/// A delivery older than this is forgotten.
pub const DELIVERIES_KEPT: Duration = Duration::from_secs(7 * 24 * 60 * 60);
/// So many deliveries of one webhook may wait; beyond that the oldest are given up.
pub const DELIVERIES_WAITING_MAX: u32 = 10_000;

macro_rules! names {
    ($(#[$doc:meta])* $name:ident { $($(#[$of:meta])* $variant:ident = $text:literal,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
        pub enum $name {
            $($(#[$of])* #[serde(rename = $text)] $variant,)*
        }

        impl $name {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// Its name.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)*
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl FromStr for $name {
            type Err = UnknownName;

            fn from_str(text: &str) -> Result<Self, UnknownName> {
                Self::ALL.iter().copied().find(|each| each.as_str() == text).ok_or(UnknownName)
            }
        }
    };
}

/// A text that names nothing of the kind that was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("there is nothing of that name")]
pub struct UnknownName;

names!(
    /// Where a delivery stands.
    DeliveryState {
        /// It is to be sent, for the first time or again.
        Waiting = "waiting",
        /// Its target has taken it.
        Delivered = "delivered",
        /// It is not sent again by itself.
        GivenUp = "given_up",
    }
);

names!(
    /// Why a delivery was given up.
    GiveUpReason {
        /// Its target did not take it for as long as it was tried.
        Expired = "expired",
        /// Too many newer ones wait for the same webhook.
        TooManyWaiting = "too_many_waiting",
        /// Its target has said that it is gone.
        TargetGone = "target_gone",
    }
);

names!(
    /// Why an attempt got no answer.
    DeliveryError {
        /// The URL is none that deliveries may be sent to.
        UrlRefused = "url_refused",
        /// The address is none that this server may reach.
        AddressRefused = "address_refused",
        /// Without TLS only addresses of this machine and of private networks are told anything.
        TlsRequired = "tls_required",
        /// The name of the host leads to no address.
        NameNotResolved = "name_not_resolved",
        /// No connection was made.
        ConnectFailed = "connect_failed",
        /// The connection is not safe: its certificate, or TLS itself.
        TlsFailed = "tls_failed",
        /// The target took too long.
        TimedOut = "timed_out",
        /// The connection broke before the answer.
        Broken = "broken",
        /// The webhook's secret cannot be read, so nothing can be signed.
        SecretUnreadable = "secret_unreadable",
    }
);

/// What came of an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// The target answered.
    Answered {
        /// The HTTP status.
        status: u16,
        /// The beginning of the body.
        body: String,
    },
    /// It did not.
    Failed(DeliveryError),
}

/// What came of an attempt, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeliveryAnswer {
    /// When it was known.
    pub at: Timestamp,
    /// How long it took, in milliseconds.
    pub duration_ms: u32,
    /// What it was.
    pub reply: Reply,
}

/// How far a delivery has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeliveryProgress {
    /// It is to be sent.
    Waiting {
        /// When; while it is being sent, when that counts as lost.
        next_attempt_at: Timestamp,
    },
    /// It has arrived.
    Delivered {
        /// When.
        at: Timestamp,
    },
    /// It is not sent again by itself.
    GivenUp {
        /// Since when.
        at: Timestamp,
        /// Why.
        reason: GiveUpReason,
    },
}

impl DeliveryProgress {
    /// Where it stands, in a word.
    #[must_use]
    pub const fn state(self) -> DeliveryState {
        match self {
            Self::Waiting { .. } => DeliveryState::Waiting,
            Self::Delivered { .. } => DeliveryState::Delivered,
            Self::GivenUp { .. } => DeliveryState::GivenUp,
        }
    }
}

/// What one webhook is told of one event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// Its id, the same however often it is sent.
    pub id: DeliveryId,
    /// Who is told.
    pub webhook_id: WebhookId,
    /// What happened.
    pub event: WebhookEvent,
    /// To which sync.
    pub sync_id: SyncId,
    /// What is sent: the whole body.
    pub payload: String,
    /// How often it was sent, or began to be.
    pub attempts: u32,
    /// When it was queued.
    pub created_at: Timestamp,
    /// How far it has come.
    pub progress: DeliveryProgress,
    /// What came of the last attempt that ended.
    pub last_answer: Option<DeliveryAnswer>,
}

/// Which deliveries a sender takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DeliveryClaim {
    /// Those that are due now …
    pub now: Timestamp,
    /// … and nobody else's until then.
    pub until: Timestamp,
    /// How many of one webhook may be claimed at the same time.
    pub per_webhook: u32,
    /// How many this call claims at most.
    pub limit: usize,
}

/// A delivery that was given to a sender, with its attempt counted already.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClaimedDelivery {
    /// The delivery.
    pub delivery: Delivery,
    /// Its webhook.
    pub webhook: Webhook,
}

/// What follows from an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It has arrived.
    Delivered,
    /// It is sent again then.
    RetryAt(Timestamp),
    /// It was tried for long enough.
    Expired,
    /// Its target is gone: the webhook is disabled as well.
    TargetGone,
}

/// The end of an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeliveryNote {
    /// The delivery.
    pub id: DeliveryId,
    /// The attempt, as [`Delivery::attempts`] had it when it was claimed.
    pub attempt: u32,
    /// What came of it.
    pub answer: DeliveryAnswer,
    /// What follows.
    pub verdict: Verdict,
}

/// What is in the way of sending a delivery again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RetryConflict {
    /// It is not there.
    Absent,
    /// Its webhook is disabled.
    Disabled,
}

/// The deliveries of the catalog.
///
/// [`Syncs`](super::Syncs) queues them: each move of a sync that [`WebhookEvent::of_move`] names, in its own transaction, for each webhook of
/// the sync's space that [wants](Webhook::wants) it. A webhook that was made after a connector was deleted is told nothing of
/// that connector's syncs, so that a space made again under an id shows nothing of the old one. What waits beyond
/// [`DELIVERIES_WAITING_MAX`] is given up in the same transaction, the oldest first.
#[async_trait]
pub trait Deliveries {
    /// A page of a webhook's deliveries, those that stand so.
    async fn delivery_list(
        &self,
        webhook_id: WebhookId,
        state: Option<DeliveryState>,
        query: PageQuery,
    ) -> StoreResult<Page<Delivery>>;
    /// The delivery of that id, of that webhook.
    async fn delivery_get(&self, webhook_id: WebhookId, id: DeliveryId) -> StoreResult<Option<Delivery>>;
    /// Makes a delivery due at `now`, wherever it stands; one that is being sent at this moment is left alone.
    async fn delivery_retry(
        &self,
        webhook_id: WebhookId,
        id: DeliveryId,
        now: Timestamp,
        idempotent: Option<Idempotent>,
    ) -> StoreResult<Effect<RetryConflict>>;
    /// Gives the caller deliveries of active webhooks that are due, those of each webhook in the order in which they became
    /// due, and counts an attempt of each. Should its end not be noted until the claim ends, it is due again.
    async fn delivery_claim(&self, claim: DeliveryClaim) -> StoreResult<Vec<ClaimedDelivery>>;
    /// When the first delivery of an active webhook becomes due, a claimed one by the end of its claim; `None` if none waits.
    async fn delivery_next(&self) -> StoreResult<Option<Timestamp>>;
    /// Writes down how an attempt ended; whether it did: the note of an attempt that is not the last, or of a delivery that
    /// does not wait, is passed over.
    async fn delivery_note(&self, note: DeliveryNote) -> StoreResult<bool>;
    /// Makes due again what a process had claimed that has ended. Called once, at start.
    async fn delivery_take_over(&self, now: Timestamp) -> StoreResult<()>;
    /// Forgets deliveries that were queued before that time, and those of deleted webhooks, at most `limit` of each. Says
    /// how many; fewer than `limit`: there are no more.
    async fn delivery_forget(&self, before: Timestamp, limit: usize) -> StoreResult<usize>;
    /// Notified after a transaction of this process that has queued deliveries.
    fn delivery_queued(&self) -> Arc<Notify>;
}
