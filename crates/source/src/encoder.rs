//! From a record's raw JSON to an entry of a batch: the path every JSON source shares.

use std::collections::HashMap;
use std::fmt;

use inlet_model::json::{Canonicalizer, JsonError, JsonErrorKind, Limits, Object};
use inlet_model::key::{KeyEncoder, KeyError, encode_fields};
use inlet_model::schema::Observer;
use inlet_model::{Batch, Rejection};

/// Where the key of a record comes from whose stream has no key fields.
#[derive(Debug)]
pub enum Unkeyed<'a> {
    /// From the place of the record: the path of its file, and its number there.
    Row {
        /// The path.
        path: &'a str,
        /// The number.
        row: u64,
    },
    /// From its content: its hash, and the how-manieth of equal ones it is.
    Content(&'a mut Occurrences),
}

/// How often each content has come, of records that have no other identity.
#[derive(Debug, Default)]
pub struct Occurrences(HashMap<[u8; CONTENT_LEN], u64>);

/// Bytes of a content's hash that go into its key.
const CONTENT_LEN: usize = 16;

impl Occurrences {
    /// Forgets everything, and keeps the memory.
    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// How many different contents have come.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether nothing has come.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn count(&mut self, digest: [u8; CONTENT_LEN]) -> u64 {
        let times = self.0.entry(digest).or_default();
        *times += 1;
        *times
    }
}

/// Turns the raw JSON of records into entries of batches. A record that cannot become one is refused in its batch;
/// there are no errors. Keep one for a stream: its scratch space is reused, and no record allocates.
#[derive(Debug)]
pub struct RecordEncoder {
    canonicalizer: Canonicalizer,
    key_fields: Vec<String>,
    /// The fields to keep, those of the key among them, in order; `None` keeps all.
    kept: Option<Vec<String>>,
    max_record_bytes: usize,
    observer: Observer,
}

impl RecordEncoder {
    /// An encoder for a stream with these key fields, of whose records only `fields` and the key are kept.
    #[must_use]
    pub fn new(key_fields: &[String], fields: Option<&[String]>, max_record_bytes: usize) -> Self {
        let kept = fields.map(|fields| {
            let mut kept: Vec<String> = fields.iter().chain(key_fields).cloned().collect();
            kept.sort_unstable();
            kept.dedup();
            kept
        });
        let limits = Limits { max_bytes: max_record_bytes, ..Limits::default() };
        let canonicalizer = Canonicalizer::new(limits);
        Self {
            canonicalizer,
            key_fields: key_fields.to_vec(),
            kept,
            max_record_bytes,
            observer: Observer::default(),
        }
    }

    /// The same encoder, but for records with these key fields.
    pub fn key_by(&mut self, key_fields: &[String], fields: Option<&[String]>) {
        let observer = std::mem::take(&mut self.observer);
        *self = Self { observer, ..Self::new(key_fields, fields, self.max_record_bytes) };
    }

    /// Puts the record whose JSON is `raw` into `batch`. Its key are the key fields if the stream has any, else what
    /// `unkeyed` says.
    pub fn upsert(&mut self, batch: &mut Batch, position: u64, raw: &[u8], unkeyed: Unkeyed<'_>) {
        self.put(batch, position, raw, |record, key_fields, arena| {
            match unkeyed {
                _ if !key_fields.is_empty() => encode_fields(record, key_fields, arena)?,
                Unkeyed::Row { path, row } => encode_row_key(path, row, arena)?,
                Unkeyed::Content(seen) => encode_content_key(record.span().start, seen, arena)?,
            }
            Ok(())
        });
    }

    /// Puts the record whose JSON is `raw` into `batch` under a key that is encoded already.
    pub fn upsert_as(&mut self, batch: &mut Batch, position: u64, raw: &[u8], key: &[u8]) {
        self.put(batch, position, raw, |_, _, arena| {
            arena.extend_from_slice(key);
            Ok(())
        });
    }

    /// Puts the record into `batch` under the key that `write_key` appends.
    #[inline]
    fn put(
        &mut self,
        batch: &mut Batch,
        position: u64,
        raw: &[u8],
        write_key: impl FnOnce(&Object<'_>, &[String], &mut Vec<u8>) -> Result<(), Refused>,
    ) {
        let Self { canonicalizer, key_fields, kept, max_record_bytes, observer } = self;
        let is_whole = kept.is_none();
        let written = batch.upsert_with(
            position,
            |arena| write_data(canonicalizer, kept.as_deref(), raw, arena),
            |arena, record| {
                write_key(&record, key_fields, arena)?;
                if is_whole {
                    observer.note_object(&record, arena);
                }
                Ok(())
            },
        );
        match written {
            Ok(()) if is_whole => batch.cover(observer.shared_schema()),
            // What is left of a selection is gone through by whoever wants to know its fields.
            Ok(()) => {}
            Err(refused) => batch.reject(refused.rejection(*max_record_bytes, position, raw)),
        }
    }
}

/// Appends the key of a record that is known by its place: the path of its file, and its number there.
pub fn encode_row_key(path: &str, row: u64, out: &mut Vec<u8>) -> Result<(), KeyError> {
    let mut key = KeyEncoder::new(out);
    key.push_str(path);
    key.push_u64(row);
    key.finish().map(|_| ())
}

/// Appends the key of a record that is known by its content, which is the end of `out` from `start` on.
pub fn encode_content_key(start: usize, seen: &mut Occurrences, out: &mut Vec<u8>) -> Result<(), KeyError> {
    let hash = blake3::hash(&out[start..]);
    let digest: [u8; CONTENT_LEN] =
        *hash.as_bytes().first_chunk().expect("a BLAKE3 hash is longer than its first half");
    let mut token = [b'"'; 2 * CONTENT_LEN + 2];
    token[1..=2 * CONTENT_LEN].copy_from_slice(&hash.to_hex().as_bytes()[..2 * CONTENT_LEN]);
    let mut key = KeyEncoder::new(out);
    key.push_json(&token)?;
    key.push_u64(seen.count(digest));
    key.finish().map(|_| ())
}

fn write_data<'a>(
    canonicalizer: &'a mut Canonicalizer,
    kept: Option<&[String]>,
    raw: &'a [u8],
    arena: &mut Vec<u8>,
) -> Result<Object<'a>, Refused> {
    let record = canonicalizer.object(raw, arena)?;
    if let Some(kept) = kept {
        select(&record, kept, arena);
    }
    Ok(record)
}

/// Takes out of the record at the end of `arena` the top-level fields that are not `kept`. The spans of the record's
/// fields hold no longer.
fn select(record: &Object<'_>, kept: &[String], arena: &mut Vec<u8>) {
    let mut to = record.span().start + 1;
    let mut from = to;
    let mut is_first = true;
    for field in record.fields() {
        let end = field.span().end;
        if field.name().is_some_and(|name| kept.binary_search_by(|each| each.as_str().cmp(name)).is_ok()) {
            if !is_first {
                arena[to] = b',';
                to += 1;
            }
            is_first = false;
            arena.copy_within(from..end, to);
            to += end - from;
        }
        // Behind the comma.
        from = end + 1;
    }
    arena.truncate(to);
    arena.push(b'}');
}

/// Why a record was refused.
#[derive(Debug)]
enum Refused {
    Json(JsonError),
    Key(KeyError),
}

impl From<JsonError> for Refused {
    fn from(error: JsonError) -> Self {
        Self::Json(error)
    }
}

impl From<KeyError> for Refused {
    fn from(error: KeyError) -> Self {
        Self::Key(error)
    }
}

impl Refused {
    #[cold]
    fn rejection(self, max_record_bytes: usize, position: u64, raw: &[u8]) -> Rejection {
        let (code, reason): (_, &dyn fmt::Display) = match &self {
            Self::Json(error) if matches!(error.kind(), JsonErrorKind::TooLarge { .. }) => {
                return too_large(max_record_bytes, position, raw);
            }
            Self::Json(error) => (error.code(), error),
            Self::Key(error) => (error.code(), error),
        };
        Rejection::new(position, code, reason.to_string(), raw)
    }
}

/// The refusal of a record of more bytes than allowed, of which perhaps only the start is known.
#[must_use]
pub fn too_large(max_record_bytes: usize, position: u64, start: &[u8]) -> Rejection {
    let reason = format!("the record has more than {max_record_bytes} bytes");
    Rejection::new(position, "record.too_large", reason, start)
}

#[cfg(test)]
mod tests {
    use inlet_model::key::Key;
    use inlet_model::{HashSeed, Scope, StreamName};

    use super::*;

    fn batch() -> Batch {
        Batch::new(StreamName::new("s").unwrap(), Scope::whole(), HashSeed(1))
    }

    fn strings(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    /// Key and data of each entry, as text, then the codes of the refusals.
    fn shown(batch: &Batch) -> (Vec<(String, String)>, Vec<&'static str>) {
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        let entries =
            batch.entries().map(|entry| (Key::from_encoded(entry.key).unwrap().to_json(), text(entry.data)));
        (entries.collect(), batch.rejections().iter().map(|each| each.code).collect())
    }

    fn entry(key: &str, data: &str) -> (String, String) {
        (key.to_owned(), data.to_owned())
    }

    #[test]
    fn a_record_is_made_canonical_and_keyed_by_its_fields() {
        let (mut batch, mut occurrences) = (batch(), Occurrences::default());
        let mut encoder = RecordEncoder::new(&strings(&["id", "at"]), None, 1000);
        for raw in [r#" {"id": 7, "at": "x", "a": [1, {"c": 1, "b": 2}]} "#, r#"{"at":"y","id":1.0}"#] {
            encoder.upsert(&mut batch, 1, raw.as_bytes(), Unkeyed::Content(&mut occurrences));
        }
        assert_eq!(
            shown(&batch).0,
            [
                entry(r#"[7,"x"]"#, r#"{"a":[1,{"b":2,"c":1}],"at":"x","id":7}"#),
                entry(r#"[1,"y"]"#, r#"{"at":"y","id":1.0}"#),
            ]
        );
    }

    #[test]
    fn a_record_that_is_not_good_is_refused_and_the_next_one_taken() {
        let (mut batch, mut occurrences) = (batch(), Occurrences::default());
        let mut encoder = RecordEncoder::new(&strings(&["id"]), None, 40);
        let long = format!(r#"{{"id":1,"x":"{}"}}"#, "y".repeat(40));
        for (position, raw) in [
            r#"{"id":}"#,
            r#"{"a":1}"#,
            r#"{"id":null}"#,
            r#"{"id":[1]}"#,
            "[1]",
            &long,
            r#"{"id":1,"id":1}"#,
        ]
        .into_iter()
        .enumerate()
        {
            encoder.upsert(&mut batch, position as u64, raw.as_bytes(), Unkeyed::Content(&mut occurrences));
        }
        encoder.upsert(&mut batch, 9, br#"{"id":1}"#, Unkeyed::Content(&mut occurrences));
        let (entries, codes) = shown(&batch);
        assert_eq!(entries, [entry("1", r#"{"id":1}"#)]);
        assert_eq!(
            codes,
            [
                "json.syntax",
                "key.missing_field",
                "key.null",
                "key.not_a_scalar",
                "json.not_an_object",
                "record.too_large",
                "json.duplicate_name",
            ]
        );
        assert_eq!(batch.rejections()[5].position, 5);
        assert_eq!(batch.rejections()[5].reason, "the record has more than 40 bytes");
    }

    #[test]
    fn without_key_fields_the_place_or_the_content_is_the_key() {
        let (mut batch, mut occurrences) = (batch(), Occurrences::default());
        let mut encoder = RecordEncoder::new(&[], None, 1000);
        encoder.upsert(&mut batch, 1, b"{}", Unkeyed::Row { path: "d/a.csv", row: 3 });
        for raw in [&b"{}"[..], b"{ }", br#"{"a":1}"#] {
            encoder.upsert(&mut batch, 1, raw, Unkeyed::Content(&mut occurrences));
        }
        let keys: Vec<_> = shown(&batch).0.into_iter().map(|(key, _)| key).collect();
        let empty = &blake3::hash(b"{}").to_hex()[..32];
        let other = &blake3::hash(br#"{"a":1}"#).to_hex()[..32];
        assert_eq!(
            keys,
            [
                r#"["d/a.csv",3]"#.to_owned(),
                format!(r#"["{empty}",1]"#),
                format!(r#"["{empty}",2]"#),
                format!(r#"["{other}",1]"#)
            ]
        );
    }

    #[test]
    fn only_the_selected_fields_and_the_key_are_kept() {
        for (fields, expected) in [
            (&["b"][..], r#"{"b":{"x":1},"id":1}"#),
            (&["a", "c"], r#"{"a":1,"c":"z","id":1}"#),
            (&["nowhere"], r#"{"id":1}"#),
            (&["a", "b", "c", "d", "id"], r#"{"a":1,"b":{"x":1},"c":"z","d":null,"id":1}"#),
        ] {
            let mut batch = batch();
            let mut encoder = RecordEncoder::new(&strings(&["id"]), Some(&strings(fields)), 1000);
            let raw = br#"{"d":null,"c":"z","b":{"x":1},"a":1,"id":1}"#;
            encoder.upsert(&mut batch, 1, raw, Unkeyed::Content(&mut Occurrences::default()));
            assert_eq!(shown(&batch).0, [entry("1", expected)]);
        }
        let mut batch = batch();
        let mut encoder = RecordEncoder::new(&[], Some(&[]), 1000);
        encoder.upsert(&mut batch, 1, br#"{"a":1}"#, Unkeyed::Row { path: "a", row: 1 });
        encoder.upsert_as(&mut batch, 2, br#"{"a": 1}"#, Key::from_json(b"\"k\"").unwrap().as_bytes());
        assert_eq!(shown(&batch).0, [entry(r#"["a",1]"#, "{}"), entry("\"k\"", "{}")]);
    }
}
