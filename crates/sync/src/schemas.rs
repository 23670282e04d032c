//! Holds records against the schema of their stream, by the policy of the connector.
//!
//! It comes behind [`shape`](crate::shape): a schema is that of what is stored. Most sources say of a batch what fields and types its
//! records have ([`Batch::covered_by`]), so that they need not be gone through. Whatever the policy, a stream is not held to its
//! schema before it was read to its end once: until then each record teaches it.

use std::collections::BTreeMap;
use std::sync::Arc;

use inlet_model::log::NewLogLine;
use inlet_model::mask::Masking;
use inlet_model::policy::SchemaPolicy;
use inlet_model::schema::{Misfit, Observer, Schema};
use inlet_model::sync::Failure;
use inlet_model::{Batch, Entry, Op, PushedRecord, Rejection, StreamName, key};
use inlet_source::PushedLine;
use inlet_store::collection::{Item, KnownSchema, RunStart};

use crate::plan::StreamPlan;
use crate::{failure, lines};

/// The schemas of a read's streams.
#[derive(Debug)]
pub(crate) struct Schemas {
    policy: SchemaPolicy,
    streams: BTreeMap<StreamName, StreamSchema>,
}

/// The schema of one stream.
#[derive(Debug)]
struct StreamSchema {
    observer: Observer,
    /// The last version, and its number.
    recorded: Schema,
    version: u64,
    is_learned: bool,
    has_changed: bool,
    is_given_up: bool,
    /// The cover of a batch that was held against it last.
    last_cover: Option<Arc<Schema>>,
    /// What was masked in the stream's pushes, if it is pushed to: what is refused of them is kept whole.
    pushes: Option<Masking>,
}

impl Schemas {
    /// As the run finds them.
    pub(crate) fn new(
        policy: SchemaPolicy,
        plans: &[StreamPlan],
        start: &mut RunStart,
        are_pushed: bool,
    ) -> Self {
        let stream = |plan: &StreamPlan| {
            let known = start.schemas.remove(&plan.name).unwrap_or_default();
            let pushes = are_pushed.then(|| plan.masking.clone());
            (plan.name.clone(), StreamSchema::new(known, pushes))
        };
        let streams = plans.iter().map(stream).collect();
        Self { policy, streams }
    }

    /// Gives the batch with what fits, or says why its stream cannot be read on: then nothing more of it is to be held here.
    pub(crate) fn hold(&mut self, batch: Batch) -> Result<Batch, Failure> {
        let Some(stream) = self.streams.get_mut(batch.stream()) else { return Ok(batch) };
        match self.policy {
            SchemaPolicy::Freeze if stream.is_learned => stream.only_if_all_fit(batch),
            SchemaPolicy::RejectRecord if stream.is_learned => Ok(stream.what_fits(batch)),
            _ => Ok(stream.learn(batch)),
        }
    }

    /// Whether the stream was given up here.
    pub(crate) fn is_given_up(&self, stream: &StreamName) -> bool {
        self.streams.get(stream).is_some_and(|stream| stream.is_given_up)
    }

    /// Whether any was.
    pub(crate) fn any_is_given_up(&self) -> bool {
        self.streams.values().any(|stream| stream.is_given_up)
    }

    /// What the records since the last time have changed, as an item of the commit that holds them and a line of the log.
    pub(crate) fn new_versions(&mut self) -> Vec<(Item, NewLogLine)> {
        let changed = self.streams.iter_mut().filter(|(_, stream)| stream.has_changed);
        changed.map(|(name, stream)| stream.new_version(name)).collect()
    }
}

impl StreamSchema {
    fn new(known: KnownSchema, pushes: Option<Masking>) -> Self {
        let KnownSchema { version, schema, is_learned } = known;
        let observer = Observer::new(&schema);
        Self {
            observer,
            recorded: schema,
            version,
            is_learned,
            has_changed: false,
            is_given_up: false,
            last_cover: None,
            pushes,
        }
    }

    fn new_version(&mut self, name: &StreamName) -> (Item, NewLogLine) {
        let schema = self.observer.schema();
        self.has_changed = false;
        self.version += 1;
        let line = lines::schema_changed(name, self.version, &self.recorded, &schema);
        self.recorded = schema.clone();
        (Item::Schema { stream: name.clone(), schema }, line)
    }

    fn learn(&mut self, batch: Batch) -> Batch {
        if let Some(cover) = batch.covered_by() {
            if !self.is_known(cover) {
                self.has_changed |= self.observer.merge(cover);
                self.last_cover = Some(Arc::clone(cover));
            }
            return batch;
        }
        for entry in batch.entries().filter(|entry| entry.op == Op::Upsert) {
            self.has_changed |= self.observer.take(entry.data);
        }
        batch
    }

    /// Whether nothing that this covers can be new: it was merged before.
    fn is_known(&self, cover: &Arc<Schema>) -> bool {
        self.last_cover.as_ref().is_some_and(|last| Arc::ptr_eq(last, cover))
    }

    /// The first record of a batch that does not fit. Only if what its records were written by does not, each is looked at.
    fn misfit(&self, batch: &Batch) -> Option<(u64, Misfit)> {
        let fits = |cover: &Arc<Schema>| self.is_known(cover) || self.observer.fits(cover);
        if batch.covered_by().is_some_and(fits) {
            return None;
        }
        let upserts = batch.entries().filter(|entry| entry.op == Op::Upsert);
        upserts.filter_map(|entry| Some((entry.position, self.observer.judge(entry.data).err()?))).next()
    }

    fn only_if_all_fit(&mut self, batch: Batch) -> Result<Batch, Failure> {
        match self.misfit(&batch) {
            None => Ok(self.learn(batch)),
            Some((position, misfit)) => {
                self.is_given_up = true;
                Err(failure::schema_changed(batch.stream(), position, &misfit))
            }
        }
    }

    fn what_fits(&mut self, batch: Batch) -> Batch {
        if self.misfit(&batch).is_none() {
            return self.learn(batch);
        }
        let mut fitting = batch.successor().with_room(batch.bytes());
        for entry in batch.entries() {
            match entry.op {
                Op::Delete => fitting.delete(entry.position, entry.key),
                Op::Keep => fitting.keep(entry.position, entry.key),
                Op::Upsert => match self.observer.judge(entry.data) {
                    Ok(()) => fitting.upsert(entry.position, entry.key, entry.data),
                    Err(misfit) => self.refuse(&mut fitting, &entry, &misfit),
                },
            }
        }
        batch.rejections().iter().for_each(|rejection| fitting.reject(rejection.clone()));
        // What fits was taken one by one: the cover is also of what did not.
        self.learn(fitting)
    }

    /// What was there of the record before stays.
    fn refuse(&self, fitting: &mut Batch, entry: &Entry<'_>, misfit: &Misfit) {
        let reason = format!("It does not fit the schema of its stream: {misfit}.");
        fitting.keep(entry.position, entry.key);
        fitting.reject(Rejection::new(entry.position, "schema.not_fitting", reason, entry.data));
        if let Some(masked) = &self.pushes {
            let mut name = Vec::new();
            if key::to_json(entry.key, &mut name).is_ok() {
                let mut line = Vec::new();
                PushedLine::Upsert { key: Some(&name), data: entry.data }.write(&mut line);
                line.pop_if(|end| *end == b'\n');
                let masked = masked.clone();
                fitting.keep_refused(PushedRecord { key_fields: Vec::new(), masked, line });
            }
        }
    }
}
