//! What becomes of a record between its source and the store: masking, and the identity of what is appended.
//!
//! A stream that asks for nothing of it has no [`StreamShape`], and its batches pass untouched. What is masked here has not been
//! on the disk, nor in a log: a source hands its records to this stage and to nothing else.

mod append;
mod mask;
mod seal;

use std::collections::BTreeMap;

use inlet_model::mask::MaskingKey;
use inlet_model::stream::WriteMode;
use inlet_model::{Batch, Entry, Op, StreamName};
use inlet_source::StreamRequest;
use inlet_store::catalog;
use inlet_store::collection::RunStart;
use serde_json::Value;

use self::mask::RecordMask;
use self::seal::Sealer;
use crate::failure::{self, Stop};
use crate::plan::StreamPlan;
use crate::run::RunContext;

/// The streams of a read whose records do not pass as they are.
#[derive(Debug, Default)]
pub(crate) struct Shapes(BTreeMap<StreamName, StreamShape>);

/// What becomes of the records of one stream.
#[derive(Debug)]
struct StreamShape {
    mask: Option<RecordMask>,
    /// The copy that records are appended to.
    copy: Option<u64>,
}

impl Shapes {
    /// What the plans ask for. Records that are pushed were masked before they were kept.
    pub(crate) async fn new(
        context: &RunContext,
        plans: &[StreamPlan],
        start: &RunStart,
        are_pushed: bool,
    ) -> Result<Self, Stop> {
        let mut shapes = BTreeMap::new();
        for plan in plans {
            let mask = match plan.masking.is_empty() || are_pushed {
                true => None,
                false => Some(RecordMask::new(plan, masking_key(context).await?, Sealer::new(context))),
            };
            // Of what is pushed each record has a place of its own, which is its identity.
            let appends = plan.write_mode == WriteMode::Append && !are_pushed;
            let copy = appends.then(|| start.copies.get(&plan.name).copied().unwrap_or_default());
            if mask.is_some() || copy.is_some() {
                shapes.insert(plan.name.clone(), StreamShape { mask, copy });
            }
        }
        Ok(Self(shapes))
    }

    /// Puts the checkpoints of the stream into the form that its source knows. One that cannot be read is none: then the
    /// stream is listed.
    pub(crate) fn open_checkpoints(&self, request: &mut StreamRequest) {
        let Some(mask) = self.mask_of(&request.name) else { return };
        for state in request.scopes.values_mut() {
            state.cursor = state.cursor.take().and_then(|cursor| mask.sealer.open(cursor));
            if let Some(listing) = &mut state.listing {
                listing.position = listing.position.take().and_then(|position| mask.sealer.open(position));
            }
        }
    }

    /// Puts a checkpoint of the stream into the form that is stored. Of one that masks values it is sealed: a source goes on
    /// from keys and the like, and one of them may be a masked value.
    pub(crate) fn checkpoint(&self, stream: &StreamName, checkpoint: Option<Value>) -> Option<Value> {
        match self.mask_of(stream) {
            Some(mask) => checkpoint.map(|checkpoint| mask.sealer.seal(&checkpoint)),
            None => checkpoint,
        }
    }

    /// Puts the records of a batch into the form in which they are stored.
    pub(crate) fn batch(&self, batch: Batch) -> Batch {
        match self.0.get(batch.stream()) {
            Some(shape) => shape.batch(&batch),
            None => batch,
        }
    }

    fn mask_of(&self, stream: &StreamName) -> Option<&RecordMask> {
        self.0.get(stream)?.mask.as_ref()
    }
}

impl StreamShape {
    fn batch(&self, batch: &Batch) -> Batch {
        let mut shaped = batch.successor().with_room(batch.bytes());
        let mut key = Vec::new();
        for entry in batch.entries() {
            key.clear();
            if let Err(rejection) = self.entry(&entry, &mut key, &mut shaped) {
                shaped.reject(rejection);
            }
        }
        if let (None, Some(cover)) = (&self.mask, batch.covered_by()) {
            shaped.cover(cover);
        }
        for rejection in batch.rejections() {
            shaped.reject(match &self.mask {
                Some(_) => mask::rejection(rejection),
                None => rejection.clone(),
            });
        }
        shaped
    }

    /// Puts an entry into the batch that goes on. `key` is scratch space, and empty.
    fn entry(
        &self,
        entry: &Entry<'_>,
        key: &mut Vec<u8>,
        shaped: &mut Batch,
    ) -> Result<(), inlet_model::Rejection> {
        match &self.mask {
            Some(mask) => mask.key(entry, key)?,
            None => key.extend_from_slice(entry.key),
        }
        if entry.op == Op::Delete {
            shaped.delete(entry.position, key);
            return Ok(());
        }
        shaped.upsert_with(
            entry.position,
            |arena| {
                let start = arena.len();
                match &self.mask {
                    Some(mask) => mask.masker.record(entry.data, arena),
                    None => arena.extend_from_slice(entry.data),
                }
                Ok(start)
            },
            |arena, start| {
                if let Some(copy) = self.copy {
                    append::extend_key(key, copy, &arena[start..])
                        .map_err(|error| mask::refused_key(entry.position, &error))?;
                }
                arena.extend_from_slice(key);
                Ok(())
            },
        )
    }
}

/// What masked values are hashed under.
pub(crate) async fn masking_key(context: &RunContext) -> Result<MaskingKey, Stop> {
    let parts = &context.shared.parts;
    let key = catalog::masking_key(&*parts.catalog, &parts.vault, &*parts.entropy).await?;
    key.map_err(|error| Stop::from(failure::unreadable_masking_key(&error)))
}
