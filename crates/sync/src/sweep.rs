//! The delete phase of a run: what complete listings did not see goes, and no more than that.

use std::collections::BTreeSet;

use inlet_model::StreamName;
use inlet_source::{SourceError, StreamRequest};
use inlet_store::collection::{Item, Sweep};

use crate::failure::{self, Failed, Stop};
use crate::lines;
use crate::run::RunContext;
use crate::source::BuiltSource;

/// Keys that one step of the delete phase looks at.
pub(crate) const SWEEP_KEYS: usize = 50_000;

impl RunContext {
    /// The delete phase of each stream. Gives the streams of which the source could not say what is still there: what they
    /// did not see stays until the next sync asks again.
    pub(crate) async fn sweep_all(
        &self,
        source: &BuiltSource,
        streams: Vec<StreamRequest>,
    ) -> Result<Vec<(String, Failed)>, Stop> {
        let mut failed = Vec::new();
        for stream in streams {
            if let Err(error) = self.sweep(source, &stream).await? {
                let told = failure::told(&error);
                failed.push((stream.name.to_string(), told.clone()));
                self.note(lines::stream_failed(&stream.name, &told.failure));
                let end = Item::StreamEnd { stream: stream.name, failure: Some(told.failure) };
                self.progress.committed(&self.store.commit(self.commit(vec![end])).await?);
            }
        }
        Ok(failed)
    }

    /// The delete phase of a stream. None starts after a cancel was acknowledged.
    async fn sweep(
        &self,
        source: &BuiltSource,
        stream: &StreamRequest,
    ) -> Result<Result<(), SourceError>, Stop> {
        let mut deleted = 0;
        loop {
            if self.cancel.is_raised() {
                return Err(Stop::Cancelled);
            }
            if self.shared.is_stopping() {
                return Err(Stop::Interrupted);
            }
            let absent = match self.absent(source, stream).await? {
                Ok(absent) => absent,
                Err(error) => return Ok(Err(error)),
            };
            let progress = self.store.sweep(self.step(&stream.name, absent)).await?;
            self.metrics().swept(progress.deleted);
            self.progress.swept(&stream.name, progress.deleted);
            deleted += progress.deleted;
            if progress.done {
                if deleted > 0 {
                    self.note(lines::swept(&stream.name, deleted));
                }
                return Ok(Ok(()));
            }
        }
    }

    /// Of the records that the next step of the sweep deletes only if they are gone, the keys of those that the source
    /// does not have.
    async fn absent(
        &self,
        source: &BuiltSource,
        stream: &StreamRequest,
    ) -> Result<Result<BTreeSet<Vec<u8>>, SourceError>, Stop> {
        if !source.capabilities().verify_absent {
            return Ok(Ok(BTreeSet::new()));
        }
        let asked = self.store.sweep_candidates(self.step(&stream.name, BTreeSet::new())).await?;
        if asked.is_empty() {
            return Ok(Ok(BTreeSet::new()));
        }
        let answer = self.those_there(source, stream, asked.clone()).await?;
        Ok(answer.map(|there| asked.into_iter().filter(|key| !there.contains(key)).collect()))
    }

    /// Asks the source which of these records it has.
    pub(crate) async fn those_there(
        &self,
        source: &BuiltSource,
        stream: &StreamRequest,
        keys: Vec<Vec<u8>>,
    ) -> Result<Result<BTreeSet<Vec<u8>>, SourceError>, Stop> {
        let (source, stream) = (source.clone(), stream.clone());
        let asking = async move { source.verify_absent(&stream, keys).await };
        self.unless_cancelled("it was asked for keys", asking).await
    }

    fn step(&self, stream: &StreamName, absent: BTreeSet<Vec<u8>>) -> Sweep {
        Sweep {
            sync_id: self.claim.sync.id,
            connector_id: self.claim.sync.connector_id,
            fence: self.claim.fence,
            cancel: self.cancel.flag(),
            now: self.now(),
            stream: stream.clone(),
            max_keys: SWEEP_KEYS,
            absent,
        }
    }
}
