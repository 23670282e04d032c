//! The fields of the first records of a dry run.

use std::collections::BTreeMap;

use inlet_model::schema::{Observer, Schema};
use inlet_model::{Op, StreamName};
use inlet_store::collection::Item;

/// So many records of a stream are looked into.
pub(crate) const SAMPLES: usize = 200;

/// The fields of the first records of each stream.
#[derive(Debug, Default)]
pub(crate) struct Fields(BTreeMap<StreamName, (usize, Observer)>);

impl Fields {
    /// Looks at the records of a commit.
    pub(crate) fn look_at(&mut self, items: &[Item]) {
        for item in items {
            let Item::Batch { batch, .. } = item else { continue };
            let (looked_at, observer) = self.0.entry(batch.stream().clone()).or_default();
            let records = batch.entries().filter(|entry| entry.op == Op::Upsert);
            for entry in records.take(SAMPLES - *looked_at) {
                *looked_at += 1;
                observer.take(entry.data);
            }
        }
    }

    /// The fields of a stream.
    pub(crate) fn of(&self, stream: &StreamName) -> Schema {
        self.0.get(stream).map(|(_, observer)| observer.schema()).unwrap_or_default()
    }
}
