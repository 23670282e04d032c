//! Pages in keyset order: `WHERE … (created_at, id) < (?, ?) ORDER BY created_at DESC, id DESC LIMIT ?`.

use inlet_model::Timestamp;
use rusqlite::Result;

use crate::catalog::{Page, PageCursor, PageQuery};

/// No list is longer, whatever was asked for.
const MAX_LIMIT: usize = 1000;

/// What a query binds to read one page.
pub(super) struct Keyset {
    limit: usize,
    created_at: i64,
    id: String,
}

impl Keyset {
    pub(super) fn of(query: PageQuery) -> Self {
        let limit = query.limit.min(MAX_LIMIT);
        match query.after {
            Some(place) => Self { limit, created_at: place.created_at.as_micros(), id: place.id },
            // Behind everything: no id has such a character.
            None => Self { limit, created_at: i64::MAX, id: char::MAX.to_string() },
        }
    }

    pub(super) fn created_at(&self) -> i64 {
        self.created_at
    }

    pub(super) fn id(&self) -> &str {
        &self.id
    }

    /// One more than the page holds: whether it is there says whether another page follows.
    pub(super) fn rows(&self) -> i64 {
        i64::try_from(self.limit + 1).unwrap_or(i64::MAX)
    }

    /// The page of the rows that were found; `place` says where an item stands.
    pub(super) fn page<T>(
        &self,
        rows: impl Iterator<Item = Result<T>>,
        place: impl Fn(&T) -> (Timestamp, String),
    ) -> Result<Page<T>> {
        let mut items = rows.collect::<Result<Vec<T>>>()?;
        let more = items.len() > self.limit;
        items.truncate(self.limit);
        let last = items.last().filter(|_| more).map(place);
        Ok(Page { items, next: last.map(|(created_at, id)| PageCursor { created_at, id }) })
    }
}
