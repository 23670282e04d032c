//! The contract a connector obeys.
//!
//! A [`ConnectorType`] turns a user's config into a [`Source`]; a source checks, discovers and reads. What each
//! method must and may do is written at the trait; [`conformance`] (feature `testing`) holds a connector to it.

mod call_budget;
pub mod config_marks;
#[cfg(feature = "testing")]
pub mod conformance;
mod contract;
mod egress;
mod encoder;
mod error;
pub mod formats;
mod inbox;
mod outlet;
mod push;
mod pushed_line;
mod pushed_mask;
mod registry;
mod request;

pub use call_budget::{CallBudget, CallBudgets, CallRate};
pub use contract::{Capabilities, Source, StreamSpec};
pub use egress::{Egress, Forbidden, is_local};
pub use encoder::{Occurrences, RecordEncoder, Unkeyed, encode_content_key, encode_row_key, too_large};
pub use error::{ErrorKind, SourceError};
pub use inbox::{Inbox, InboxEntry, InboxError};
pub use outlet::{Closed, Message, MessageReceiver, Outlet, Taken, messages};
pub use push::{Accepted, PushForm, accept};
pub use pushed_line::PushedLine;
pub use pushed_mask::mask_pushed;
pub use registry::{ConnectorType, Environment, Registry, UnknownType};
pub use request::{ReadRequest, StreamRequest};
