//! What the entries of a batch would come to, by the rules of a [commit](super::super::commit).

use inlet_model::{Batch, Counts, Entry, HASH_LEN, Op, Rejection};

use super::super::blocks;
use super::super::error::{Outcome, Trouble};
use super::super::key_row::KeyRow;
use super::super::keys;
use super::super::tables::Tables;
use super::memo::{Memo, Memory};
use super::samples::SampleRoom;
use super::scopes::Standing;
use super::stream::StreamState;
use crate::collection::DUPLICATE_KEY;

/// Takes the records of a batch.
pub(super) fn apply(
    connection: &dyn Tables,
    stream: &mut StreamState,
    memo: &mut Memo,
    room: &mut SampleRoom,
    batch: &Batch,
) -> Outcome<()> {
    let place = stream.scope(batch.scope());
    let filed: Vec<Vec<u8>> = batch.entries().map(|entry| keys::filed(stream.id, entry.key)).collect();
    let stored = connection.keys(&filed)?;
    let mut reading = Reading { connection, stream, memo, room, place, counts: Counts::default() };
    for ((entry, filed), stored) in batch.entries().zip(&filed).zip(stored) {
        reading.entry(filed, stored, &entry)?;
    }
    for rejection in batch.rejections() {
        reading.reject(rejection);
    }
    let mut counts = reading.counts;
    counts.read = counts.created + counts.updated + counts.unchanged + counts.rejected;
    counts.bytes = batch.data_bytes();
    stream.counts += counts;
    Ok(())
}

/// A batch that is gone through.
struct Reading<'a> {
    connection: &'a dyn Tables,
    stream: &'a mut StreamState,
    memo: &'a mut Memo,
    room: &'a mut SampleRoom,
    /// The place of the batch's scope.
    place: usize,
    counts: Counts,
}

/// A record as it would be before an entry.
struct Current {
    hash: [u8; HASH_LEN],
    scope: usize,
    seen: bool,
    /// What stands in the file.
    stored: Option<KeyRow>,
    /// Whether it is still what stands in the file.
    as_stored: bool,
}

impl Reading<'_> {
    fn entry(&mut self, filed: &[u8], stored: Option<KeyRow>, entry: &Entry<'_>) -> Outcome<()> {
        let current = self.current(filed, stored)?;
        match entry.op {
            Op::Upsert => self.upsert(filed, current, entry),
            Op::Keep => self.keep(filed, current),
            Op::Delete => self.delete(filed, current),
        }
    }

    fn current(&mut self, filed: &[u8], stored: Option<KeyRow>) -> Outcome<Option<Current>> {
        let stored = match stored {
            Some(row) if self.stream.is_swept(self.connection, &row)? => None,
            stored => stored,
        };
        match (self.memo.get(filed), stored) {
            (Some(Memory::Gone), _) | (None, None) => Ok(None),
            (Some(Memory::There { hash, scope, seen_by }), stored) => {
                let scope = scope as usize;
                let seen = seen_by > 0 && seen_by == self.stream.scopes[scope].listing();
                Ok(Some(Current { hash, scope, seen, stored, as_stored: false }))
            }
            (None, Some(row)) => {
                let scope = self.stream.scope_of(&row)?;
                let seen = self.stream.scopes[scope].has_seen(row.change);
                Ok(Some(Current { hash: row.hash, scope, seen, stored: Some(row), as_stored: true }))
            }
        }
    }

    fn upsert(&mut self, filed: &[u8], current: Option<Current>, entry: &Entry<'_>) -> Outcome<()> {
        let hash = *entry.hash.as_bytes();
        let Some(current) = current else {
            self.counts.created += 1;
            self.stream.samples.created(self.room, entry.key, entry.data);
            self.remember(filed, hash);
            return Ok(());
        };
        let listed = matches!(self.stream.scopes[self.place].standing, Standing::Listed(_));
        let moves = current.scope != self.place;
        if listed && self.is_taken(&current) {
            if self.stream.appends && !moves && current.hash == hash {
                self.counts.unchanged += 1;
                return Ok(());
            }
            self.reject(&Rejection::new(
                entry.position,
                DUPLICATE_KEY,
                "Another record has this key.".to_owned(),
                entry.data,
            ));
            return Ok(());
        }
        if current.hash == hash {
            self.counts.unchanged += 1;
            return self.find(filed, &current);
        }
        self.leave_place(&current)?;
        self.counts.updated += 1;
        self.sample_updated(&current, entry)?;
        self.remember(filed, hash);
        Ok(())
    }

    /// Whether a record that was read belongs to a scope in which it was found already.
    fn is_taken(&self, current: &Current) -> bool {
        let owner = &self.stream.scopes[current.scope];
        let waits = owner.leaves_to_sweep() && !current.seen;
        if current.scope == self.place { current.seen } else { owner.settled && !waits }
    }

    /// The record is found as it was.
    fn find(&mut self, filed: &[u8], current: &Current) -> Outcome<()> {
        self.leave_place(current)?;
        // What is as the file has it, and where, is known without being remembered.
        if current.scope != self.place || !current.as_stored {
            self.remember(filed, current.hash);
        }
        Ok(())
    }

    /// What stands in the file does not wait for a sweep any more.
    fn leave_place(&mut self, current: &Current) -> Outcome<()> {
        let Some(row) = current.stored else { return Ok(()) };
        let of = self.stream.scope_of(&row)?;
        if of == self.place {
            self.stream.scopes[of].find(row.change);
        } else {
            self.stream.scopes[of].lose(row.change);
        }
        Ok(())
    }

    /// What is there stays, as if it came as it was.
    fn keep(&mut self, filed: &[u8], current: Option<Current>) -> Outcome<()> {
        let Some(current) = current else { return Ok(()) };
        if self.is_taken(&current) { Ok(()) } else { self.find(filed, &current) }
    }

    fn delete(&mut self, filed: &[u8], current: Option<Current>) -> Outcome<()> {
        let Some(current) = current.filter(|_| !self.stream.appends) else {
            self.counts.unchanged += 1;
            return Ok(());
        };
        self.counts.deleted += 1;
        if let Some(row) = current.stored {
            let of = self.stream.scope_of(&row)?;
            self.stream.scopes[of].lose(row.change);
        }
        self.stream.exact &= self.memo.put(filed, Memory::Gone);
        Ok(())
    }

    /// Remembers that the record is in the batch's scope now, and seen there.
    fn remember(&mut self, filed: &[u8], hash: [u8; HASH_LEN]) {
        let seen_by = self.stream.scopes[self.place].listing();
        let scope = u32::try_from(self.place).unwrap_or(u32::MAX);
        self.stream.exact &= self.memo.put(filed, Memory::There { hash, scope, seen_by });
    }

    fn reject(&mut self, rejection: &Rejection) {
        self.counts.rejected += 1;
        let scope = self.stream.scopes[self.place].name.clone();
        let name = self.stream.name.clone();
        self.stream.samples.rejected(self.room, &name, &scope, rejection);
    }

    fn sample_updated(&mut self, current: &Current, entry: &Entry<'_>) -> Outcome<()> {
        let Some(row) = current.stored.filter(|_| current.as_stored) else { return Ok(()) };
        if self.stream.samples.want_updated(self.room) {
            let block = blocks::holding(self.connection, row.change)?;
            let stored = block.find(row.change).ok_or(Trouble::Damaged("a change is not in its block"))?;
            self.stream.samples.updated(self.room, entry.key, stored.data.to_vec(), entry.data);
        }
        Ok(())
    }
}
