//! What each entry comes to, by what stands in the key table and what came before it in the same segment.
//!
//! Within a segment no listing begins or ends and no scope settles, so each scope's standing is looked at once
//! ([`Slots`]).

use inlet_model::{ChangeOp, HASH_LEN, Op, Scope};

use super::super::block::ScopeId;
use super::super::error::Outcome;
use super::super::key_row::KeyRow;
use super::draft::{Draft, StreamIndex};
use super::entries::Entries;
use super::slots::Slots;

/// What an entry comes to.
#[derive(Debug)]
pub(super) enum Verdict {
    /// Nothing changes.
    Unchanged,
    /// It is refused.
    Rejected,
    /// What was there before stays; the refusal is counted on its own.
    Kept,
    /// It makes a change.
    Written(Written),
}

/// A change that an entry makes.
#[derive(Debug)]
pub(super) struct Written {
    pub(super) op: ChangeOp,
    pub(super) previous: Option<Link>,
    pub(super) created_us: i64,
    /// Whether the key table will point at it.
    pub(super) live: bool,
}

/// The change that made a record what it is.
#[derive(Debug, Clone, Copy)]
pub(super) enum Link {
    /// One that was there before the segment.
    Stored(u64),
    /// That of an entry of the segment, which has no number yet.
    Entry(usize),
}

/// A record as it is after some of a key's entries.
#[derive(Debug, Clone, Copy)]
pub(super) struct Current {
    pub(super) hash: [u8; HASH_LEN],
    pub(super) link: Link,
    pub(super) created_us: i64,
    pub(super) scope: ScopeId,
    /// Whether an entry of the segment was about it: then its scope's listing, if there is one, has seen it.
    pub(super) touched: bool,
}

/// A record that is refused.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) batch: usize,
    pub(super) position: u64,
    pub(super) why: Refused,
}

/// Who refuses it, and what for.
#[derive(Debug)]
pub(super) enum Refused {
    /// The source: the rejection of that index in the batch.
    BySource(usize),
    /// The store: another record has taken the key, in the scope `owner` if that is another.
    Duplicate { entry: usize, owner: Option<Scope> },
}

/// The stream and scope of a batch.
#[derive(Debug, Clone, Copy)]
pub(super) struct BatchPlace {
    pub(super) stream: StreamIndex,
    pub(super) scope: ScopeId,
    slot: usize,
    /// Whether nothing of the stream is deleted.
    appends: bool,
}

/// The walk through the keys of a segment.
pub(super) struct Walk<'e, 'b> {
    entries: &'e Entries<'b>,
    places: Vec<BatchPlace>,
    slots: Slots,
    walked: Walked,
    now_us: i64,
}

/// What came of it.
#[derive(Debug)]
pub(super) struct Walked {
    pub(super) verdicts: Vec<Verdict>,
    /// Once they are numbered, the changes of the entries that make one.
    pub(super) changes: Vec<u64>,
    /// Stored changes that the key table does not point at any more.
    pub(super) superseded: Vec<u64>,
    pub(super) refusals: Vec<Refusal>,
    places: Vec<BatchPlace>,
    robbed_by: Vec<Option<usize>>,
}

impl Walked {
    /// The number of a change; those of the segment have theirs from the order of arrival.
    pub(super) fn change_of(&self, link: Link) -> u64 {
        match link {
            Link::Stored(change) => change,
            Link::Entry(index) => self.changes[index],
        }
    }

    /// Whether the batch's scope lost a record to a later batch: then it is to be listed again, however far the batch came.
    pub(super) fn is_robbed_after(&self, batch: usize) -> bool {
        self.robbed_by[self.places[batch].slot] > Some(batch)
    }

    /// The stream and scope of a batch.
    pub(super) fn place(&self, batch: usize) -> BatchPlace {
        self.places[batch]
    }
}

impl<'e, 'b> Walk<'e, 'b> {
    pub(super) fn begin(draft: &mut Draft<'_>, entries: &'e Entries<'b>) -> Outcome<Self> {
        let verdicts = std::iter::repeat_with(|| Verdict::Unchanged).take(entries.len()).collect();
        let mut walk = Self {
            entries,
            places: Vec::new(),
            slots: Slots::default(),
            walked: Walked {
                verdicts,
                changes: vec![0; entries.len()],
                superseded: Vec::new(),
                refusals: Vec::new(),
                places: Vec::new(),
                robbed_by: Vec::new(),
            },
            now_us: draft.origin.at.as_micros(),
        };
        for batch in entries.batches() {
            let stream = draft.stream(batch.stream())?;
            let scope = draft.scope(stream, batch.scope())?.id;
            let slot = walk.slots.of(draft, stream, scope)?;
            let appends = draft.streams[stream].row.appends;
            walk.places.push(BatchPlace { stream, scope, slot, appends });
        }
        Ok(walk)
    }

    /// Walks through the entries of one key, in the order they arrived. Gives the record as it is after them.
    pub(super) fn key(
        &mut self,
        draft: &mut Draft<'_>,
        stored: Option<&KeyRow>,
        entries: impl Iterator<Item = usize>,
    ) -> Outcome<Option<Current>> {
        let mut current = stored.map(|row| Current {
            hash: row.hash,
            link: Link::Stored(row.change),
            created_us: row.created_us,
            scope: row.scope,
            touched: false,
        });
        for index in entries {
            let entry = self.entries.entry(index);
            self.walked.verdicts[index] = match entry.op {
                Op::Upsert => self.upsert(draft, &mut current, index, *entry.hash.as_bytes())?,
                Op::Keep => self.keep(draft, &mut current, index)?,
                Op::Delete => self.delete(draft, &mut current, index)?,
            };
        }
        Ok(current)
    }

    fn upsert(
        &mut self,
        draft: &mut Draft<'_>,
        current: &mut Option<Current>,
        index: usize,
        hash: [u8; HASH_LEN],
    ) -> Outcome<Verdict> {
        let place = self.places[self.entries.batch_of(index)];
        let Some(record) = current else {
            self.slots[place.slot].gain();
            *current = Some(Current {
                hash,
                link: Link::Entry(index),
                created_us: self.now_us,
                scope: place.scope,
                touched: true,
            });
            let (op, created_us) = (ChangeOp::Created, self.now_us);
            return Ok(Verdict::Written(Written { op, previous: None, created_us, live: true }));
        };
        if record.scope == place.scope {
            if self.slots[place.slot].has_seen(record) {
                if place.appends && record.hash == hash {
                    return Ok(Verdict::Unchanged);
                }
                return Ok(self.refuse(index, place, None));
            }
            self.slots[place.slot].see();
            self.slots[place.slot].find(record);
        } else {
            let owner = self.slots.of(draft, place.stream, record.scope)?;
            let is_left = self.slots[owner].leaves_to_sweep(record);
            if self.slots[place.slot].is_listed() && self.slots[owner].is_settled() && !is_left {
                let owner = self.slots[owner].name().clone();
                return Ok(self.refuse(index, place, Some(owner)));
            }
            if is_left {
                self.slots[owner].hand_over();
            } else {
                self.slots[owner].lose_to(self.entries.batch_of(index), record);
            }
            self.slots[place.slot].gain();
            record.scope = place.scope;
        }
        record.touched = true;
        if record.hash == hash {
            self.slots[place.slot].note_unchanged(record);
            return Ok(Verdict::Unchanged);
        }
        let previous = record.link;
        record.hash = hash;
        record.link = Link::Entry(index);
        let created_us = record.created_us;
        self.supersede(previous);
        let op = ChangeOp::Updated;
        Ok(Verdict::Written(Written { op, previous: Some(previous), created_us, live: true }))
    }

    /// What was there stays, in the scope where it is now, and its listing has seen it: as if it came as it was.
    fn keep(
        &mut self,
        draft: &mut Draft<'_>,
        current: &mut Option<Current>,
        index: usize,
    ) -> Outcome<Verdict> {
        if let Some(record) = current {
            let (hash, refusals) = (record.hash, self.walked.refusals.len());
            self.upsert(draft, current, index, hash)?;
            // It is refused already, for a better reason than that it came twice.
            self.walked.refusals.truncate(refusals);
        }
        Ok(Verdict::Kept)
    }

    fn delete(
        &mut self,
        draft: &mut Draft<'_>,
        current: &mut Option<Current>,
        index: usize,
    ) -> Outcome<Verdict> {
        let place = self.places[self.entries.batch_of(index)];
        if place.appends {
            return Ok(Verdict::Unchanged);
        }
        let Some(record) = current.take() else { return Ok(Verdict::Unchanged) };
        let owner = self.slots.of(draft, place.stream, record.scope)?;
        self.slots[owner].lose(&record);
        self.supersede(record.link);
        Ok(Verdict::Written(Written {
            op: ChangeOp::Deleted,
            previous: Some(record.link),
            created_us: record.created_us,
            live: false,
        }))
    }

    fn refuse(&mut self, index: usize, place: BatchPlace, owner: Option<Scope>) -> Verdict {
        self.slots[place.slot].refuse_duplicate();
        let batch = self.entries.batch_of(index);
        let why = Refused::Duplicate { entry: index, owner };
        let position = self.entries.entry(index).position;
        self.walked.refusals.push(Refusal { batch, position, why });
        Verdict::Rejected
    }

    /// Notes that the key table will not point at a change any more.
    fn supersede(&mut self, link: Link) {
        match link {
            Link::Stored(change) => self.walked.superseded.push(change),
            Link::Entry(index) => {
                if let Verdict::Written(written) = &mut self.walked.verdicts[index] {
                    written.live = false;
                }
            }
        }
    }

    /// Tells the draft what became of the scopes.
    pub(super) fn end(mut self, draft: &mut Draft<'_>) -> Outcome<Walked> {
        self.walked.places = self.places;
        self.walked.robbed_by = self.slots.end(draft)?;
        Ok(self.walked)
    }
}
