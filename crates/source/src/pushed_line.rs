//! The form in which a pushed record waits for a sync.

use inlet_model::json::find_value_end;

pub(crate) const OPEN_DATA: &[u8] = b"{\"data\":";
const OPEN_KEY: &[u8] = b"{\"key\":";
const NEXT_KEY: &[u8] = b",\"key\":";
pub(crate) const CLOSE_UPSERT: &[u8] = b",\"op\":\"upsert\"}";
const CLOSE_DELETE: &[u8] = b",\"op\":\"delete\"}";

/// One line of a push: canonical JSON, `{"data":…,"key":…,"op":…}` without what it does not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PushedLine<'a> {
    /// The record is there.
    Upsert {
        /// Its key as JSON, if the push states it.
        key: Option<&'a [u8]>,
        /// Its canonical JSON.
        data: &'a [u8],
    },
    /// The record is gone.
    Delete {
        /// Its key as JSON.
        key: &'a [u8],
    },
}

impl<'a> PushedLine<'a> {
    /// Appends the line, and the end of it.
    pub fn write(&self, lines: &mut Vec<u8>) {
        match self {
            Self::Upsert { key, data } => {
                lines.extend_from_slice(OPEN_DATA);
                lines.extend_from_slice(data);
                if let Some(key) = key {
                    lines.extend_from_slice(NEXT_KEY);
                    lines.extend_from_slice(key);
                }
                lines.extend_from_slice(CLOSE_UPSERT);
            }
            Self::Delete { key } => {
                lines.extend_from_slice(OPEN_KEY);
                lines.extend_from_slice(key);
                lines.extend_from_slice(CLOSE_DELETE);
            }
        }
        lines.push(b'\n');
    }

    /// Takes apart a line that [`accept`](crate::accept) wrote, without its line end; `None` if it is no such line.
    #[must_use]
    pub fn parse(line: &'a [u8]) -> Option<Self> {
        if let Some(key) = line.strip_prefix(OPEN_KEY) {
            return Some(Self::Delete { key: key.strip_suffix(CLOSE_DELETE)? });
        }
        let parts = line.strip_prefix(OPEN_DATA)?.strip_suffix(CLOSE_UPSERT)?;
        // A key is a scalar or an array: if a brace is last, it is the record's own.
        if parts.last() == Some(&b'}') {
            return Some(Self::Upsert { key: None, data: parts });
        }
        let (data, rest) = parts.split_at(find_value_end(parts)?);
        Some(Self::Upsert { key: Some(rest.strip_prefix(NEXT_KEY)?), data })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_parsed() {
        for line in [
            PushedLine::Upsert { key: None, data: b"{}" },
            PushedLine::Upsert { key: Some(b"[1,\"}\"]"), data: br#"{"a":{"key":"}"}}"# },
            PushedLine::Upsert { key: Some(b"\"}\""), data: b"{}" },
            PushedLine::Delete { key: br#"",\"op\":""# },
        ] {
            let mut written = Vec::new();
            line.write(&mut written);
            assert_eq!(PushedLine::parse(written.strip_suffix(b"\n").unwrap()), Some(line));
        }
    }

    #[test]
    fn what_is_no_line_is_not_parsed() {
        for line in [
            "",
            "{}",
            "{\"data\":1,\"op\":\"upsert\"}",
            "{\"data\":{},\"key\":",
            "{\"key\":1,\"op\":\"upsert\"}",
        ] {
            assert_eq!(PushedLine::parse(line.as_bytes()), None, "{line}");
        }
    }
}
