//! The entries of a segment, in the order they arrived and in the order of their keys.

use inlet_model::{Batch, Entry};

use super::super::error::Outcome;
use super::super::keys;
use super::Positioned;
use super::draft::Draft;

/// The entries of a segment, and the order of their keys.
pub(super) struct Entries<'b> {
    batches: Vec<&'b Batch>,
    /// In the order of arrival.
    arrivals: Vec<Arrival>,
    /// The keys as the key table files them, one after the other.
    filed: Vec<u8>,
    /// Arrivals by key, those of one key in their order. The number in front is the start of the key, so that most
    /// comparisons need not look further.
    order: Vec<(u64, u32)>,
}

struct Arrival {
    batch: u32,
    entry: u32,
    filed_at: usize,
    filed_len: u32,
}

impl<'b> Entries<'b> {
    /// Files every entry of the batches by key.
    pub(super) fn gather(draft: &mut Draft<'_>, positioned: &'b [Positioned]) -> Outcome<Self> {
        let batches: Vec<&Batch> = positioned.iter().map(|(batch, _)| batch).collect();
        let count = batches.iter().map(|batch| batch.len()).sum();
        let mut entries =
            Self { batches, arrivals: Vec::with_capacity(count), filed: Vec::new(), order: Vec::new() };
        for (index, (batch, _)) in positioned.iter().enumerate() {
            let stream = draft.stream(batch.stream())?;
            let stream = draft.streams[stream].row.id;
            for (entry, content) in batch.entries().enumerate() {
                let filed_at = entries.filed.len();
                keys::push_filed(&mut entries.filed, stream, content.key);
                entries.arrivals.push(Arrival {
                    batch: index as u32,
                    entry: entry as u32,
                    filed_at,
                    filed_len: (entries.filed.len() - filed_at) as u32,
                });
            }
        }
        entries.sort();
        Ok(entries)
    }

    fn sort(&mut self) {
        let start_of = |key: &[u8]| {
            let mut start = [0; 8];
            let len = key.len().min(8);
            start[..len].copy_from_slice(&key[..len]);
            u64::from_be_bytes(start)
        };
        let mut order: Vec<(u64, u32)> =
            (0..self.arrivals.len()).map(|index| (start_of(self.filed(index)), index as u32)).collect();
        // Stable, so that the entries of one key stay in the order they arrived.
        order.sort_by(|one, other| {
            one.0.cmp(&other.0).then_with(|| self.filed(one.1 as usize).cmp(self.filed(other.1 as usize)))
        });
        self.order = order;
    }

    /// The batches that brought them.
    pub(super) fn batches(&self) -> &[&'b Batch] {
        &self.batches
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.arrivals.len()
    }

    /// The batch that brought the entry.
    pub(super) fn batch_of(&self, index: usize) -> usize {
        self.arrivals[index].batch as usize
    }

    /// The entry.
    pub(super) fn entry(&self, index: usize) -> Entry<'b> {
        let arrival = &self.arrivals[index];
        self.batches[arrival.batch as usize].entry(arrival.entry as usize)
    }

    /// The entry's key as the key table files it.
    pub(super) fn filed(&self, index: usize) -> &[u8] {
        let arrival = &self.arrivals[index];
        &self.filed[arrival.filed_at..arrival.filed_at + arrival.filed_len as usize]
    }

    /// The entries of each key, key after key.
    pub(super) fn by_key(&self) -> impl Iterator<Item = &[(u64, u32)]> {
        self.order.chunk_by(|one, other| {
            one.0 == other.0 && self.filed(one.1 as usize) == self.filed(other.1 as usize)
        })
    }
}
