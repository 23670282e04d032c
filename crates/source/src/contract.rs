//! What a source can do. The docs here are the specification.

use std::collections::BTreeSet;

use async_trait::async_trait;
use inlet_model::StreamName;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use crate::{Outlet, ReadRequest, SourceError, StreamRequest};

/// What a source promises beyond the contract; the engine and the conformance suite go by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, JsonSchema)]
pub struct Capabilities {
    /// A listing goes on from its last checkpoint after a restart. Without it, a listing starts again.
    pub resumable_listing: bool,
    /// An incremental read skips what has not changed since the last one, of a stream with a cursor field at least.
    pub incremental: bool,
    /// An incremental read finds out that nothing has changed, and then sends no records.
    pub tells_unchanged: bool,
    /// A complete listing is certified: nothing that was there can have been missed, so that what it did not
    /// see may be deleted.
    pub certified_listing: bool,
    /// The source can say of records by their keys whether they are still there ([`Source::verify_absent`]), so that what
    /// a complete listing did not see may be deleted although things changed while it was read.
    pub verify_absent: bool,
}

/// A stream that discovery found.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct StreamSpec {
    /// Its name.
    pub name: StreamName,
    /// The JSON Schema of its records, as far as the source knows it.
    pub schema: Value,
    /// The fields that make a good key; empty where the source gives each record a key of its own.
    pub primary_key: Vec<String>,
    /// The field by which incremental reads can advance.
    pub cursor_field: Option<String>,
    /// About how many records there are.
    pub estimated_records: Option<u64>,
}

/// Something that can be read: a connector's config brought to life.
///
/// All methods may be called at the same time from several tasks, and again after an error. None may block the
/// thread it runs on for longer than a moment: blocking work goes to a thread of its own. Every wait has a limit.
/// Dropping a method's future, or its [`Outlet`] closing, ends its work; a source that cannot end at once leaves
/// its thread to die alone, holding nothing others wait for.
#[async_trait]
pub trait Source: Send + Sync + std::fmt::Debug {
    /// What this source promises. Constant over its life.
    fn capabilities(&self) -> Capabilities;

    /// Whether the source can be reached and read with this config. Reads no records, changes nothing.
    async fn check(&self) -> Result<(), SourceError>;

    /// The streams there are, in a stable order.
    async fn discover(&self) -> Result<Vec<StreamSpec>, SourceError>;

    /// Reads the streams of `request` and sends what it finds to `out`.
    ///
    /// **Order.** Streams one after another; within a stream, scopes one after another in a stable order. For one
    /// scope the messages are, in this order: [`Listing`](crate::Message::Listing) where a new listing begins (not where one
    /// of the request is gone on with); then [`Batch`](crate::Message::Batch)es, whose checkpoint covers everything sent
    /// before it for that scope; then [`Complete`](crate::Message::Complete) if the whole scope was read. A scope that needs
    /// no reading is [`Unchanged`](crate::Message::Unchanged) instead. When all scopes of a stream have been gone through
    /// and the set of them is known for certain, [`Scopes`](crate::Message::Scopes) names the set. The end of a stream is
    /// [`StreamEnd`](crate::Message::StreamEnd), or [`StreamFailed`](crate::Message::StreamFailed), after which the next one goes on.
    ///
    /// **Checkpoints.** The engine commits what lies up to a checkpoint in one transaction with it, and asks for
    /// `read` again with the last one committed, after a crash or on the next sync. From there the source must yield every
    /// record it had not yielded by then, and inside a listing none that it had. A batch without a checkpoint is
    /// committed too, but then a listing starts again after a restart.
    ///
    /// **Complete** is said only when nothing can have been missed: never inferred from the end of input. A source that
    /// notices a change under its hands (a file that grew) fails the stream instead.
    ///
    /// **Records.** A bad record is a rejection in its batch, never an error: the read goes on. Within a listing each
    /// key comes once; the engine rejects the second.
    ///
    /// **Bounds.** A batch is closed at [`ReadRequest::batch_bytes`] or when its first record is
    /// [`ReadRequest::batch_delay`] old, whichever is first. `out` waits while the reader of messages is behind.
    ///
    /// **Errors.** `Err` is for what stops all streams; what concerns one stream is `StreamFailed`.
    async fn read(&self, request: ReadRequest, out: Outlet) -> Result<(), SourceError>;

    /// Asks for records by their keys, and gives the keys of those that are still there.
    ///
    /// Called when a complete listing that was not certified has not seen the records with these `keys`, encoded as the
    /// source encoded them, and just before they are deleted. What may still be there, or cannot be asked for, counts as
    /// there. A source without [`Capabilities::verify_absent`] is not asked.
    async fn verify_absent(
        &self,
        _stream: &StreamRequest,
        keys: Vec<Vec<u8>>,
    ) -> Result<BTreeSet<Vec<u8>>, SourceError> {
        Ok(keys.into_iter().collect())
    }
}
