//! The JSON form of a key, and the form it has in a URL.

use super::MAX_LEN;
use super::decode::{KeyPart, decode};
use super::encode::KeyEncoder;
use super::error::{KeyError, KeyErrorKind};
use crate::json::{Canonicalizer, JsonError, Limits, find_value_end, write_string};

/// The longest text of a key: JSON may spell a byte in six.
const MAX_TEXT: usize = 8 * MAX_LEN;

/// Appends the JSON form of an encoded key: a scalar for one part, an array for several. On an error `out` is
/// as it was.
pub fn to_json(encoded: &[u8], out: &mut Vec<u8>) -> Result<(), KeyError> {
    let parts = decode(encoded)?;
    if let [part] = parts.as_slice() {
        write_part(part, out);
        return Ok(());
    }
    for (index, part) in parts.iter().enumerate() {
        out.push(if index == 0 { b'[' } else { b',' });
        write_part(part, out);
    }
    out.push(b']');
    Ok(())
}

fn write_part(part: &KeyPart<'_>, out: &mut Vec<u8>) {
    match part {
        KeyPart::Bool(value) => out.extend_from_slice(if *value { b"true" } else { b"false" }),
        KeyPart::Integer(value) => out.extend_from_slice(value.to_string().as_bytes()),
        KeyPart::Number(text) => out.extend_from_slice(text.as_bytes()),
        KeyPart::String(text) => write_string(out, text),
        KeyPart::Bytes(bytes) => {
            let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            write_string(out, &hex);
        }
    }
}

/// The key that is written as this JSON.
pub(super) fn from_json(json: &[u8]) -> Result<Box<[u8]>, KeyError> {
    let value = canonical(json)?.map_err(KeyErrorKind::NotJson)?;
    encode_value(&value).map(|(key, _)| key)
}

/// The key that this text stands for in a URL.
pub(super) fn from_url(text: &str, parts: Option<usize>) -> Result<Box<[u8]>, KeyError> {
    let (key, found) = match canonical(text.as_bytes())? {
        Ok(value) => encode_value(&value)?,
        Err(_) => {
            let mut out = Vec::new();
            let mut key = KeyEncoder::new(&mut out);
            key.push_str(text);
            key.finish()?;
            (out.into(), 1)
        }
    };
    match parts {
        Some(expected) if expected != found => Err(KeyErrorKind::PartCount { expected, found }.into()),
        _ => Ok(key),
    }
}

fn canonical(json: &[u8]) -> Result<Result<Vec<u8>, JsonError>, KeyError> {
    if json.len() > MAX_TEXT {
        return Err(KeyErrorKind::TooLong { max: MAX_LEN }.into());
    }
    let mut value = Vec::new();
    let read = Canonicalizer::new(Limits::default()).value(json, &mut value);
    Ok(read.map(|_| value))
}

/// Encodes a canonical scalar or array of scalars, and says how many parts it has.
fn encode_value(value: &[u8]) -> Result<(Box<[u8]>, usize), KeyError> {
    let mut out = Vec::with_capacity(value.len());
    let mut key = KeyEncoder::new(&mut out);
    let mut parts = 0;
    match value {
        [b'[', items @ .., b']'] => {
            let mut rest = items;
            while let Some(end) = find_value_end(rest) {
                key.push_json(&rest[..end])?;
                parts += 1;
                rest = rest.get(end + 1..).unwrap_or_default();
            }
        }
        scalar => {
            key.push_json(scalar)?;
            parts = 1;
        }
    }
    key.finish()?;
    Ok((out.into(), parts))
}
