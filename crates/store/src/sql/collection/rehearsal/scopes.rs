//! The scopes of a stream, as they would stand by now.

use inlet_model::{OpenListing, Scope, ScopeState};
use roaring::RoaringTreemap;

use super::super::error::Outcome;
use super::super::scopes::{Listing, ScopeRow, from_json};
use crate::collection::Unseen;

/// How a scope stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    /// In no listing.
    Idle,
    /// In a listing, of this number.
    Listed(u32),
    /// Its listing, of this number, is complete.
    Complete(u32, Unseen),
    /// It is not there any more.
    Gone,
}

/// A scope.
#[derive(Debug)]
pub(super) struct RehearsedScope {
    pub(super) name: Scope,
    pub(super) standing: Standing,
    /// Whether the run has listed it to the end, or found it unchanged.
    pub(super) settled: bool,
    /// Records of it that stand in the file and do not wait for a sweep.
    pub(super) records: u64,
    /// Of those, the changes of the ones that its listing has seen.
    seen: RoaringTreemap,
    /// Of those, the changes of the ones that are not there any more, or in another scope.
    left: RoaringTreemap,
    start: ScopeState,
}

impl RehearsedScope {
    /// A scope that was not there before.
    pub(super) fn new(name: &Scope) -> Self {
        Self {
            name: name.clone(),
            standing: Standing::Idle,
            settled: false,
            records: 0,
            seen: RoaringTreemap::new(),
            left: RoaringTreemap::new(),
            start: ScopeState::default(),
        }
    }

    /// A scope as the run finds it, once what waits in it is swept.
    pub(super) fn of(row: &ScopeRow, reshaped: bool, full_refresh: bool) -> Outcome<Self> {
        let mut scope = Self { records: row.records, ..Self::new(&row.name) };
        if reshaped {
            return Ok(scope);
        }
        scope.start.listed_by = (row.listed_by > 0).then_some(row.listed_by);
        scope.start.cursor = from_json(row.cursor.as_deref())?;
        match &row.listing {
            Listing::None => {}
            Listing::Open(_) if full_refresh => {}
            Listing::Open(open) => {
                // What it has seen is not looked up, so it begins anew.
                scope.start.listing = Some(OpenListing { generation: open.generation, position: None });
            }
            Listing::Complete(listing) => {
                scope.start.cursor = from_json(listing.cursor.as_deref())?;
                scope.records = row.records.saturating_sub(listing.unseen);
            }
            Listing::Gone { .. } => {
                scope.start = ScopeState::default();
                scope.records = 0;
            }
        }
        Ok(scope)
    }

    /// Where a source would begin to read it.
    pub(super) fn start(&self) -> &ScopeState {
        &self.start
    }

    /// Begins a listing of this number.
    pub(super) fn open_listing(&mut self, number: u32) {
        self.standing = Standing::Listed(number);
        self.seen.clear();
    }

    /// The number of the listing that sees what is written to it; 0 for none.
    pub(super) fn listing(&self) -> u32 {
        match self.standing {
            Standing::Listed(number) | Standing::Complete(number, _) => number,
            Standing::Idle | Standing::Gone => 0,
        }
    }

    /// Whether its listing has seen the record of the file that this change made.
    pub(super) fn has_seen(&self, change: u64) -> bool {
        self.seen.contains(change)
    }

    /// Whether what its listing did not see waits for the sweep.
    pub(super) fn leaves_to_sweep(&self) -> bool {
        matches!(self.standing, Standing::Complete(_, fate) if fate != Unseen::Stays)
    }

    /// A record of it that stands in the file is found in it.
    pub(super) fn find(&mut self, change: u64) {
        self.left.remove(change);
        if self.listing() > 0 {
            self.seen.insert(change);
        }
    }

    /// A record of it that stands in the file is not in it any more.
    pub(super) fn lose(&mut self, change: u64) {
        self.seen.remove(change);
        self.left.insert(change);
    }

    /// What a sweep would delete of it, and what is to be asked first.
    pub(super) fn unseen(&self) -> Option<(u64, Unseen)> {
        let here = self.records.saturating_sub(self.left.len());
        match self.standing {
            Standing::Complete(_, fate) => Some((here.saturating_sub(self.seen.len()), fate)),
            Standing::Gone => Some((here, Unseen::Goes)),
            Standing::Idle | Standing::Listed(_) => None,
        }
    }

    /// Whether a record of it that stands in the file would be deleted.
    pub(super) fn lacks(&self, change: u64) -> bool {
        let waits = match self.standing {
            Standing::Complete(_, fate) => fate != Unseen::Stays && !self.seen.contains(change),
            Standing::Gone => true,
            Standing::Idle | Standing::Listed(_) => false,
        };
        waits && !self.left.contains(change)
    }
}
