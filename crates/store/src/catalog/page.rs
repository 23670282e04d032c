//! Pages of a list, and what a list may be narrowed to.

use inlet_model::Timestamp;
use inlet_model::sync::SyncStatus;

use super::ConnectorStatus;

/// Which part of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageQuery {
    /// Only what stands behind this place.
    pub after: Option<PageCursor>,
    /// At most this many.
    pub limit: usize,
    /// What stands before what.
    pub order: Order,
}

/// The order of a list: by time of creation, then by id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Order {
    /// Newest first, greatest id first.
    #[default]
    NewestFirst,
    /// Oldest first, least id first.
    OldestFirst,
}

/// A place in a list, whichever its order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageCursor {
    /// When the last item of the page before was made.
    pub created_at: Timestamp,
    /// Its id.
    pub id: String,
}

/// A part of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    /// The items.
    pub items: Vec<T>,
    /// Where to go on; `None` at the end.
    pub next: Option<PageCursor>,
}

/// Only what was made in this time. The limits themselves are not in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Created {
    /// Later than this.
    pub after: Option<Timestamp>,
    /// Earlier than this.
    pub before: Option<Timestamp>,
}

/// Which spaces or collections to list; all that fit every condition.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct NameFilter {
    /// With exactly this name.
    pub name: Option<String>,
    /// Made in this time.
    pub created: Created,
}

impl NameFilter {
    /// Whether something with this name, made then, is listed.
    #[must_use]
    pub fn admits(&self, name: &str, created_at: Timestamp) -> bool {
        self.name.as_ref().is_none_or(|wanted| wanted == name)
            && self.created.after.is_none_or(|after| created_at > after)
            && self.created.before.is_none_or(|before| created_at < before)
    }
}

/// Which connectors to list; all that fit every condition.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ConnectorFilter {
    /// With exactly this name.
    pub name: Option<String>,
    /// Of this connector type.
    pub kind: Option<String>,
    /// In this state.
    pub status: Option<ConnectorStatus>,
    /// Made in this time.
    pub created: Created,
}

/// Which syncs to list; all that fit every condition.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SyncFilter {
    /// In one of these states; with none, in any.
    pub statuses: Vec<SyncStatus>,
    /// Asked for in this time.
    pub created: Created,
}
