//! From the lines of pushes to entries of a batch. No I/O.

use inlet_model::key::{Key, KeyEncoder};
use inlet_model::mask::Masking;
use inlet_model::{Batch, PushedRecord, Rejection};
use inlet_source::{InboxEntry, Occurrences, PushedLine, RecordEncoder, StreamRequest, Unkeyed};

/// Puts the lines of pushes into batches.
#[derive(Debug)]
pub(super) struct LineWriter<'a> {
    stream: &'a StreamRequest,
    key_fields: Vec<String>,
    /// Those of them that the push stated.
    stated: Vec<String>,
    /// What was masked in the push that the next lines are of.
    masked: Masking,
    encoder: RecordEncoder,
    /// Counted within a push, so that the same push sent again gives the same keys.
    occurrences: Occurrences,
    /// The push that the next lines are of.
    seq: u64,
}

impl<'a> LineWriter<'a> {
    pub(super) fn new(stream: &'a StreamRequest, max_record_bytes: usize) -> Self {
        let key_fields = stream.primary_key.clone();
        let encoder = RecordEncoder::new(&key_fields, stream.fields.as_deref(), max_record_bytes);
        Self {
            stream,
            key_fields,
            stated: Vec::new(),
            masked: Masking::default(),
            encoder,
            occurrences: Occurrences::default(),
            seq: 0,
        }
    }

    /// Says that the lines of `push` come next. The fields it states as its key count before the stream's.
    pub(super) fn begin(&mut self, push: &InboxEntry) {
        self.occurrences.clear();
        self.stated.clone_from(&push.key_fields);
        self.masked.clone_from(&push.masked);
        self.seq = push.seq;
        let key_fields = if push.key_fields.is_empty() { &self.stream.primary_key } else { &push.key_fields };
        if *key_fields != self.key_fields {
            self.key_fields.clone_from(key_fields);
            self.encoder.key_by(key_fields, self.stream.fields.as_deref());
        }
    }

    /// Puts a line into `batch`. `position` is its number within the push, from 1. One that is refused is kept whole: once it
    /// is taken from the inbox, it is nowhere else.
    pub(super) fn line(&mut self, batch: &mut Batch, position: u64, line: &[u8]) {
        let refused = batch.rejections().len();
        self.put(batch, position, line);
        if batch.rejections().len() > refused {
            batch.keep_refused(PushedRecord {
                key_fields: self.stated.clone(),
                masked: self.masked.clone(),
                line: line.to_vec(),
            });
        }
    }

    fn put(&mut self, batch: &mut Batch, position: u64, line: &[u8]) {
        let Some(parsed) = PushedLine::parse(line) else {
            let reason = "the line is not one that a push leaves".to_owned();
            return batch.reject(Rejection::new(position, "push.bad_line", reason, line));
        };
        let keyed = |key: &[u8]| {
            Key::from_json(key)
                .map_err(|error| Rejection::new(position, error.code(), error.to_string(), line))
        };
        let taken = match parsed {
            PushedLine::Upsert { data, .. } if self.stream.appends => {
                // Its place is its identity: what is pushed twice happened twice.
                let mut place = Vec::new();
                let mut key = KeyEncoder::new(&mut place);
                key.push_u64(self.seq);
                key.push_u64(position);
                let ended = key.finish().map(|_| ());
                ended
                    .map(|()| self.encoder.upsert_as(batch, position, data, &place))
                    .map_err(|error| Rejection::new(position, error.code(), error.to_string(), line))
            }
            PushedLine::Upsert { key: None, data } => {
                self.encoder.upsert(batch, position, data, Unkeyed::Content(&mut self.occurrences));
                Ok(())
            }
            PushedLine::Upsert { key: Some(key), data } => {
                keyed(key).map(|key| self.encoder.upsert_as(batch, position, data, key.as_bytes()))
            }
            PushedLine::Delete { key } => keyed(key).map(|key| batch.delete(position, key.as_bytes())),
        };
        if let Err(rejection) = taken {
            batch.reject(rejection);
        }
    }
}
