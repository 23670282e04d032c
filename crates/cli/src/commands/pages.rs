//! A list of the API, page by page, in bounded memory.

use serde::de::DeserializeOwned;

use crate::client::objects::Page;
use crate::client::{CallError, Client, Query};

/// The longest page of records and changes …
const MOST_RECORDS: u64 = 1000;
/// … and that of everything else.
const MOST_OBJECTS: u64 = 200;

/// A list being read.
#[derive(Debug)]
pub(super) struct Pages<'a> {
    client: &'a Client,
    path: String,
    filter: Query,
    /// Items still wanted; `None`: all.
    wanted: Option<u64>,
    longest: u64,
    place: Place,
}

#[derive(Debug)]
enum Place {
    /// With these parameters instead of a cursor.
    Start(Query),
    After(String),
    End,
}

impl<'a> Pages<'a> {
    /// The records or changes at `path`, filtered by `filter`, at most `limit` of them.
    pub(super) fn of_records(client: &'a Client, path: String, filter: Query, limit: Option<u64>) -> Self {
        let place = Place::Start(filter.clone());
        Self { client, path, filter, wanted: limit, longest: MOST_RECORDS, place }
    }

    /// Any other list.
    pub(super) fn of_objects(client: &'a Client, path: String, filter: Query, limit: Option<u64>) -> Self {
        Self { longest: MOST_OBJECTS, ..Self::of_records(client, path, filter, limit) }
    }

    /// Begins behind the item that this parameter names.
    pub(super) fn after(mut self, name: &str, value: &str) -> Self {
        self.place = Place::Start(self.filter.clone().with(name, Some(value)));
        self
    }

    /// The next items; `None` when there are no more, or as many as wanted have been read.
    pub(super) async fn next<T: DeserializeOwned>(&mut self) -> Result<Option<Vec<T>>, CallError> {
        let place = match &self.place {
            Place::End => return Ok(None),
            _ if self.wanted == Some(0) => return Ok(None),
            Place::Start(start) => start.clone(),
            Place::After(cursor) => self.filter.clone().with("cursor", Some(cursor)),
        };
        let size = self.wanted.unwrap_or(self.longest).min(self.longest);
        let query = place.with("limit", Some(&size.to_string()));
        let page: Page<T> = self.client.get(&query.of(&self.path)).await?.read()?;
        let got = u64::try_from(page.data.len()).unwrap_or(u64::MAX);
        self.wanted = self.wanted.map(|wanted| wanted.saturating_sub(got));
        // A feed has a next cursor even at its end: there an empty page says so.
        self.place = page.next_cursor.filter(|_| got > 0).map_or(Place::End, Place::After);
        Ok(Some(page.data))
    }

    /// Whether the list may go on behind what was read.
    pub(super) fn may_go_on(&self) -> bool {
        matches!(self.place, Place::After(_))
    }
}
