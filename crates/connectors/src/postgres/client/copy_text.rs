//! The text form in which COPY sends rows.
//!
//! <https://www.postgresql.org/docs/current/sql-copy.html#SQL-COPY-FILE-FORMATS>

/// What stands for NULL.
pub(in crate::postgres) const NULL: &[u8] = b"\\N";

/// Appends what an escaped field stands for.
pub(in crate::postgres) fn unescape(field: &[u8], out: &mut Vec<u8>) {
    let mut rest = field;
    while let Some(at) = memchr::memchr(b'\\', rest) {
        out.extend_from_slice(&rest[..at]);
        let escaped = rest.get(at + 1).copied();
        out.push(match escaped {
            Some(b'b') => 0x08,
            Some(b'f') => 0x0c,
            Some(b'n') => b'\n',
            Some(b'r') => b'\r',
            Some(b't') => b'\t',
            Some(b'v') => 0x0b,
            Some(byte) => byte,
            None => b'\\',
        });
        rest = rest.get(at + 2..).unwrap_or_default();
    }
    out.extend_from_slice(rest);
}

/// The fields of a row, as they are escaped.
pub(in crate::postgres) fn fields(row: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = Some(row);
    std::iter::from_fn(move || {
        let row = rest?;
        let Some(end) = memchr::memchr(b'\t', row) else { return rest.take() };
        rest = Some(&row[end + 1..]);
        Some(&row[..end])
    })
}

/// A field's text; NULL is none.
pub(in crate::postgres) fn text(field: &[u8]) -> Result<Option<String>, std::string::FromUtf8Error> {
    if field == NULL {
        return Ok(None);
    }
    let mut bytes = Vec::with_capacity(field.len());
    unescape(field, &mut bytes);
    String::from_utf8(bytes).map(Some)
}

/// The texts of a row.
pub(in crate::postgres) fn split(row: &[u8]) -> Result<Vec<Option<String>>, std::string::FromUtf8Error> {
    fields(row).map(text).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_comes_apart_into_its_texts() {
        let row = b"1\t\\N\t\ta\\tb\\\\N\\n\\b\\f\\r\\v\tend";
        let texts = split(row).unwrap();
        let expected = [Some("1"), None, Some(""), Some("a\tb\\N\n\u{8}\u{c}\r\u{b}"), Some("end")];
        assert_eq!(texts.iter().map(Option::as_deref).collect::<Vec<_>>(), expected);
        assert_eq!(split(b"").unwrap(), [Some(String::new())]);
    }
}
