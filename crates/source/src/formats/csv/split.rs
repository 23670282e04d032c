//! Where the records and fields of a CSV text lie, by RFC 4180 and strictly; nothing is copied.

use memchr::memchr;

/// The two characters that give a CSV text its shape.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dialect {
    /// What stands between fields.
    pub delimiter: u8,
    /// What stands around a field that holds delimiters, line ends or quotes; `None`: quotes mean nothing.
    pub quote: Option<u8>,
}

/// A field's place in the piece of text that was split.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct FieldSpan {
    start: usize,
    end: usize,
    /// Whether quotes inside it are doubled.
    doubled: bool,
}

impl FieldSpan {
    /// The field's text, without the quotes around it. `scratch` is used only where quotes are doubled inside.
    #[inline]
    pub(super) fn text<'a>(&self, text: &'a str, quote: Option<u8>, scratch: &'a mut String) -> &'a str {
        let raw = &text[self.start..self.end];
        match quote {
            Some(quote) if self.doubled => {
                halve(raw, char::from(quote), scratch);
                scratch
            }
            _ => raw,
        }
    }
}

/// Writes `raw` to `out` with each pair of quotes made one.
fn halve(mut raw: &str, quote: char, out: &mut String) {
    out.clear();
    while let Some(at) = raw.find(quote) {
        out.push_str(&raw[..=at]);
        raw = raw.get(at + 2..).unwrap_or_default();
    }
    out.push_str(raw);
}

/// What stands at the front of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Split {
    /// A record, whose fields are in [`Splitter::fields`].
    Record {
        /// Its bytes, its line end included.
        len: usize,
        /// The lines it takes up: more than one where a field holds line ends.
        lines: u64,
    },
    /// An empty line, which is no record.
    Blank {
        /// Its bytes.
        len: usize,
    },
    /// The record goes on behind the text.
    Partial,
    /// A record whose quotes are wrong. It is unknown where it ends.
    Broken(&'static str),
}

/// Finds one record after another; the list of fields is reused.
#[derive(Debug)]
pub(super) struct Splitter {
    dialect: Dialect,
    /// The dialect's delimiter, quote and line end, each in all eight bytes of a word.
    words: [u64; 3],
    fields: Vec<FieldSpan>,
    /// Line ends inside the fields of the record in hand.
    inner_lines: u64,
}

/// How a field ended.
enum FieldEnd {
    /// At the delimiter before this byte.
    Delimiter(usize),
    /// At the line end before this byte, or at the end of the text.
    Line(usize),
    Partial,
    Broken(&'static str),
}

impl Splitter {
    pub(super) fn new(dialect: Dialect) -> Self {
        let quote = dialect.quote.unwrap_or(b'\n');
        let words = [dialect.delimiter, quote, b'\n'].map(|byte| ONES * u64::from(byte));
        Self { dialect, words, fields: Vec::new(), inner_lines: 0 }
    }

    pub(super) fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// The fields of the record found last.
    pub(super) fn fields(&self) -> &[FieldSpan] {
        &self.fields
    }

    /// Finds the record at the front of `text`. `last`: nothing comes after `text`.
    pub(super) fn split(&mut self, text: &[u8], last: bool) -> Split {
        self.fields.clear();
        self.inner_lines = 0;
        match blank_line(text, last) {
            Some(0) => {}
            Some(len) => return Split::Blank { len },
            None => return Split::Partial,
        }
        let mut at = 0;
        loop {
            let quoted = self.dialect.quote.is_some() && text.get(at).copied() == self.dialect.quote;
            let end = if quoted { self.quoted(text, at, last) } else { self.unquoted(text, at, last) };
            match end {
                FieldEnd::Delimiter(next) => at = next,
                FieldEnd::Line(len) => return Split::Record { len, lines: self.inner_lines + 1 },
                FieldEnd::Partial => return Split::Partial,
                FieldEnd::Broken(why) => return Split::Broken(why),
            }
        }
    }

    fn unquoted(&mut self, text: &[u8], start: usize, last: bool) -> FieldEnd {
        let end = self.next_special(text, start);
        let (end, then) = match text.get(end) {
            Some(b'\n') => (end, FieldEnd::Line(end + 1)),
            Some(&byte) if byte == self.dialect.delimiter => (end, FieldEnd::Delimiter(end + 1)),
            Some(_) => return FieldEnd::Broken("a quote stands inside a field that does not begin with one"),
            None if last => (end, FieldEnd::Line(end)),
            None => return FieldEnd::Partial,
        };
        let ends_line = matches!(then, FieldEnd::Line(_));
        let carriage_return = ends_line && end > start && text[end - 1] == b'\r';
        self.fields.push(FieldSpan { start, end: end - usize::from(carriage_return), doubled: false });
        then
    }

    fn quoted(&mut self, text: &[u8], open: usize, last: bool) -> FieldEnd {
        let quote = text[open];
        let (mut at, mut doubled) = (open + 1, false);
        let close = loop {
            let Some(found) = memchr(quote, &text[at..]) else {
                return if last {
                    FieldEnd::Broken("a quote is opened and never closed")
                } else {
                    FieldEnd::Partial
                };
            };
            match text.get(at + found + 1) {
                Some(&byte) if byte == quote => (at, doubled) = (at + found + 2, true),
                None if !last => return FieldEnd::Partial,
                _ => break at + found,
            }
        };
        let then = match &text[close + 1..] {
            [] => FieldEnd::Line(close + 1),
            [b'\n', ..] => FieldEnd::Line(close + 2),
            [b'\r', b'\n', ..] => FieldEnd::Line(close + 3),
            [b'\r'] if last => FieldEnd::Line(close + 2),
            [b'\r'] => return FieldEnd::Partial,
            [byte, ..] if *byte == self.dialect.delimiter => FieldEnd::Delimiter(close + 2),
            _ => return FieldEnd::Broken("text follows a closing quote"),
        };
        self.inner_lines += memchr::memchr_iter(b'\n', &text[open..close]).count() as u64;
        self.fields.push(FieldSpan { start: open + 1, end: close, doubled });
        then
    }

    /// The first delimiter, quote or line end at or after `at`; else the end of `text`.
    #[inline]
    fn next_special(&self, text: &[u8], mut at: usize) -> usize {
        while let Some(word) = text.get(at..).and_then(<[u8]>::first_chunk::<8>) {
            let word = u64::from_le_bytes(*word);
            let found = self.words.iter().fold(0, |found, special| found | zero_bytes(word ^ special));
            if found != 0 {
                return at + (found.trailing_zeros() / u8::BITS) as usize;
            }
            at += 8;
        }
        while let Some(&byte) = text.get(at) {
            if byte == self.dialect.delimiter || byte == b'\n' || Some(byte) == self.dialect.quote {
                break;
            }
            at += 1;
        }
        at
    }
}

/// The length of the empty line at the front of `text`; 0 if there is none, `None` if that is not yet known.
fn blank_line(text: &[u8], last: bool) -> Option<usize> {
    match text {
        [b'\n', ..] => Some(1),
        [b'\r', b'\n', ..] => Some(2),
        [b'\r'] if last => Some(1),
        [] | [b'\r'] => None,
        _ => Some(0),
    }
}

const ONES: u64 = 0x0101_0101_0101_0101;

/// Has the top bit of the first zero byte of `word` set. Higher bytes may be marked wrongly, lower ones never are.
#[inline]
fn zero_bytes(word: u64) -> u64 {
    word.wrapping_sub(ONES) & !word & (ONES << 7)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const COMMA: Dialect = Dialect { delimiter: b',', quote: Some(b'"') };

    /// Every record as its fields, broken ones as their reason; reading goes on behind a broken record's first line.
    fn read(mut text: &[u8], dialect: Dialect) -> Vec<Result<Vec<String>, &'static str>> {
        let (mut splitter, mut records) = (Splitter::new(dialect), Vec::new());
        while !text.is_empty() {
            let len = match splitter.split(text, true) {
                Split::Record { len, .. } => {
                    let (text, mut scratch) = (std::str::from_utf8(text).unwrap(), String::new());
                    let fields = splitter.fields().iter();
                    records.push(Ok(fields
                        .map(|field| field.text(text, dialect.quote, &mut scratch).to_owned())
                        .collect()));
                    len
                }
                Split::Blank { len } => len,
                Split::Partial => panic!("{text:?} is all there is"),
                Split::Broken(why) => {
                    records.push(Err(why));
                    memchr(b'\n', text).map_or(text.len(), |at| at + 1)
                }
            };
            text = &text[len..];
        }
        records
    }

    fn fields(text: &str) -> Vec<Vec<String>> {
        read(text.as_bytes(), COMMA).into_iter().map(Result::unwrap).collect()
    }

    #[test]
    fn plain_fields_and_both_line_ends() {
        assert_eq!(fields("a,b\r\nc,\n,d"), [["a", "b"], ["c", ""], ["", "d"]]);
        assert_eq!(fields("a,b\r\n"), fields("a,b"));
        assert_eq!(fields("a\rb,c\n"), [["a\rb", "c"]], "a lone carriage return is text");
    }

    #[test]
    fn quoted_fields_hold_delimiters_line_ends_and_doubled_quotes() {
        assert_eq!(
            fields("\"a,b\",\"c\r\nd\",\"e \"\"f\"\"\"\n\"\",\"\"\"\",x\n"),
            [["a,b", "c\r\nd", "e \"f\""], ["", "\"", "x"]]
        );
    }

    #[test]
    fn empty_lines_are_no_records() {
        assert_eq!(fields("\n\r\na\n\n\nb\n\r"), [["a"], ["b"]]);
    }

    #[test]
    fn broken_quotes_cost_one_line() {
        let records = read(b"a,\"b\"c\nd,5\" pipe\ng,\"h\n", COMMA);
        assert_eq!(
            records,
            [
                Err("text follows a closing quote"),
                Err("a quote stands inside a field that does not begin with one"),
                Err("a quote is opened and never closed"),
            ]
        );
        assert_eq!(read(b"a,\"b\nc,d\n", COMMA)[1], Ok(vec!["c".to_owned(), "d".to_owned()]));
    }

    #[test]
    fn other_dialects() {
        let tabs = Dialect { delimiter: b'\t', quote: None };
        assert_eq!(read(b"a\t\"b\n", tabs), [Ok(vec!["a".to_owned(), "\"b".to_owned()])]);
        let pipes = Dialect { delimiter: b'|', quote: Some(b'\'') };
        assert_eq!(read(b"'it''s'|\"\n", pipes), [Ok(vec!["it's".to_owned(), "\"".to_owned()])]);
    }

    #[test]
    fn lines_are_counted_through_quoted_fields() {
        let mut splitter = Splitter::new(COMMA);
        assert_eq!(splitter.split(b"a,\"b\nc\nd\"\nx", true), Split::Record { len: 10, lines: 3 });
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(
            records in prop::collection::vec(prop::collection::vec("[ab,\"\n\r;é]{0,12}", 2..5), 0..8),
            crlf: bool,
        ) {
            let end = if crlf { "\r\n" } else { "\n" };
            let mut text = String::new();
            for record in &records {
                let quoted: Vec<String> = record
                    .iter()
                    .map(|field| match field.contains([',', '"', '\n', '\r']) {
                        true => format!("\"{}\"", field.replace('"', "\"\"")),
                        false => field.clone(),
                    })
                    .collect();
                text.push_str(&quoted.join(","));
                text.push_str(end);
            }
            prop_assert_eq!(fields(&text), records);
        }

        #[test]
        fn the_start_of_a_text_gives_the_same_record_or_is_partial(text in "[ab,\"\n\r]{0,20}", cut in 0_usize..20) {
            let (text, mut splitter) = (text.as_bytes(), Splitter::new(COMMA));
            let cut = cut.min(text.len());
            let whole = splitter.split(text, true);
            let start = splitter.split(&text[..cut], false);
            prop_assert!(start == Split::Partial || start == whole, "{:?} became {:?}", start, whole);
        }
    }
}
