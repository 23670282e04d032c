//! What a commit is about to change besides records: streams, scopes and the run. Read when first needed, written at
//! the end, once.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use inlet_model::{Counts, Scope, StreamName, Timestamp};

use super::super::block::{Origin, ScopeId};
use super::super::blocks::BlockWriter;
use super::super::error::{Outcome, Trouble};
use super::super::scopes::{self, Listing, ScopeRow};
use super::super::seen::{ScopeKey, SeenSets};
use super::super::streams::{self, StreamRow};
use super::super::tables::WriteTables;
use super::super::writer::Memory;
use super::super::{meta, runs};
use crate::collection::{CancelFlag, Phase, Receipt, Run, StreamStatus};

/// A commit on its way.
pub(super) struct Draft<'a> {
    pub(super) connection: &'a dyn WriteTables,
    pub(super) seen: &'a mut SeenSets,
    pub(super) blocks: BlockWriter<'a>,
    pub(super) run: Run,
    pub(super) origin: Origin,
    /// The first number that it may give.
    first_change: u64,
    pub(super) next_change: u64,
    pub(super) streams: Vec<StreamDraft>,
    cancel: &'a CancelFlag,
}

/// A stream that the commit concerns.
pub(super) struct StreamDraft {
    pub(super) row: StreamRow,
    /// Its place in the run.
    place: usize,
    scopes: HashMap<ScopeId, ScopeDraft>,
    ids: HashMap<Scope, ScopeId>,
}

struct ScopeDraft {
    row: ScopeRow,
    changed: bool,
}

/// The place of a stream in the draft.
pub(super) type StreamIndex = usize;

impl<'a> Draft<'a> {
    pub(super) fn begin(
        connection: &'a dyn WriteTables,
        memory: &'a mut Memory,
        run: Run,
        now: Timestamp,
        cancel: &'a CancelFlag,
    ) -> Outcome<Self> {
        let first_change = meta::next_change(connection)?;
        Ok(Self {
            connection,
            seen: &mut memory.seen,
            blocks: BlockWriter::new(&mut memory.encoder),
            origin: Origin { sync_id: Some(run.sync_id), at: now },
            first_change,
            next_change: first_change,
            run,
            streams: Vec::new(),
            cancel,
        })
    }

    /// Gives up if the sync was cancelled: work that will not become durable is not worth waiting for.
    pub(super) fn unless_cancelled(&self) -> Outcome<()> {
        unless_cancelled(self.cancel)
    }

    /// Brings rows of the key table that wait elsewhere there, if they are many.
    pub(super) fn gather_keys(&self) -> Outcome<()> {
        self.connection.gather_many_keys(&mut || unless_cancelled(self.cancel))
    }

    /// The stream of that name, under way from now on.
    pub(super) fn stream(&mut self, name: &StreamName) -> Outcome<StreamIndex> {
        let known = self.streams.iter().position(|stream| stream.row.name == *name);
        let index = match known {
            Some(index) => index,
            None => self.load_stream(name)?,
        };
        let place = self.streams[index].place;
        let progress = &mut self.run.streams[place];
        if progress.status == StreamStatus::Pending {
            progress.status = StreamStatus::Running;
        }
        Ok(index)
    }

    fn load_stream(&mut self, name: &StreamName) -> Outcome<StreamIndex> {
        let place = self.run.streams.iter().position(|progress| progress.name == *name);
        let row = streams::find(self.connection, self.run.connector_id, name)?;
        let (Some(place), Some(row)) = (place, row) else {
            return Err(Trouble::Broken("the stream is none of the run's"));
        };
        self.streams.push(StreamDraft { row, place, scopes: HashMap::new(), ids: HashMap::new() });
        Ok(self.streams.len() - 1)
    }

    /// The scope of that name, made if it is not there. A scope that is spoken of is not gone.
    pub(super) fn scope(&mut self, stream: StreamIndex, name: &Scope) -> Outcome<&mut ScopeRow> {
        let id = self.scope_id(stream, name)?;
        let row = self.scope_mut(stream, id)?;
        if matches!(row.listing, Listing::Gone { .. }) {
            row.listing = Listing::None;
        }
        Ok(row)
    }

    fn scope_id(&mut self, stream: StreamIndex, name: &Scope) -> Outcome<ScopeId> {
        let draft = &mut self.streams[stream];
        if let Some(id) = draft.ids.get(name) {
            return Ok(*id);
        }
        let found = scopes::find(self.connection, draft.row.id, name)?;
        let changed = found.is_none();
        let row = found.unwrap_or_else(|| draft.row.new_scope(name));
        let id = row.id;
        draft.ids.insert(name.clone(), id);
        // One that was read by its number before is not read again: it may have changed since.
        draft.scopes.entry(id).or_insert(ScopeDraft { row, changed });
        Ok(id)
    }

    /// The scope with that number, to be looked at.
    pub(super) fn scope_ref(&mut self, stream: StreamIndex, id: ScopeId) -> Outcome<&ScopeRow> {
        self.scope_draft(stream, id).map(|draft| &draft.row)
    }

    /// The scope with that number, to be changed.
    pub(super) fn scope_mut(&mut self, stream: StreamIndex, id: ScopeId) -> Outcome<&mut ScopeRow> {
        let draft = self.scope_draft(stream, id)?;
        draft.changed = true;
        Ok(&mut draft.row)
    }

    fn scope_draft(&mut self, stream: StreamIndex, id: ScopeId) -> Outcome<&mut ScopeDraft> {
        let draft = &mut self.streams[stream];
        match draft.scopes.entry(id) {
            Entry::Occupied(known) => Ok(known.into_mut()),
            Entry::Vacant(place) => {
                let row = scopes::get(self.connection, draft.row.id, id)?
                    .ok_or(Trouble::Damaged("a record belongs to a scope that is not there"))?;
                Ok(place.insert(ScopeDraft { row, changed: false }))
            }
        }
    }

    /// The scope as what was seen is filed under.
    pub(super) fn seen_key(&self, stream: StreamIndex, id: ScopeId) -> ScopeKey {
        (self.streams[stream].row.id, id)
    }

    /// The stream's part of the run.
    pub(super) fn progress(&mut self, stream: StreamIndex) -> &mut crate::collection::StreamProgress {
        let place = self.streams[stream].place;
        &mut self.run.streams[place]
    }

    /// Adds to the counters of the stream and of the run.
    pub(super) fn count(&mut self, stream: StreamIndex, counts: Counts) {
        self.progress(stream).counts += counts;
        self.run.counts += counts;
        let row = &mut self.streams[stream].row;
        row.records = row.records + counts.created - counts.deleted;
    }

    /// Writes the scopes of a stream, and forgets them.
    pub(super) fn put_scopes_away(&mut self, stream: StreamIndex) -> Outcome<()> {
        let draft = &mut self.streams[stream];
        draft.ids.clear();
        for (_, scope) in draft.scopes.drain().filter(|(_, scope)| scope.changed) {
            scopes::save(self.connection, draft.row.id, &scope.row)?;
        }
        Ok(())
    }

    /// Writes everything that is not written yet.
    pub(super) fn finish(mut self) -> Outcome<Receipt> {
        for stream in 0..self.streams.len() {
            self.put_scopes_away(stream)?;
        }
        for stream in &self.streams {
            streams::save(self.connection, &stream.row)?;
            runs::save_stream(
                self.connection,
                self.run.sync_id,
                stream.place,
                &self.run.streams[stream.place],
            )?;
        }
        self.run.phase = Phase::Reading;
        self.run.barren_attempts = 0;
        self.run.note_changes(self.first_change..=self.next_change - 1);
        runs::save(self.connection, &self.run)?;
        self.blocks.finish(self.connection)?;
        self.seen.save(self.connection)?;
        meta::set_next_change(self.connection, self.next_change)?;
        let streams = self.streams.iter().map(|stream| self.run.streams[stream.place].clone()).collect();
        Ok(Receipt { counts: self.run.counts, streams, last_change: self.next_change - 1 })
    }
}

fn unless_cancelled(cancel: &CancelFlag) -> Outcome<()> {
    if cancel.is_raised() { Err(Trouble::Cancelled) } else { Ok(()) }
}
