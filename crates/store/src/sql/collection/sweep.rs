//! The delete phase of a stream: what its complete listings did not see, and what its gone scopes hold.
//!
//! One scan over the stream's keys serves all of them. It goes on from where the last step ended, also in another process.

use std::borrow::Cow;
use std::collections::HashMap;

use inlet_model::ChangeOp;

use super::block::{BlockEntry, EntryHead, Origin, ScopeId, StreamId};
use super::blocks::{self, BlockWriter};
use super::error::{Outcome, Trouble};
use super::key_row::KeyRow;
use super::keys;
use super::scopes::{self, Listing, ScopeRow};
use super::seen::{SeenSet, SeenSets};
use super::streams::{self, StreamRow};
use super::tables::WriteTables;
use super::writer::{Memory, Writer};
use super::{meta, runs};
use crate::collection::{Phase, Run, StreamStatus, Sweep, SweepProgress};
use crate::fault;
use crate::sql::Session;

/// Does one step.
pub(super) fn sweep(writer: &mut Writer, sweep: &Sweep) -> Outcome<SweepProgress> {
    if sweep.cancel.is_raised() {
        return Err(Trouble::Cancelled);
    }
    let mut wrote = false;
    let (progress, pass) = writer.transact(|tx, memory| {
        let run = runs::held(tx, sweep.connector_id, sweep.fence, sweep.sync_id)?;
        let nothing = SweepProgress { deleted: 0, done: true };
        let progress = match streams::find(tx, sweep.connector_id, &sweep.stream)? {
            None => nothing,
            Some(stream) => {
                let unswept = scopes::unswept(tx, stream.id)?;
                wrote = !unswept.is_empty();
                if wrote { Step::begin(tx, memory, sweep, stream, unswept)?.run(run)? } else { nothing }
            }
        };
        if wrote {
            fault::point("sweep.before");
        }
        Ok((progress, runs::pass(&sweep.cancel)?))
    })?;
    drop(pass);
    if wrote {
        fault::point("sweep.after");
    }
    Ok(progress)
}

/// The keys that the next step has to be told about.
pub(super) fn candidates(writer: &mut Writer, sweep: &Sweep) -> Outcome<Vec<Vec<u8>>> {
    if sweep.cancel.is_raised() {
        return Err(Trouble::Cancelled);
    }
    writer.transact(|tx, memory| {
        runs::held(tx, sweep.connector_id, sweep.fence, sweep.sync_id)?;
        let Some(stream) = streams::find(tx, sweep.connector_id, &sweep.stream)? else {
            return Ok(Vec::new());
        };
        let unswept = scopes::unswept(tx, stream.id)?;
        if !unswept.iter().any(ScopeRow::is_askable) {
            return Ok(Vec::new());
        }
        Step::begin(tx, memory, sweep, stream, unswept)?.candidates()
    })
}

/// One step under way.
struct Step<'a> {
    connection: &'a dyn WriteTables,
    seen: &'a mut SeenSets,
    blocks: BlockWriter<'a>,
    sweep: &'a Sweep,
    stream: StreamRow,
    scopes: HashMap<ScopeId, Unswept>,
}

/// A scope that waits to be swept.
struct Unswept {
    row: ScopeRow,
    seen: SeenSet,
}

impl Unswept {
    /// Whether the record was not seen, so that it may have to go.
    fn lacks(&self, record: &KeyRow) -> bool {
        match &self.row.listing {
            Listing::Complete(listing) => {
                !listing.keeps_all()
                    && record.change < listing.first_change
                    && !self.seen.contains(record.change)
            }
            Listing::Gone { .. } => true,
            Listing::None | Listing::Open(_) => false,
        }
    }
}

impl<'a> Step<'a> {
    fn begin(
        connection: &'a dyn WriteTables,
        memory: &'a mut Memory,
        sweep: &'a Sweep,
        stream: StreamRow,
        unswept: Vec<ScopeRow>,
    ) -> Outcome<Self> {
        connection
            .gather_keys(&mut || if sweep.cancel.is_raised() { Err(Trouble::Cancelled) } else { Ok(()) })?;
        let mut scopes = HashMap::with_capacity(unswept.len());
        for row in unswept {
            let seen = memory.seen.take(connection, (stream.id, row.id))?;
            scopes.insert(row.id, Unswept { row, seen });
        }
        let blocks = BlockWriter::new(&mut memory.encoder);
        Ok(Self { connection, seen: &mut memory.seen, blocks, sweep, stream, scopes })
    }

    fn run(mut self, mut run: Run) -> Outcome<SweepProgress> {
        let (mut unseen, last) = self.scan()?;
        self.keep_what_may_be_there(&mut unseen)?;
        let deleted = unseen.len() as u64;
        self.delete(unseen)?;
        self.stream.records = self
            .stream
            .records
            .checked_sub(deleted)
            .ok_or(Trouble::Damaged("a stream has too few records"))?;
        let done = last.is_none();
        self.stream.swept_through = last;
        streams::save(self.connection, &self.stream)?;
        self.count(&mut run, deleted)?;
        self.put_scopes_away(done)?;
        self.blocks.finish(self.connection)?;
        Ok(SweepProgress { deleted, done })
    }

    /// Looks at the next keys. Gives the records that are to go, and the last key unless the scan is through.
    #[expect(clippy::type_complexity, reason = "a row and its key, where nothing else has the two")]
    fn scan(&self) -> Outcome<(Vec<(Vec<u8>, KeyRow)>, Option<Vec<u8>>)> {
        let range = keys::range_of(self.stream.id);
        let start = match &self.stream.swept_through {
            // The first key behind it.
            Some(last) => [last.as_slice(), &[0]].concat(),
            None => range.start,
        };
        let limit = self.sweep.max_keys.max(1);
        let (mut unseen, mut last, mut looked_at) = (Vec::new(), None, 0);
        self.connection.scan_keys(&start..&range.end, limit, &mut |filed, record| {
            looked_at += 1;
            if self.scopes.get(&record.scope).is_some_and(|scope| scope.lacks(&record)) {
                unseen.push((filed.to_vec(), record));
            }
            if looked_at == limit {
                last = Some(filed.to_vec());
            }
        })?;
        Ok((unseen, last))
    }

    /// The records that were not seen, but are to be asked for.
    fn candidates(mut self) -> Outcome<Vec<Vec<u8>>> {
        let (unseen, _) = self.scan()?;
        let asked = unseen.iter().filter(|(_, record)| self.is_askable(record));
        let keys = asked.map(|(filed, record)| Ok(self.whole_key(filed, record)?.into_owned()));
        let keys = keys.collect::<Outcome<Vec<_>>>()?;
        for (id, scope) in self.scopes.drain() {
            self.seen.put((self.stream.id, id), scope.seen);
        }
        Ok(keys)
    }

    /// Takes out what was to be asked for and was not found to be absent.
    fn keep_what_may_be_there(&self, unseen: &mut Vec<(Vec<u8>, KeyRow)>) -> Outcome<()> {
        let mut kept = Ok(());
        unseen.retain(|(filed, record)| {
            !self.is_askable(record)
                || match self.whole_key(filed, record) {
                    Ok(key) => self.sweep.absent.contains(&*key),
                    Err(trouble) => {
                        kept = Err(trouble);
                        false
                    }
                }
        });
        kept
    }

    fn is_askable(&self, record: &KeyRow) -> bool {
        self.scopes.get(&record.scope).is_some_and(|scope| scope.row.is_askable())
    }

    fn whole_key<'k>(&self, filed: &'k [u8], record: &KeyRow) -> Outcome<Cow<'k, [u8]>> {
        keys::restore_key(filed, || key_in_block(self.connection, record.change))
    }

    fn delete(&mut self, unseen: Vec<(Vec<u8>, KeyRow)>) -> Outcome<()> {
        let mut change = meta::next_change(self.connection)?;
        let origin = Origin { sync_id: Some(self.sweep.sync_id), at: self.sweep.now };
        for (filed, record) in &unseen {
            let key = keys::restore_key(filed, || key_in_block(self.connection, record.change))?;
            let head = EntryHead {
                change,
                op: ChangeOp::Deleted,
                stream: self.stream.id,
                scope: record.scope,
                created_us: record.created_us,
                previous: record.change,
            };
            self.blocks.push(&BlockEntry { head, origin, key: &key, data: &[] }, false)?;
            self.blocks.supersede(record.change);
            if let Some(scope) = self.scopes.get_mut(&record.scope) {
                let too_few = Trouble::Damaged("a scope has too few records");
                scope.row.records = scope.row.records.checked_sub(1).ok_or(too_few)?;
                if let Listing::Complete(listing) = &mut scope.row.listing {
                    let too_few = Trouble::Damaged("a listing has seen too much");
                    listing.unseen = listing.unseen.checked_sub(1).ok_or(too_few)?;
                }
            }
            change += 1;
        }
        let gone: Vec<&[u8]> = unseen.iter().map(|(filed, _)| filed.as_slice()).collect();
        self.connection.remove_keys(&gone)?;
        meta::set_next_change(self.connection, change)
    }

    fn count(&self, run: &mut Run, deleted: u64) -> Outcome<()> {
        let Some(place) = run.streams.iter().position(|progress| progress.name == self.stream.name) else {
            return Err(Trouble::Broken("the stream is none of the run's"));
        };
        let progress = &mut run.streams[place];
        progress.counts.deleted += deleted;
        if progress.status == StreamStatus::Pending {
            progress.status = StreamStatus::Running;
        }
        runs::save_stream(self.connection, run.sync_id, place, progress)?;
        run.phase = Phase::Sweeping;
        run.barren_attempts = 0;
        if deleted > 0 {
            run.last_progress_at = self.sweep.now;
            let next = meta::next_change(self.connection)?;
            run.note_changes(next - deleted..=next - 1);
        }
        runs::save(self.connection, run)
    }

    /// Writes the scopes; with the last step, as they are after the sweep.
    fn put_scopes_away(&mut self, done: bool) -> Outcome<()> {
        let stream: StreamId = self.stream.id;
        for (id, mut scope) in self.scopes.drain() {
            if !done {
                scopes::save(self.connection, stream, &scope.row)?;
                self.seen.put((stream, id), scope.seen);
                continue;
            }
            self.seen.remove(self.connection, (stream, id))?;
            match std::mem::replace(&mut scope.row.listing, Listing::None) {
                Listing::Gone { .. } if scope.row.records == 0 => {
                    scopes::remove(self.connection, stream, id)?
                }
                Listing::Gone { .. } => {
                    return Err(Trouble::Damaged("a scope that is gone still has records"));
                }
                Listing::Complete(listing) => {
                    scope.row.cursor = listing.cursor;
                    scopes::save(self.connection, stream, &scope.row)?;
                }
                Listing::None | Listing::Open(_) => {}
            }
        }
        Ok(())
    }
}

/// The whole key of the record that this change made.
pub(super) fn key_in_block(connection: &dyn Session, change: u64) -> Outcome<Vec<u8>> {
    let block = blocks::holding(connection, change)?;
    let entry = block.find(change).ok_or(Trouble::Damaged("a change is not in its block"))?;
    Ok(entry.key.to_vec())
}
