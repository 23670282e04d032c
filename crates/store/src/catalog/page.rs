//! Pages of a list.

use inlet_model::Timestamp;

/// Which part of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageQuery {
    /// Only what stands behind this place.
    pub after: Option<PageCursor>,
    /// At most this many.
    pub limit: usize,
}

/// A place in a list ordered by time of creation, newest first, and then by id, greatest first.
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
