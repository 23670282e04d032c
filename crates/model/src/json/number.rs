//! Where a JSON number ends, and which texts are one.

use super::error::{JsonError, JsonErrorKind};

#[inline]
fn digits_end(text: &[u8], mut at: usize) -> usize {
    while text.get(at).is_some_and(u8::is_ascii_digit) {
        at += 1;
    }
    at
}

/// The end of the number that begins at `at`.
#[inline]
pub(super) fn number_end(text: &[u8], at: usize) -> Result<usize, JsonError> {
    let whole = at + usize::from(text.get(at) == Some(&b'-'));
    let mut end = digits_end(text, whole);
    if end == whole || (text[whole] == b'0' && end > whole + 1) {
        return Err(bad_number(at));
    }
    if text.get(end) == Some(&b'.') {
        let fraction = end + 1;
        end = digits_end(text, fraction);
        if end == fraction {
            return Err(bad_number(at));
        }
    }
    if let Some(b'e' | b'E') = text.get(end) {
        let exponent = end + 1 + usize::from(matches!(text.get(end + 1), Some(b'+' | b'-')));
        end = digits_end(text, exponent);
        if end == exponent {
            return Err(bad_number(at));
        }
    }
    Ok(end)
}

#[cold]
fn bad_number(at: usize) -> JsonError {
    JsonError::new(JsonErrorKind::BadNumber, at)
}

/// Whether `text` is a JSON number and nothing more.
#[must_use]
pub fn is_number(text: &[u8]) -> bool {
    number_end(text, 0).is_ok_and(|end| end == text.len())
}

/// Whether a text from elsewhere, a CSV cell say, is already a JSON number and nothing more, so that it may
/// be taken as one without changing a character of it. `-0` is not: as an integer it would be written `0`.
#[must_use]
pub fn is_canonical_number(text: &[u8]) -> bool {
    text != b"-0" && is_number(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_a_number_only_as_json_writes_it() {
        for number in [
            "0",
            "7",
            "-7",
            "10",
            "1.0",
            "-0.5",
            "1e5",
            "1E+5",
            "2.50e-07",
            "-0.0",
            "123456789012345678901234567890",
        ] {
            assert!(is_canonical_number(number.as_bytes()), "{number}");
        }
        for text in [
            "",
            "-",
            "-0",
            "+1",
            "01",
            "-01",
            "00",
            "007",
            ".5",
            "1.",
            "-.5",
            "1e",
            "1e+",
            "1.e5",
            "1 ",
            " 1",
            "1,000",
            "1_000",
            "0x10",
            "NaN",
            "Infinity",
            "-Infinity",
            "1e5.5",
            "1.2.3",
            "٣",
        ] {
            assert!(!is_canonical_number(text.as_bytes()), "{text:?}");
        }
    }
}
