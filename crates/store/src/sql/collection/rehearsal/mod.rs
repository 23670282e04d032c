//! A run that writes nothing: what its commits and its sweep would come to is worked out from what stands in the file.
//!
//! It follows the same rules as [`commit`](super::commit), but remembers what it did only as far as the outcome needs it: of
//! records that stand in the file their change numbers, in compressed sets, and of those that are new or changed a
//! bounded number of hashes.

mod entries;
mod memo;
mod samples;
mod scopes;
mod stream;

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use inlet_model::{Batch, Counts};

use self::memo::Memo;
use self::samples::SampleRoom;
use self::stream::StreamState;
use super::error::{Outcome, Trouble};
use super::place::Reads;
use super::tables::Tables;
use super::{begin, meta};
use crate::collection::{
    Item, NewRun, Rehearsal, Rehearsed, RunStart, SampleLimits, StreamProgress, StreamStatus,
};
use crate::{StoreError, StoreErrorKind, StoreResult};

/// What the rehearsal of a run knows.
#[derive(Debug)]
pub(super) struct State {
    streams: Vec<StreamState>,
    memo: Memo,
    room: SampleRoom,
}

impl State {
    /// How the run would start.
    pub(super) fn begin(
        connection: &dyn Tables,
        new: &NewRun,
        limits: SampleLimits,
    ) -> Outcome<(RunStart, Self)> {
        let generation = meta::peek_generation(connection)?;
        let mut run = begin::first_attempt(new, generation);
        let (mut scopes, mut copies, mut schemas) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        let mut streams = Vec::with_capacity(new.streams.len());
        for (place, wanted) in new.streams.iter().enumerate() {
            let stream = StreamState::begin(connection, new, wanted, place)?;
            scopes.insert(wanted.name.clone(), stream.where_it_starts()?);
            if wanted.appends {
                copies
                    .insert(wanted.name.clone(), if wanted.full_refresh { generation } else { stream.copy });
            }
            schemas.insert(wanted.name.clone(), stream.schema.clone());
            streams.push(stream);
            run.streams.push(StreamProgress {
                name: wanted.name.clone(),
                status: StreamStatus::Pending,
                counts: Counts::default(),
                error: None,
            });
        }
        let state = Self { streams, memo: Memo::default(), room: SampleRoom::new(limits) };
        Ok((RunStart { run, scopes, copies, schemas, unswept: Vec::new() }, state))
    }

    fn apply_all(&mut self, connection: &dyn Tables, items: Vec<Item>) -> Outcome<()> {
        items.into_iter().try_for_each(|item| self.apply(connection, item))
    }

    fn apply(&mut self, connection: &dyn Tables, item: Item) -> Outcome<()> {
        match item {
            Item::Batch { batch, .. } => self.batch(connection, &batch)?,
            Item::Listing { stream, scope } => self.stream(&stream)?.open_listing(&scope),
            Item::Complete { stream, scope, unseen, .. } => self.stream(&stream)?.complete(&scope, unseen)?,
            Item::Unchanged { stream, scope } => self.stream(&stream)?.settle(&scope),
            Item::Scopes { stream, scopes } => self.stream(&stream)?.keep_scopes(&scopes),
            Item::InboxTaken { .. } | Item::Schema { .. } | Item::Log(_) => {}
            Item::StreamEnd { stream, failure } => self.stream(&stream)?.end = Some(failure),
        }
        Ok(())
    }

    fn stream(&mut self, name: &inlet_model::StreamName) -> Outcome<&mut StreamState> {
        let found = self.streams.iter_mut().find(|stream| stream.name == *name);
        found.ok_or(Trouble::Broken("the stream is none of the run's"))
    }

    fn batch(&mut self, connection: &dyn Tables, batch: &Batch) -> Outcome<()> {
        let found = self.streams.iter_mut().find(|stream| stream.name == *batch.stream());
        let stream = found.ok_or(Trouble::Broken("the stream is none of the run's"))?;
        entries::apply(connection, stream, &mut self.memo, &mut self.room, batch)
    }

    fn counts(&self) -> Counts {
        let mut sum = Counts::default();
        self.streams.iter().for_each(|stream| sum += stream.counts);
        sum
    }

    fn end(mut self, connection: &dyn Tables) -> Outcome<Rehearsed> {
        let room = &mut self.room;
        let ended = self.streams.into_iter().map(|stream| stream.finish(connection, room));
        Ok(Rehearsed { streams: ended.collect::<Outcome<_>>()? })
    }
}

/// A rehearsal as its owner has it: each step reads the file on a thread that may block.
#[derive(Debug)]
pub(super) struct SqlRehearsal {
    pub(super) reads: Arc<dyn Reads>,
    /// `None` once a step failed.
    pub(super) state: Option<State>,
}

impl SqlRehearsal {
    fn take(&mut self) -> StoreResult<State> {
        let failed =
            || StoreError::new(StoreErrorKind::Internal, "rehearse").because("a step before has failed");
        self.state.take().ok_or_else(failed)
    }
}

#[async_trait]
impl Rehearsal for SqlRehearsal {
    async fn apply(&mut self, items: Vec<Item>) -> StoreResult<Counts> {
        let mut state = self.take()?;
        let (state, counts) = self
            .reads
            .read("rehearse", move |connection| {
                state.apply_all(connection, items)?;
                let counts = state.counts();
                Ok((state, counts))
            })
            .await?;
        self.state = Some(state);
        Ok(counts)
    }

    async fn end(mut self: Box<Self>) -> StoreResult<Rehearsed> {
        let state = self.take()?;
        self.reads.read("rehearse", move |connection| state.end(connection)).await
    }
}
