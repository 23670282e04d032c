//! Where the records and fields of a CSV text lie, by RFC 4180 and strictly; nothing is copied.

use memchr::memchr;

use super::piece::Piece;

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
    /// The field, without the quotes around it. `scratch` is used only where quotes are doubled inside.
    #[inline]
    pub(super) fn piece<'a>(&self, text: &'a [u8], quote: Option<u8>, scratch: &'a mut Vec<u8>) -> Piece<'a> {
        if !self.doubled {
            return Piece::new(&text[self.start..], self.end - self.start);
        }
        halve(&text[self.start..self.end], quote.unwrap_or(b'"'), scratch);
        Piece::new(scratch, scratch.len())
    }

    /// The field as text; what is not UTF-8 in it is replaced.
    pub(super) fn text(&self, text: &[u8], quote: Option<u8>) -> String {
        let mut scratch = Vec::new();
        String::from_utf8_lossy(self.piece(text, quote, &mut scratch).bytes()).into_owned()
    }
}

/// Writes `raw` to `out` with each pair of quotes made one.
fn halve(mut raw: &[u8], quote: u8, out: &mut Vec<u8>) {
    out.clear();
    while let Some(at) = memchr(quote, raw) {
        out.extend_from_slice(&raw[..=at]);
        raw = raw.get(at + 2..).unwrap_or_default();
    }
    out.extend_from_slice(raw);
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
        Self { dialect, fields: Vec::new(), inner_lines: 0 }
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
        let (mut specials, mut start) = (Specials::new(self.dialect, text), 0);
        loop {
            let end = specials.next(text);
            let found = match text.get(end) {
                Some(&byte) if byte == self.dialect.delimiter => {
                    self.fields.push(FieldSpan { start, end, doubled: false });
                    start = end + 1;
                    continue;
                }
                Some(b'\n') => self.line(text, start, end, end + 1),
                // Only a quote is left.
                Some(_) if end == start => self.quoted(text, start, last),
                Some(_) => FieldEnd::Broken("a quote stands inside a field that does not begin with one"),
                None if last => self.line(text, start, end, end),
                None => FieldEnd::Partial,
            };
            match found {
                FieldEnd::Delimiter(next) => {
                    start = next;
                    specials.go_to(text, next);
                }
                FieldEnd::Line(len) => return Split::Record { len, lines: self.inner_lines + 1 },
                FieldEnd::Partial => return Split::Partial,
                FieldEnd::Broken(why) => return Split::Broken(why),
            }
        }
    }

    /// Takes the unquoted field that ends the record.
    fn line(&mut self, text: &[u8], start: usize, end: usize, next: usize) -> FieldEnd {
        let carriage_return = end > start && text[end - 1] == b'\r';
        self.fields.push(FieldSpan { start, end: end - usize::from(carriage_return), doubled: false });
        FieldEnd::Line(next)
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
}

/// Finds one delimiter, quote or line end after another, eight bytes at a time.
struct Specials {
    delimiters: u64,
    quotes: u64,
    /// Where the word in hand begins.
    base: usize,
    /// Has the top bit set of each special byte of the word that has not been given yet.
    found: u64,
}

impl Specials {
    #[inline]
    fn new(dialect: Dialect, text: &[u8]) -> Self {
        let delimiters = ONES * u64::from(dialect.delimiter);
        let quotes = ONES * u64::from(dialect.quote.unwrap_or(b'\n'));
        let mut specials = Self { delimiters, quotes, base: 0, found: 0 };
        specials.go_to(text, 0);
        specials
    }

    /// Looks at the word at `base`.
    #[inline]
    fn go_to(&mut self, text: &[u8], base: usize) {
        const LINE_ENDS: u64 = ONES * b'\n' as u64;
        let word = match text.get(base..).and_then(<[u8]>::first_chunk) {
            Some(word) => u64::from_le_bytes(*word),
            None => short_word(text.get(base..).unwrap_or_default()),
        };
        self.base = base;
        self.found = zero_bytes(word ^ self.delimiters)
            | zero_bytes(word ^ self.quotes)
            | zero_bytes(word ^ LINE_ENDS);
    }

    /// The next special byte; the end of `text` if there is none.
    #[inline]
    fn next(&mut self, text: &[u8]) -> usize {
        while self.found == 0 {
            if self.base >= text.len() {
                return text.len();
            }
            self.go_to(text, self.base + size_of::<u64>());
        }
        let at = self.base + (self.found.trailing_zeros() / u8::BITS) as usize;
        self.found &= self.found - 1;
        at
    }
}

/// The last bytes of a text, with zeros behind them, which are never special.
#[cold]
fn short_word(rest: &[u8]) -> u64 {
    let mut word = [0; size_of::<u64>()];
    word[..rest.len()].copy_from_slice(rest);
    u64::from_le_bytes(word)
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

/// Has the top bit set of each byte of `word` that is zero, and of no other.
#[inline]
fn zero_bytes(word: u64) -> u64 {
    const LOW: u64 = ONES * 0x7f;
    !(((word & LOW) + LOW) | word | LOW)
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
                    let fields = splitter.fields().iter();
                    records.push(Ok(fields.map(|field| field.text(text, dialect.quote)).collect()));
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
