//! How far a scope has been read: what the store keeps, and what a source is asked to go on from.

use serde_json::Value;

/// How far one scope has been read. Positions and cursors are the source's own; nobody else looks into them.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ScopeState {
    /// A listing that has begun and is not complete. It is finished first.
    pub listing: Option<OpenListing>,
    /// How far incremental reading has come, set when the first listing is complete.
    pub cursor: Option<Value>,
    /// The generation of the last listing that was complete. Equal to the generation of a read where an earlier attempt
    /// of this very sync finished the scope: a full refresh need not list it again if it has not changed since.
    pub listed_by: Option<u64>,
}

/// A listing under way.
#[derive(Debug, Clone, PartialEq)]
pub struct OpenListing {
    /// Its number.
    pub generation: u64,
    /// The last checkpoint, if the listing can go on from one; else it starts again, as a new listing.
    pub position: Option<Value>,
}
