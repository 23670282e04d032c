//! A stream of a rehearsed run.

use std::collections::{BTreeMap, HashMap, HashSet};

use inlet_model::sync::Failure;
use inlet_model::{Counts, Scope, ScopeState, StreamName};

use super::super::block::{ScopeId, StreamId};
use super::super::blocks;
use super::super::deletes::Waiting;
use super::super::error::{Outcome, Trouble};
use super::super::key_row::KeyRow;
use super::super::keys;
use super::super::schemas;
use super::super::scopes::{self, Fate, Listing};
use super::super::streams::{self, StreamRow};
use super::super::tables::{Tables, Walked};
use super::samples::{SampleRoom, Samples};
use super::scopes::{RehearsedScope, Standing};
use crate::collection::{KnownSchema, NewRun, RehearsedStream, RunStream, StreamDeletes, Unseen};

/// A stream, as it would be by now.
#[derive(Debug)]
pub(super) struct StreamState {
    pub(super) name: StreamName,
    /// Its number; one that none has if it was never read.
    pub(super) id: StreamId,
    /// Whether nothing of it is deleted, and the copy that was appended to last.
    pub(super) appends: bool,
    pub(super) copy: u64,
    pub(super) schema: KnownSchema,
    pub(super) scopes: Vec<RehearsedScope>,
    pub(super) counts: Counts,
    pub(super) exact: bool,
    pub(super) end: Option<Option<Failure>>,
    pub(super) samples: Samples,
    names: HashMap<Scope, usize>,
    ids: HashMap<ScopeId, usize>,
    /// What waits for its sweep, and is taken for swept.
    waiting: Waiting,
    deletes: StreamDeletes,
    listings: u32,
}

impl StreamState {
    /// The stream as the run finds it.
    pub(super) fn begin(
        connection: &dyn Tables,
        new: &NewRun,
        wanted: &RunStream,
        place: usize,
    ) -> Outcome<Self> {
        let row = streams::find(connection, new.connector_id, &wanted.name)?;
        let none = StreamId(u32::MAX - u32::try_from(place).unwrap_or(u32::MAX));
        let id = row.as_ref().map_or(none, |row| row.id);
        let copy = row.as_ref().map_or(0, StreamRow::copy);
        let reshaped = row.as_ref().is_some_and(|row| row.is_reshaped(wanted));
        let schema = match row.as_ref().filter(|_| !reshaped) {
            Some(row) => schemas::known(connection, row)?,
            None => KnownSchema::default(),
        };
        let of = row.map_or(0, |row| row.records);
        let mut stream = Self {
            name: wanted.name.clone(),
            id,
            appends: wanted.appends,
            copy,
            schema,
            scopes: Vec::new(),
            counts: Counts::default(),
            exact: true,
            end: None,
            samples: Samples::default(),
            names: HashMap::new(),
            ids: HashMap::new(),
            waiting: Waiting::new(id, Vec::new()),
            deletes: StreamDeletes::none(wanted.name.clone(), of),
            listings: 0,
        };
        let rows = scopes::all(connection, id)?;
        for row in &rows {
            let scope = RehearsedScope::of(row, reshaped, wanted.full_refresh)?;
            stream.ids.insert(row.id, stream.scopes.len());
            stream.names.insert(row.name.clone(), stream.scopes.len());
            stream.scopes.push(scope);
        }
        if !reshaped {
            for row in &rows {
                match &row.listing {
                    Listing::Complete(listing) => stream.count_deletes(listing.unseen, listing.fate.into()),
                    Listing::Gone { .. } => stream.count_deletes(row.records, Unseen::Goes),
                    Listing::None | Listing::Open(_) => {}
                }
            }
            let unswept = rows.into_iter().filter(scopes::ScopeRow::is_unswept).collect();
            stream.waiting = Waiting::new(id, unswept);
        }
        Ok(stream)
    }

    /// Where a source would begin to read it.
    pub(super) fn where_it_starts(&self) -> Outcome<BTreeMap<Scope, ScopeState>> {
        let known =
            self.scopes.iter().filter(|scope| *scope.start() != ScopeState::default() || scope.records > 0);
        Ok(known.map(|scope| (scope.name.clone(), scope.start().clone())).collect())
    }

    /// The place of a scope, made if it is not there. A scope that is spoken of is not gone.
    pub(super) fn scope(&mut self, name: &Scope) -> usize {
        if let Some(place) = self.names.get(name) {
            let scope = &mut self.scopes[*place];
            if scope.standing == Standing::Gone {
                scope.standing = Standing::Idle;
            }
            return *place;
        }
        self.scopes.push(RehearsedScope::new(name));
        self.names.insert(name.clone(), self.scopes.len() - 1);
        self.scopes.len() - 1
    }

    /// The place of the scope that a record of the file belongs to.
    pub(super) fn scope_of(&self, record: &KeyRow) -> Outcome<usize> {
        let place = self.ids.get(&record.scope).copied();
        place.ok_or(Trouble::Damaged("a record belongs to a scope that is not there"))
    }

    /// Whether the record waits for a sweep, which is taken for done.
    pub(super) fn is_swept(&mut self, connection: &dyn Tables, record: &KeyRow) -> Outcome<bool> {
        self.waiting.holds(connection, record)
    }

    pub(super) fn open_listing(&mut self, scope: &Scope) {
        self.listings += 1;
        let number = self.listings;
        let place = self.scope(scope);
        self.scopes[place].open_listing(number);
    }

    pub(super) fn complete(&mut self, scope: &Scope, unseen: Unseen) -> Outcome<()> {
        let place = self.scope(scope);
        let scope = &mut self.scopes[place];
        let Standing::Listed(number) = scope.standing else {
            return Err(Trouble::Broken("a scope is complete that was not listed"));
        };
        let unseen = if self.appends { Unseen::Stays } else { unseen };
        scope.standing = Standing::Complete(number, unseen);
        scope.settled = true;
        Ok(())
    }

    pub(super) fn settle(&mut self, scope: &Scope) {
        let place = self.scope(scope);
        self.scopes[place].settled = true;
    }

    pub(super) fn keep_scopes(&mut self, kept: &[Scope]) {
        if self.appends {
            return;
        }
        let kept: HashSet<&Scope> = kept.iter().collect();
        for scope in self.scopes.iter_mut().filter(|scope| !kept.contains(&scope.name)) {
            scope.standing = Standing::Gone;
        }
    }

    fn count_deletes(&mut self, records: u64, fate: Unseen) {
        match fate {
            Unseen::Stays => return,
            Unseen::Goes => {}
            Unseen::GoesIfAbsent => self.deletes.if_absent += records,
            Unseen::GoesIfApproved => self.deletes.if_approved += records,
        }
        self.deletes.records += records;
    }

    /// What the run would have done to it.
    pub(super) fn finish(
        mut self,
        connection: &dyn Tables,
        room: &mut SampleRoom,
    ) -> Outcome<RehearsedStream> {
        let unseen: Vec<_> = self.scopes.iter().filter_map(RehearsedScope::unseen).collect();
        unseen.into_iter().for_each(|(records, fate)| self.count_deletes(records, fate));
        if self.deletes.records > 0 {
            self.find_deleted(connection, room)?;
        }
        self.counts.deleted += self.deletes.records;
        Ok(RehearsedStream {
            name: self.name,
            counts: self.counts,
            exact: self.exact,
            deletes: self.deletes,
            samples: self.samples.taken,
            rejected: self.samples.rejected,
            end: self.end,
        })
    }

    /// Takes samples of what would be deleted, from the front of the stream.
    fn find_deleted(&mut self, connection: &dyn Tables, room: &mut SampleRoom) -> Outcome<()> {
        let walked = [Walked { stream: self.id, from: keys::range_of(self.id).start }];
        let mut looked_at = 0;
        connection.walk(&walked, &mut |step| {
            looked_at += 1;
            let place = self.scope_of(&step.row)?;
            let goes = self.scopes[place].lacks(step.row.change) || self.is_swept(connection, &step.row)?;
            if goes {
                let block = blocks::holding(connection, step.row.change)?;
                let entry =
                    block.find(step.row.change).ok_or(Trouble::Damaged("a change is not in its block"))?;
                self.samples.deleted(room, entry.key.to_vec(), entry.data.to_vec());
            }
            Ok(self.samples.want_deleted(room) && looked_at < room.limits.max_keys)
        })
    }
}

impl From<Fate> for Unseen {
    fn from(fate: Fate) -> Self {
        match fate {
            Fate::Goes => Self::Goes,
            Fate::IfAbsent => Self::GoesIfAbsent,
            Fate::IfApproved => Self::GoesIfApproved,
        }
    }
}
