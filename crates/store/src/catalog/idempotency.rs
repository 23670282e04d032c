//! Idempotency: the record of a request, stored in the transaction that has the request's effect.

use inlet_model::Timestamp;

/// An idempotency key in use: stored with the effect, or found there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Idempotent {
    /// Who asked for what with which key: a keyed hash of API key, method, path and idempotency key.
    pub scope: [u8; 32],
    /// A keyed hash of the request.
    pub fingerprint: [u8; 32],
    /// The answer, if this request has the effect.
    pub answer: StoredAnswer,
    /// The time; older records than `expired_before` do not count and are removed.
    pub now: Timestamp,
    /// See `now`.
    pub expired_before: Timestamp,
}

/// An answer kept for repeated requests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredAnswer {
    /// The HTTP status.
    pub status: u16,
    /// The `Location` header.
    pub location: Option<String>,
    /// The body.
    pub body: Vec<u8>,
}

/// What came of a request that may carry an idempotency key.
///
/// The record of the key is looked up first: `Replayed` and `Mismatch` come before any conflict.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect<C> {
    /// It was done, and is durable with its idempotency record.
    Done,
    /// Something is in the way; nothing was done or stored.
    Conflict(C),
    /// The same request was done before; this was its answer.
    Replayed(StoredAnswer),
    /// The key was used for another request; nothing was done.
    Mismatch,
}
