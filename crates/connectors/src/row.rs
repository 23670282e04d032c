//! What every source of rows does on the way from a row to a record: the key out of the record's own values, and refusing.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use inlet_model::Rejection;
use inlet_model::key::{KeyEncoder, KeyError};
use inlet_source::too_large;

/// Appends the key that is made of `outputs`, whose values lie in `arena` at their spans. `tokens` is scratch space.
pub(crate) fn encode_output_key(
    outputs: &[usize],
    spans: &[(usize, usize)],
    tokens: &mut Vec<u8>,
    arena: &mut Vec<u8>,
) -> Result<(), KeyError> {
    tokens.clear();
    for (start, end) in outputs.iter().map(|index| spans[*index]) {
        tokens.extend_from_slice(&arena[start..end]);
    }
    let mut encoder = KeyEncoder::new(arena);
    let mut from = 0;
    for (start, end) in outputs.iter().map(|index| spans[*index]) {
        let to = from + end - start;
        encoder.push_json(&tokens[from..to])?;
        from = to;
    }
    encoder.finish().map(|_| ())
}

/// Appends bytes as a JSON string in base64.
pub(crate) fn write_base64(bytes: &[u8], out: &mut Vec<u8>) {
    let start = out.len() + 1;
    out.push(b'"');
    out.resize(start + bytes.len().div_ceil(3) * 4, b'"');
    STANDARD.encode_slice(bytes, &mut out[start..]).expect("there is room for all of it");
    out.push(b'"');
}

/// Why a row became no record.
pub(crate) struct Refused {
    /// `None`: it is too large.
    why: Option<(&'static str, String)>,
    sample: Vec<u8>,
}

impl Refused {
    #[cold]
    pub(crate) fn new(code: &'static str, reason: String, record: &[u8]) -> Self {
        Self { why: Some((code, reason)), ..Self::size(record) }
    }

    #[cold]
    pub(crate) fn size(record: &[u8]) -> Self {
        Self { why: None, sample: record[..record.len().min(Rejection::SAMPLE_LEN)].to_vec() }
    }

    #[cold]
    pub(crate) fn key(error: &KeyError, record: &[u8]) -> Self {
        Self::new(error.code(), error.to_string(), record)
    }

    pub(crate) fn rejection(self, position: u64, max_record_bytes: usize) -> Rejection {
        match self.why {
            Some((code, reason)) => Rejection::new(position, code, reason, &self.sample),
            None => too_large(max_record_bytes, position, &self.sample),
        }
    }
}
