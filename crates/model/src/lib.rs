//! What flows through Inlet: records, batches, keys, checkpoints, changes, syncs.
//!
//! Pure data and rules. This crate knows no file, no network, no database and no async runtime; time and
//! randomness reach it as [`Clock`] and [`Entropy`].

pub mod approval;
pub mod batch;
pub mod change;
mod clock;
mod counts;
mod duration;
mod entropy;
pub mod fault;
pub mod fields;
mod hash;
pub mod id;
pub mod json;
mod json_schemas;
pub mod key;
mod listing;
pub mod log;
pub mod mask;
mod name;
mod node;
pub mod policy;
pub mod preview;
pub mod schedule;
pub mod schema;
pub mod secret;
pub mod stream;
pub mod sync;
mod timestamp;

pub use batch::{Batch, Entry, Op, PushedRecord, Rejection};
pub use change::{Change, ChangeOp, Record};
pub use clock::{Clock, ManualClock, SystemClock};
pub use counts::Counts;
pub use duration::parse_duration;
pub use entropy::{Entropy, SeededEntropy, SystemEntropy};
pub use hash::{HASH_LEN, HashSeed, RecordHash};
pub use id::{
    AuditId, CollectionId, ConnectorId, DeliveryId, KeyId, NodeId, RequestId, SpaceId, StoreId, SyncId,
    WebhookId,
};
pub use listing::{OpenListing, ScopeState};
pub use name::{NameError, Scope, StreamName};
pub use node::{NodeRole, NodeRoles, NodeRolesError};
pub use timestamp::{NotATime, Timestamp};
