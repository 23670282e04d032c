//! A page: rows on their way from one side to the other.

use std::ops::Range;

use super::TransferOptions;
use crate::sql::{Bound, Cell, Columns, SqlResult};

/// A value of a row. What is long lies beside.
#[derive(Debug, Clone)]
enum Kept {
    Null,
    Integer(i64),
    Text(Range<usize>),
    Blob(Range<usize>),
}

/// Some rows of a table.
#[derive(Debug)]
pub(crate) struct Page {
    options: TransferOptions,
    /// How many values a row has.
    width: usize,
    values: Vec<Kept>,
    texts: String,
    blobs: Vec<u8>,
}

impl Page {
    pub(super) fn new(options: TransferOptions, width: usize) -> Self {
        Self { options, width, values: Vec::new(), texts: String::new(), blobs: Vec::new() }
    }

    /// Takes a row.
    pub(super) fn push(&mut self, columns: &mut Columns<'_>) -> SqlResult<()> {
        for _ in 0..self.width {
            let value = columns.read(|cell| Ok(self.keep(&cell)))?;
            self.values.push(value);
        }
        Ok(())
    }

    fn keep(&mut self, cell: &Cell<'_>) -> Kept {
        match cell {
            Cell::Null => Kept::Null,
            Cell::Integer(number) => Kept::Integer(*number),
            Cell::Text(text) => {
                let start = self.texts.len();
                self.texts.push_str(text);
                Kept::Text(start..self.texts.len())
            }
            Cell::Blob(bytes) => {
                let start = self.blobs.len();
                self.blobs.extend_from_slice(bytes);
                Kept::Blob(start..self.blobs.len())
            }
        }
    }

    pub(super) fn is_full(&self) -> bool {
        self.len() >= self.options.page_rows || self.texts.len() + self.blobs.len() >= self.options.page_bytes
    }

    pub(super) fn clear(&mut self) {
        self.values.clear();
        self.texts.clear();
        self.blobs.clear();
    }

    /// How many rows it has.
    pub(crate) fn len(&self) -> usize {
        self.values.len() / self.width
    }

    /// Its rows.
    pub(crate) fn rows(&self) -> impl Iterator<Item = Vec<Bound<'_>>> {
        self.values.chunks(self.width).map(|row| row.iter().map(|value| self.bound(value)).collect())
    }

    /// The first values of the last row.
    pub(super) fn last(&self, values: usize) -> Vec<Bound<'_>> {
        let row = self.values.chunks(self.width).next_back().unwrap_or_default();
        row.iter().take(values).map(|value| self.bound(value)).collect()
    }

    fn bound(&self, value: &Kept) -> Bound<'_> {
        match value {
            Kept::Null => Bound::Null,
            Kept::Integer(number) => Bound::Integer(*number),
            Kept::Text(range) => Bound::Text(self.texts[range.clone()].into()),
            Kept::Blob(range) => Bound::Blob(&self.blobs[range.clone()]),
        }
    }
}
