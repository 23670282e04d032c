//! Masking a stream's records, keys and refusals.

use inlet_model::key::KeyError;
use inlet_model::mask::{KeyMask, Masker, MaskingKey, REDACTED};
use inlet_model::{Entry, Rejection};

use super::seal::Sealer;
use crate::plan::StreamPlan;

/// What masks the records of a stream.
#[derive(Debug)]
pub(super) struct RecordMask {
    pub(super) masker: Masker,
    pub(super) sealer: Sealer,
    keys: KeyMask,
}

impl RecordMask {
    pub(super) fn new(plan: &StreamPlan, key: MaskingKey, sealer: Sealer) -> Self {
        Self { masker: Masker::new(&plan.masking, key), keys: plan.key_mask(), sealer }
    }

    /// Appends the masked key of an entry, or says why the record has none.
    pub(super) fn key(&self, entry: &Entry<'_>, out: &mut Vec<u8>) -> Result<(), Rejection> {
        self.keys.key(&self.masker, entry.key, out).map_err(|error| refused_key(entry.position, &error))
    }
}

/// A record whose key cannot be stored. Nothing of it is shown.
#[cold]
pub(super) fn refused_key(position: u64, error: &KeyError) -> Rejection {
    Rejection::new(position, error.code(), error.to_string(), REDACTED.as_bytes())
}

/// A refusal without what was refused: a record that is no record cannot be masked. Its reason stays where that never repeats
/// a value.
pub(super) fn rejection(rejection: &Rejection) -> Rejection {
    let code = rejection.code;
    let says_no_value =
        ["json.", "key."].iter().any(|family| code.starts_with(family)) || code == "record.too_large";
    let reason = match says_no_value {
        true => rejection.reason.clone(),
        false => "The reason is not kept, since values of this stream are masked.".to_owned(),
    };
    Rejection { position: rejection.position, code, reason, sample: REDACTED.to_owned(), pushed: None }
}
