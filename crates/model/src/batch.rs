//! Records on their way from a source to the writer: an arena of bytes, not a tree of values per record.

use std::sync::Arc;

use crate::mask::Masking;
use crate::schema::Schema;
use crate::{HashSeed, RecordHash, Scope, StreamName};

/// What an entry does to its record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Op {
    /// The record is there, with this content.
    Upsert,
    /// The record is gone.
    Delete,
    /// The record is there, and is refused as it is now: what was taken of it before stays.
    Keep,
}

/// A record that was refused, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejection {
    /// Where it stood in the source; what the number counts is the source's to document (a line, a row).
    pub position: u64,
    /// Stable and dotted, such as `json.syntax`.
    pub code: &'static str,
    /// A sentence a person can act on.
    pub reason: String,
    /// The start of what was refused, as text.
    pub sample: String,
    /// All of it, where the source does not have it any more.
    pub pushed: Option<Box<PushedRecord>>,
}

/// A pushed record that was refused, so that it can be pushed again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PushedRecord {
    /// The fields that its push stated as its key; empty where it stated none.
    pub key_fields: Vec<String>,
    /// What has been masked in it.
    pub masked: Masking,
    /// Its line, as a push leaves it.
    pub line: Vec<u8>,
}

impl Rejection {
    /// The most of a refused record that is kept, in bytes.
    pub const SAMPLE_LEN: usize = 512;

    /// A refusal that keeps the start of `raw`.
    #[must_use]
    pub fn new(position: u64, code: &'static str, reason: String, raw: &[u8]) -> Self {
        let start = &raw[..raw.len().min(Self::SAMPLE_LEN)];
        Self { position, code, reason, sample: String::from_utf8_lossy(start).into_owned(), pushed: None }
    }

    /// About the memory it holds.
    fn bytes(&self) -> usize {
        size_of::<Self>() + Self::SAMPLE_LEN + self.pushed.as_ref().map_or(0, |pushed| pushed.line.len())
    }
}

#[derive(Debug, Clone, Copy)]
struct Span {
    start: u32,
    end: u32,
}

impl Span {
    fn of<'a>(&self, arena: &'a [u8]) -> &'a [u8] {
        &arena[self.start as usize..self.end as usize]
    }
}

#[derive(Debug, Clone, Copy)]
struct Head {
    op: Op,
    key: Span,
    data: Span,
    hash: RecordHash,
    position: u64,
}

/// One entry of a batch, borrowed from its arena.
#[derive(Debug, Clone, Copy)]
pub struct Entry<'a> {
    /// What it does.
    pub op: Op,
    /// The record's key, encoded.
    pub key: &'a [u8],
    /// The record's canonical JSON; empty of what is no upsert.
    pub data: &'a [u8],
    /// The hash of `data` under the collection's seed.
    pub hash: RecordHash,
    /// Where the record stood in the source.
    pub position: u64,
}

/// Entries of one scope of one stream, in source order, with the records refused among them.
#[derive(Debug)]
pub struct Batch {
    stream: StreamName,
    scope: Scope,
    seed: HashSeed,
    arena: Vec<u8>,
    heads: Vec<Head>,
    rejections: Vec<Rejection>,
    /// What the records of the first so many entries were written by.
    cover: Option<(Arc<Schema>, usize)>,
}

impl Batch {
    /// No batch grows beyond this many bytes by more than one record, so that spans fit 32 bits.
    pub const MAX_BYTES: usize = 1 << 30;

    /// An empty batch. `seed` is the collection's, as the read request states it.
    #[must_use]
    pub fn new(stream: StreamName, scope: Scope, seed: HashSeed) -> Self {
        Self {
            stream,
            scope,
            seed,
            arena: Vec::new(),
            heads: Vec::new(),
            rejections: Vec::new(),
            cover: None,
        }
    }

    /// An empty batch of the same scope and seed.
    #[must_use]
    pub fn successor(&self) -> Self {
        Self::new(self.stream.clone(), self.scope.clone(), self.seed)
    }

    /// Makes room for so many bytes of records, so that they are not moved again and again as the batch grows. Room that
    /// is never used costs no memory.
    #[must_use]
    pub fn with_room(mut self, bytes: usize) -> Self {
        self.arena.reserve(bytes);
        self
    }

    /// Says that no record so far has a field, or a value of a type, that is not in this schema. Cheap to say again and again.
    #[inline]
    pub fn cover(&mut self, schema: &Arc<Schema>) {
        let entries = self.heads.len();
        match &mut self.cover {
            Some((known, covered)) if Arc::ptr_eq(known, schema) => *covered = entries,
            _ => self.cover = Some((Arc::clone(schema), entries)),
        }
    }

    /// A schema that covers all records, if whoever wrote them has one.
    #[must_use]
    pub fn covered_by(&self) -> Option<&Arc<Schema>> {
        self.cover.as_ref().filter(|(_, covered)| *covered == self.heads.len()).map(|(schema, _)| schema)
    }

    /// The stream all entries belong to.
    #[must_use]
    pub fn stream(&self) -> &StreamName {
        &self.stream
    }

    /// The scope all entries belong to.
    #[must_use]
    pub fn scope(&self) -> &Scope {
        &self.scope
    }

    /// How many entries there are, refused records not counted.
    #[must_use]
    pub fn len(&self) -> usize {
        self.heads.len()
    }

    /// Whether there is neither an entry nor a refusal.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.heads.is_empty() && self.rejections.is_empty()
    }

    /// The memory the batch holds, in bytes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.arena.len()
            + self.heads.len() * size_of::<Head>()
            + self.rejections.iter().map(Rejection::bytes).sum::<usize>()
    }

    /// Bytes of record data, keys left out.
    #[must_use]
    pub fn data_bytes(&self) -> u64 {
        self.heads.iter().map(|head| u64::from(head.data.end - head.data.start)).sum()
    }

    /// The entry at `index`, which must be below [`len`](Self::len).
    #[must_use]
    pub fn entry(&self, index: usize) -> Entry<'_> {
        let head = &self.heads[index];
        Entry {
            op: head.op,
            key: head.key.of(&self.arena),
            data: head.data.of(&self.arena),
            hash: head.hash,
            position: head.position,
        }
    }

    /// The entries in source order.
    pub fn entries(&self) -> impl ExactSizeIterator<Item = Entry<'_>> {
        (0..self.len()).map(|index| self.entry(index))
    }

    /// The records refused, in source order.
    #[must_use]
    pub fn rejections(&self) -> &[Rejection] {
        &self.rejections
    }

    /// Records a refusal.
    pub fn reject(&mut self, rejection: Rejection) {
        self.rejections.push(rejection);
    }

    /// Keeps all of the record that was refused last. There must be one.
    pub fn keep_refused(&mut self, pushed: PushedRecord) {
        self.rejections.last_mut().expect("a record was refused").pushed = Some(Box::new(pushed));
    }

    /// Appends a record whose bytes the closure writes: first `write_data`, which appends the canonical JSON
    /// and says how to find the key, then `write_key`, which appends the encoded key.
    ///
    /// Both append to the arena they are given and touch nothing before its end. If either fails, the batch is as it was.
    pub fn upsert_with<T, E>(
        &mut self,
        position: u64,
        write_data: impl FnOnce(&mut Vec<u8>) -> Result<T, E>,
        write_key: impl FnOnce(&mut Vec<u8>, T) -> Result<(), E>,
    ) -> Result<(), E> {
        let start = self.arena.len();
        let written = write_data(&mut self.arena).and_then(|found| {
            let end = self.arena.len();
            write_key(&mut self.arena, found).map(|()| end)
        });
        match written {
            Ok(middle) => {
                let hash = RecordHash::of(self.seed, &self.arena[start..middle]);
                self.push(Op::Upsert, (middle, self.arena.len()), (start, middle), hash, position);
                Ok(())
            }
            Err(error) => {
                self.arena.truncate(start);
                Err(error)
            }
        }
    }

    /// Appends a record from its canonical JSON and encoded key.
    pub fn upsert(&mut self, position: u64, key: &[u8], data: &[u8]) {
        let start = self.arena.len();
        self.arena.extend_from_slice(data);
        let middle = self.arena.len();
        self.arena.extend_from_slice(key);
        let hash = RecordHash::of(self.seed, data);
        self.push(Op::Upsert, (middle, self.arena.len()), (start, middle), hash, position);
    }

    /// Appends a delete of the record with this encoded key.
    pub fn delete(&mut self, position: u64, key: &[u8]) {
        let start = self.arena.len();
        self.arena.extend_from_slice(key);
        let hash = RecordHash::of(self.seed, b"");
        self.push(Op::Delete, (start, self.arena.len()), (start, start), hash, position);
    }

    /// Says of a record that was refused, but whose key is known, that it is there: what was taken of it before stays, even
    /// if this is a listing that sees nothing else of it.
    pub fn keep(&mut self, position: u64, key: &[u8]) {
        let start = self.arena.len();
        self.arena.extend_from_slice(key);
        let hash = RecordHash::of(self.seed, b"");
        self.push(Op::Keep, (start, self.arena.len()), (start, start), hash, position);
    }

    fn push(&mut self, op: Op, key: (usize, usize), data: (usize, usize), hash: RecordHash, position: u64) {
        let span = |(start, end): (usize, usize)| Span {
            start: u32::try_from(start).expect("sources close a batch long before 4 GiB"),
            end: u32::try_from(end).expect("sources close a batch long before 4 GiB"),
        };
        self.heads.push(Head { op, key: span(key), data: span(data), hash, position });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::Observer;

    fn batch() -> Batch {
        Batch::new(StreamName::new("s").unwrap(), Scope::whole(), HashSeed(1))
    }

    #[test]
    fn a_batch_is_covered_only_as_far_as_was_said() {
        let mut batch = batch();
        let schema = Arc::clone(Observer::of_columns(["a"]).shared_schema());
        batch.upsert(1, b"k1", b"{\"a\":1}");
        batch.cover(&schema);
        assert!(batch.covered_by().is_some_and(|cover| Arc::ptr_eq(cover, &schema)));
        batch.upsert(2, b"k2", b"{\"b\":1}");
        assert!(batch.covered_by().is_none(), "nobody has said anything of the last");
    }

    #[test]
    fn gives_back_what_was_put_in() {
        let mut batch = batch();
        batch.upsert(1, b"k1", b"{\"a\":1}");
        batch.delete(2, b"k2");
        let entries: Vec<_> =
            batch.entries().map(|entry| (entry.op, entry.key.to_vec(), entry.data.to_vec())).collect();
        assert_eq!(
            entries,
            [(Op::Upsert, b"k1".to_vec(), b"{\"a\":1}".to_vec()), (Op::Delete, b"k2".to_vec(), Vec::new())]
        );
        assert_eq!(batch.data_bytes(), 7);
    }

    #[test]
    fn a_record_that_fails_half_way_leaves_nothing() {
        let mut batch = batch();
        let failed = batch.upsert_with(
            1,
            |arena| {
                arena.extend_from_slice(b"{}");
                Ok(())
            },
            |arena, ()| {
                arena.push(1);
                Err("no key")
            },
        );
        assert_eq!(failed, Err("no key"));
        batch.upsert(2, b"k", b"{}");
        assert_eq!(batch.len(), 1);
        assert_eq!(batch.entry(0).data, b"{}");
        assert_eq!(batch.entry(0).key, b"k");
    }
}
