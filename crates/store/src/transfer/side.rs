//! One of the two sides of a move, as a backend has it.

use std::fmt;

use inlet_model::StoreId;

use super::{Moved, Page, Place, Table};
use crate::sql::Session;

/// What tables belong to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The catalog.
    Catalog,
    /// The store of a collection.
    Store(StoreId),
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Catalog => f.write_str("the catalog"),
            Self::Store(id) => write!(f, "the store {id}"),
        }
    }
}

impl Part {
    /// The tables that it has.
    pub(super) fn tables(self) -> &'static [Table] {
        match self {
            Self::Catalog => super::CATALOG,
            Self::Store(_) => super::STORE,
        }
    }
}

/// All parts there are, in the order in which they are moved.
pub(super) fn parts(stores: &[StoreId]) -> impl Iterator<Item = Part> {
    std::iter::once(Part::Catalog).chain(stores.iter().copied().map(Part::Store))
}

/// What is done with a part. Statements name tables and columns as in a database that stores share; `?0` is the store.
pub(crate) type Work<'work> = &'work mut dyn FnMut(&dyn Session) -> Moved<()>;

/// A side that can be read.
pub(crate) trait Source {
    /// The stores that are there, in the order of their ids.
    fn stores(&mut self) -> Moved<Vec<StoreId>>;

    /// Reads a part. Rows are shown as they come, however many they are: the session must not be asked for anything else meanwhile.
    fn read(&mut self, part: Part, work: Work<'_>) -> Moved<()>;

    /// An error if others work here now.
    fn refuse_if_in_use(&mut self) -> Moved<()>;
}

/// A side that can be written.
pub(crate) trait Target: Source {
    /// Makes an empty store, unless it is there.
    fn make(&mut self, store: StoreId) -> Moved<()>;

    /// Writes a part, in one transaction.
    fn write(&mut self, part: Part, work: Work<'_>) -> Moved<()>;

    /// Writes rows of a table, and how far it has come with them. Should it come to an end in between, the same rows come once more.
    fn put(&mut self, part: Part, table: &Table, page: &Page, place: &Place) -> Moved<()>;
}
