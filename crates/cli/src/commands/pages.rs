//! A list of the API, page by page, in bounded memory.

use serde::de::DeserializeOwned;

use crate::client::objects::Page;
use crate::client::{CallError, Client, Query};

/// The longest page of records and changes.
const LONGEST: u64 = 1000;

/// A list being read.
#[derive(Debug)]
pub(super) struct Pages<'a> {
    client: &'a Client,
    path: String,
    query: Query,
    /// Items still wanted; `None`: all.
    wanted: Option<u64>,
    place: Place,
}

#[derive(Debug)]
enum Place {
    Start,
    After(String),
    End,
}

impl<'a> Pages<'a> {
    /// The list at `path`, filtered by `query`, at most `limit` items of it.
    pub(super) fn new(client: &'a Client, path: String, query: Query, limit: Option<u64>) -> Self {
        Self { client, path, query, wanted: limit, place: Place::Start }
    }

    /// The next items; `None` when there are no more, or as many as wanted have been read.
    pub(super) async fn next<T: DeserializeOwned>(&mut self) -> Result<Option<Vec<T>>, CallError> {
        let cursor = match &self.place {
            _ if self.wanted == Some(0) => return Ok(None),
            Place::End => return Ok(None),
            Place::Start => None,
            Place::After(cursor) => Some(cursor.as_str()),
        };
        let size = self.wanted.unwrap_or(LONGEST).min(LONGEST);
        let query = self.query.clone().with("limit", Some(&size.to_string())).with("cursor", cursor);
        let page: Page<T> = self.client.get(&query.of(&self.path)).await?.read()?;
        let got = u64::try_from(page.data.len()).unwrap_or(u64::MAX);
        self.wanted = self.wanted.map(|wanted| wanted.saturating_sub(got));
        self.place = page.next_cursor.map_or(Place::End, Place::After);
        Ok(Some(page.data))
    }

    /// Whether the list goes on behind what was read.
    pub(super) fn has_more(&self) -> bool {
        matches!(self.place, Place::After(_))
    }
}
