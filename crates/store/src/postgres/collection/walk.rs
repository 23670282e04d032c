//! Walking through the keys of streams, some pages at a time.

use std::collections::VecDeque;

use super::keys::{self, Found};
use super::tables::StoreTables;
use crate::sql::collection::keys::{range_of, split};
use crate::sql::collection::{Outcome, Step, Trouble, Walked};

/// Rows of the first page; each further one has twice as many, up to the most.
const FIRST_PAGE: usize = 64;
const LARGEST_PAGE: usize = 4_096;

/// Gives the rows of the streams to `each`, in order of keys and with equal keys in the order of the streams.
pub(super) fn walk(
    tables: &StoreTables<'_>,
    streams: &[Walked],
    each: &mut dyn FnMut(Step) -> Outcome<bool>,
) -> Outcome<()> {
    let mut cursors: Vec<Cursor> = streams.iter().map(Cursor::at).collect();
    loop {
        let mut first: Option<(usize, &[u8])> = None;
        for (stream, cursor) in cursors.iter_mut().enumerate() {
            cursor.fill(tables)?;
            let Some(key) = cursor.key()? else { continue };
            if first.is_none_or(|(_, least)| key < least) {
                first = Some((stream, key));
            }
        }
        let Some((stream, _)) = first else { return Ok(()) };
        let Some((filed, row)) = cursors[stream].rows.pop_front() else { return Ok(()) };
        if !each(Step { stream, filed, row })? {
            return Ok(());
        }
    }
}

/// A place in a stream, and the rows behind it that were read.
struct Cursor {
    from: Vec<u8>,
    end: Vec<u8>,
    rows: VecDeque<Found>,
    page: usize,
    is_through: bool,
}

impl Cursor {
    fn at(walked: &Walked) -> Self {
        let end = range_of(walked.stream).end;
        Self { from: walked.from.clone(), end, rows: VecDeque::new(), page: FIRST_PAGE, is_through: false }
    }

    /// Reads the next page when there is nothing left of the one before.
    fn fill(&mut self, tables: &StoreTables<'_>) -> Outcome<()> {
        if !self.rows.is_empty() || self.is_through {
            return Ok(());
        }
        self.rows = keys::page(tables, &self.from, &self.end, self.page)?.into();
        self.is_through = self.rows.len() < self.page;
        if let Some((last, _)) = self.rows.back() {
            self.from.clone_from(last);
            self.from.push(0);
        }
        self.page = (self.page * 2).min(LARGEST_PAGE);
        Ok(())
    }

    /// The next key within its stream.
    fn key(&self) -> Outcome<Option<&[u8]>> {
        let of = |(filed, _): &Found| split(filed).map(|(_, key)| key.len());
        let Some(next) = self.rows.front() else { return Ok(None) };
        let length = of(next).ok_or(Trouble::Damaged("a key has no stream"))?;
        Ok(Some(&next.0[next.0.len() - length..]))
    }
}
