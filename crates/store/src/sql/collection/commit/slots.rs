//! How the scopes stand throughout a segment, and what the segment does to them.

use std::collections::HashMap;
use std::ops::{Index, IndexMut};

use inlet_model::Scope;

use super::super::block::ScopeId;
use super::super::error::{Outcome, Trouble};
use super::super::scopes::{Listing, ScopeRow};
use super::super::seen::SeenSet;
use super::draft::{Draft, StreamIndex};
use super::walk::{Current, Link};

/// The scopes that a segment has met, each under a number.
#[derive(Debug, Default)]
pub(super) struct Slots {
    slots: Vec<Slot>,
    by_scope: HashMap<(StreamIndex, ScopeId), usize>,
}

/// One scope.
#[derive(Debug)]
pub(super) struct Slot {
    stream: StreamIndex,
    scope: ScopeId,
    name: Scope,
    settled: bool,
    listing: Option<SlotListing>,
    /// Its listing that is complete, while what it did not see waits for the sweep.
    complete: Option<SlotListing>,
    /// Records that it gains or loses.
    records: i64,
    /// Records that its listing sees, less those it saw and that went.
    seen: i64,
    /// Records that waited for the sweep and do not any more.
    unawaited: u64,
    /// The last batch to which it lost a record.
    robbed_by: Option<usize>,
    /// Whether a duplicate was refused in its listing.
    duplicates: bool,
}

/// A listing under way.
#[derive(Debug)]
struct SlotListing {
    first_change: u64,
    set: SeenSet,
}

impl SlotListing {
    /// Whether it has seen the record, which belongs to its scope.
    fn has_seen(&self, record: &Current) -> bool {
        match record.link {
            _ if record.touched => true,
            Link::Stored(change) => change >= self.first_change || self.set.contains(change),
            Link::Entry(_) => true,
        }
    }
}

impl Slots {
    /// The number of a scope.
    pub(super) fn of(
        &mut self,
        draft: &mut Draft<'_>,
        stream: StreamIndex,
        scope: ScopeId,
    ) -> Outcome<usize> {
        if let Some(slot) = self.by_scope.get(&(stream, scope)) {
            return Ok(*slot);
        }
        self.slots.push(Slot::read(draft, stream, scope)?);
        self.by_scope.insert((stream, scope), self.slots.len() - 1);
        Ok(self.slots.len() - 1)
    }

    /// Tells the draft what became of the scopes. Gives for each the last batch to which it lost a record.
    pub(super) fn end(self, draft: &mut Draft<'_>) -> Outcome<Vec<Option<usize>>> {
        self.slots
            .into_iter()
            .map(|slot| {
                let robbed_by = slot.robbed_by;
                slot.end(draft).map(|()| robbed_by)
            })
            .collect()
    }
}

impl Index<usize> for Slots {
    type Output = Slot;

    fn index(&self, slot: usize) -> &Slot {
        &self.slots[slot]
    }
}

impl IndexMut<usize> for Slots {
    fn index_mut(&mut self, slot: usize) -> &mut Slot {
        &mut self.slots[slot]
    }
}

impl Slot {
    fn read(draft: &mut Draft<'_>, stream: StreamIndex, scope: ScopeId) -> Outcome<Self> {
        let generation = draft.run.generation;
        let row = draft.scope_ref(stream, scope)?;
        let (name, settled) = (row.name.clone(), row.settled_by == generation);
        let (open, complete) = match &row.listing {
            Listing::Open(listing) => (Some(listing.first_change), None),
            Listing::Complete(listing) => (None, Some(listing.first_change)),
            Listing::None | Listing::Gone { .. } => (None, None),
        };
        let mut take = |first_change: Option<u64>| -> Outcome<Option<SlotListing>> {
            let Some(first_change) = first_change else { return Ok(None) };
            let key = draft.seen_key(stream, scope);
            Ok(Some(SlotListing { first_change, set: draft.seen.take(draft.connection, key)? }))
        };
        let (listing, complete) = (take(open)?, take(complete)?);
        Ok(Self {
            stream,
            scope,
            name,
            settled,
            listing,
            complete,
            records: 0,
            seen: 0,
            unawaited: 0,
            robbed_by: None,
            duplicates: false,
        })
    }

    /// The scope's name.
    pub(super) fn name(&self) -> &Scope {
        &self.name
    }

    /// Whether the run has listed it to the end, or found it unchanged.
    pub(super) fn is_settled(&self) -> bool {
        self.settled
    }

    /// Whether it is in a listing.
    pub(super) fn is_listed(&self) -> bool {
        self.listing.is_some()
    }

    /// Whether its listing has seen the record, which belongs to it.
    pub(super) fn has_seen(&self, record: &Current) -> bool {
        self.listing.as_ref().is_some_and(|listing| listing.has_seen(record))
    }

    /// Whether the record, which belongs to it, waits for the sweep: its listing, which is complete, did not see it.
    pub(super) fn leaves_to_sweep(&self, record: &Current) -> bool {
        self.complete.as_ref().is_some_and(|listing| !listing.has_seen(record))
    }

    /// Counts a record that goes.
    pub(super) fn lose(&mut self, record: &Current) {
        self.records -= 1;
        self.seen -= i64::from(self.has_seen(record));
        self.unawaited += u64::from(self.leaves_to_sweep(record));
    }

    /// Counts a record that goes to the scope of `batch`.
    pub(super) fn lose_to(&mut self, batch: usize, record: &Current) {
        self.lose(record);
        // Keys are not gone through in the order of batches.
        self.robbed_by = self.robbed_by.max(Some(batch));
    }

    /// Counts a record that waited for the sweep and goes to another scope: it was not found here, so there is nothing to list
    /// again.
    pub(super) fn hand_over(&mut self) {
        self.records -= 1;
        self.unawaited += 1;
    }

    /// Counts a record that comes, seen if there is a listing.
    pub(super) fn gain(&mut self) {
        self.records += 1;
        self.see();
    }

    /// Counts a record that its listing, if there is one, sees.
    pub(super) fn see(&mut self) {
        self.seen += i64::from(self.listing.is_some());
    }

    /// Counts a record that is there although a complete listing did not see it: it does not wait for the sweep any more.
    pub(super) fn find(&mut self, record: &Current) {
        self.unawaited += u64::from(self.leaves_to_sweep(record));
    }

    /// Remembers a record that was found as it was. One that has changed since the listing began is known by its change.
    pub(super) fn note_unchanged(&mut self, record: &Current) {
        if let (Some(listing), Link::Stored(change)) =
            (self.listing.as_mut().or(self.complete.as_mut()), record.link)
            && change < listing.first_change
        {
            listing.set.insert(change);
        }
    }

    /// Notes that a record was refused in its listing as a duplicate.
    pub(super) fn refuse_duplicate(&mut self) {
        self.duplicates = true;
    }

    fn end(self, draft: &mut Draft<'_>) -> Outcome<()> {
        let key = draft.seen_key(self.stream, self.scope);
        let row: &mut ScopeRow = draft.scope_mut(self.stream, self.scope)?;
        row.records = sum(row.records, self.records)?;
        if let Listing::Open(listing) = &mut row.listing {
            listing.seen = sum(listing.seen, self.seen)?;
            listing.duplicates |= self.duplicates;
        }
        if let Listing::Complete(listing) = &mut row.listing {
            listing.unseen = listing.unseen.checked_sub(self.unawaited).ok_or(CONTRADICTION)?;
        }
        if self.robbed_by.is_some() {
            row.forget_cursor();
        }
        if let Some(listing) = self.listing.or(self.complete) {
            draft.seen.put(key, listing.set);
        }
        Ok(())
    }
}

fn sum(count: u64, change: i64) -> Outcome<u64> {
    count.checked_add_signed(change).ok_or(CONTRADICTION)
}

const CONTRADICTION: Trouble = Trouble::Damaged("a scope's count contradicts its records");
