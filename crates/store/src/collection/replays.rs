//! Bringing records in that an earlier sync refused, now that their source, or how it is read, has been mended.

use inlet_model::{ConnectorId, SyncId};

use super::Fence;

/// A sync that is about to begin is to read again what an earlier one refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Replay {
    /// The connector.
    pub connector_id: ConnectorId,
    /// The claim of the sync that is about to begin.
    pub fence: Fence,
    /// The sync that refused.
    pub refused_by: SyncId,
    /// Whether its records were pushed: then what was refused is pushed again. Else the scopes in which it stood are listed
    /// again by the next sync that reads their streams.
    pub pushed: bool,
}
