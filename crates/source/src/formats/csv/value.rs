//! From one field of a CSV record to a JSON value.

use inlet_model::json::{Canonicalizer, is_canonical_number, write_string};

use super::piece::Piece;
use super::rows::Refused;
use super::{ColumnType, Kind};

/// The texts that stand for null.
#[derive(Debug)]
pub(super) struct Nulls {
    empty: bool,
    others: Vec<Vec<u8>>,
}

impl Nulls {
    pub(super) fn new(texts: &[String]) -> Self {
        let others = texts.iter().filter(|text| !text.is_empty()).map(|text| text.clone().into_bytes());
        Self { empty: texts.iter().any(String::is_empty), others: others.collect() }
    }

    #[inline]
    pub(super) fn contain(&self, text: Piece<'_>) -> bool {
        if text.is_empty() { self.empty } else { self.others.iter().any(|null| null == text.bytes()) }
    }
}

/// Appends a value as the JSON that its column's type asks for. `name` is the column's.
#[inline]
pub(super) fn write_value(
    text: Piece<'_>,
    kind: Kind,
    name: &str,
    canonicalizer: &mut Canonicalizer,
    out: &mut Vec<u8>,
) -> Result<(), Refused> {
    let fits = match kind.column_type() {
        ColumnType::Number => text.is_small_number() || is_canonical_number(text.bytes()),
        ColumnType::Integer => text.is_small_number() || is_integer(text.bytes()),
        ColumnType::Boolean => matches!(text.bytes(), b"true" | b"false"),
        ColumnType::String => return write_text(text, out),
        ColumnType::Json => {
            let written = canonicalizer.value(text.bytes(), out);
            return written.map(|_| ()).map_err(|error| misfit(text, name, &error.to_string()));
        }
    };
    match kind {
        _ if fits => text.append_to(out),
        Kind::Guessed(_) => write_text(text, out)?,
        Kind::Set(kind) => return Err(misfit(text, name, &format!("it is no {}", kind.as_str()))),
    }
    Ok(())
}

#[inline]
fn write_text(text: Piece<'_>, out: &mut Vec<u8>) -> Result<(), Refused> {
    if text.is_plain() {
        out.push(b'"');
        text.append_to(out);
        out.push(b'"');
        return Ok(());
    }
    // The record is UTF-8, so its fields are: they end at ASCII characters.
    let text = std::str::from_utf8(text.bytes()).map_err(|_| Refused::invalid_utf8())?;
    write_string(out, text);
    Ok(())
}

fn is_integer(text: &[u8]) -> bool {
    is_canonical_number(text) && !text.iter().any(|byte| matches!(byte, b'.' | b'e' | b'E'))
}

#[cold]
fn misfit(text: Piece<'_>, name: &str, why: &str) -> Refused {
    const SHOWN: usize = 64;
    let shown: String = String::from_utf8_lossy(text.bytes()).chars().take(SHOWN).collect();
    Refused::new("csv.type", format!("column `{name}` holds {shown:?}: {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_numbers_have_no_point_and_no_exponent() {
        for (text, fits) in
            [("0", true), ("-12", true), ("1.0", false), ("1e3", false), ("01", false), ("-0", false)]
        {
            assert_eq!(is_integer(text.as_bytes()), fits, "{text}");
        }
    }
}
