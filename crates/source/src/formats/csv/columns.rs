//! Which columns a CSV file has, and of which types: from its header and a sample.

use inlet_model::json::is_canonical_number;

use super::options::bad_columns;
use super::split::{Split, Splitter};
use super::{ColumnType, CsvOptions, Dialect};
use crate::{ErrorKind, SourceError};

/// How much of a file is looked at before its records are read, in bytes.
const SAMPLE: usize = 1 << 20;
/// The most records of a sample.
const SAMPLE_RECORDS: usize = 1000;

/// A column of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// Its type.
    pub kind: Kind,
}

/// The type of a column, and what becomes of a value that is not of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Guessed from the sample: the value is written as a string.
    Guessed(ColumnType),
    /// Set by the user: the record is refused.
    Set(ColumnType),
}

impl Kind {
    /// The type.
    #[must_use]
    pub fn column_type(self) -> ColumnType {
        let (Self::Guessed(kind) | Self::Set(kind)) = self;
        kind
    }
}

/// What the beginning of a file shows.
#[derive(Debug, PartialEq, Eq)]
pub struct Header {
    /// The columns, as they come in a record; none in an empty file.
    pub columns: Vec<Column>,
    /// The bytes before the first record.
    pub len: usize,
    /// The lines before it.
    pub lines: u64,
    /// Records in the sample, and the bytes they take up.
    pub sampled: (usize, usize),
}

/// Reads the header of a text and guesses the types of its columns from the records behind it. `start` is the text's
/// beginning, of which a MiB is looked at; `last`: it is all of it.
///
/// The same text gives the same columns whenever it is asked, so that nothing of this need be stored.
pub fn header(
    start: &[u8],
    last: bool,
    dialect: Dialect,
    options: &CsvOptions,
) -> Result<Header, SourceError> {
    let sample = &start[..start.len().min(SAMPLE)];
    let last = last && sample.len() == start.len();
    let mut splitter = Splitter::new(dialect);
    let (names, len, lines) = match &options.columns {
        Some(columns) => (columns.clone(), 0, 0),
        None => names(&mut splitter, sample, last)?,
    };
    if names.is_empty() {
        return Ok(Header { columns: Vec::new(), len, lines, sampled: (0, 0) });
    }
    if let Some(problem) = bad_columns(names.iter().map(String::as_str)) {
        return Err(bad_header(problem));
    }
    let unknown: Vec<String> =
        options.types.keys().filter(|name| !names.contains(name)).map(|name| format!("`{name}`")).collect();
    if !unknown.is_empty() {
        let message =
            format!("`csv.types` names columns that the file does not have: {}", unknown.join(", "));
        return Err(SourceError::new(ErrorKind::Config, "read CSV", message));
    }
    let mut guesses = vec![Guess::default(); names.len()];
    let sampled = guess(&mut splitter, &sample[len..], last, options, &mut guesses);
    let kind = |name: &str, guess: &Guess| {
        options.types.get(name).map_or(Kind::Guessed(guess.column_type()), |set| Kind::Set(*set))
    };
    let columns = names
        .into_iter()
        .zip(&guesses)
        .map(|(name, guess)| Column { kind: kind(&name, guess), name })
        .collect();
    Ok(Header { columns, len, lines, sampled })
}

/// The names in the first line that is not empty, the bytes up to its end, and the lines.
fn names(
    splitter: &mut Splitter,
    sample: &[u8],
    last: bool,
) -> Result<(Vec<String>, usize, u64), SourceError> {
    let (mut at, mut line) = (0, 0);
    loop {
        match splitter.split(&sample[at..], last) {
            Split::Blank { len } => {
                at += len;
                line += 1;
            }
            Split::Record { len, lines } => {
                let text = &sample[at..at + len];
                if std::str::from_utf8(text).is_err() {
                    return Err(bad_header("it is not UTF-8".to_owned()));
                }
                let quote = splitter.dialect().quote;
                let names = splitter.fields().iter().map(|field| field.text(text, quote));
                return Ok((names.collect(), at + len, line + lines));
            }
            Split::Partial if last => return Ok((Vec::new(), at, line)),
            Split::Partial => return Err(bad_header(format!("it does not end within {SAMPLE} bytes"))),
            Split::Broken(why) => return Err(bad_header(why.to_owned())),
        }
    }
}

fn bad_header(problem: String) -> SourceError {
    SourceError::new(ErrorKind::Format, "read CSV", format!("the header line is not usable: {problem}"))
        .hint("if the file has no header, set `csv.header` to false and name the columns in `csv.columns`")
}

/// What the values of a column have in common so far.
#[derive(Debug, Clone, Default)]
struct Guess {
    values: usize,
    numbers: usize,
    booleans: usize,
}

impl Guess {
    fn add(&mut self, value: &[u8]) {
        self.values += 1;
        self.numbers += usize::from(is_canonical_number(value));
        self.booleans += usize::from(matches!(value, b"true" | b"false"));
    }

    fn column_type(&self) -> ColumnType {
        match self.values {
            0 => ColumnType::String,
            all if all == self.numbers => ColumnType::Number,
            all if all == self.booleans => ColumnType::Boolean,
            _ => ColumnType::String,
        }
    }
}

/// Looks at the whole records of the sample; broken ones are passed over as reading does. Gives how many there were, and
/// their bytes.
fn guess(
    splitter: &mut Splitter,
    sample: &[u8],
    last: bool,
    options: &CsvOptions,
    guesses: &mut [Guess],
) -> (usize, usize) {
    let (mut at, mut records, mut scratch) = (0, 0, Vec::new());
    while records < SAMPLE_RECORDS {
        let rest = &sample[at..];
        match splitter.split(rest, last) {
            Split::Record { len, .. } => {
                let is_text = std::str::from_utf8(&rest[..len]).is_ok();
                if is_text && splitter.fields().len() == guesses.len() {
                    for (field, guess) in splitter.fields().iter().zip(&mut *guesses) {
                        let value = field.piece(rest, splitter.dialect().quote, &mut scratch).bytes();
                        if !options.null_values.iter().any(|null| null.as_bytes() == value) {
                            guess.add(value);
                        }
                    }
                }
                records += 1;
                at += len;
            }
            Split::Blank { len } => at += len,
            Split::Partial => break,
            Split::Broken(_) => match memchr::memchr(b'\n', rest) {
                Some(end) => at += end + 1,
                None => break,
            },
        }
    }
    (records, at)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const COMMA: Dialect = Dialect { delimiter: b',', quote: Some(b'"') };

    fn options(csv: serde_json::Value) -> CsvOptions {
        CsvOptions::read(String::new(), csv.as_object().unwrap().clone()).unwrap()
    }

    fn columns(csv: serde_json::Value, text: &str) -> Result<Vec<(String, Kind)>, String> {
        header(text.as_bytes(), true, COMMA, &options(csv))
            .map(|header| header.columns.into_iter().map(|column| (column.name, column.kind)).collect())
            .map_err(|error| error.to_string())
    }

    #[test]
    fn a_type_is_guessed_only_if_every_value_is_of_it() {
        let text = "id,zip,ok,note,empty,mixed\n1,01234,true,x,,1\n2.5e3,10115,false,,,x\n";
        let kinds: Vec<_> =
            columns(json!({}), text).unwrap().into_iter().map(|(_, kind)| kind.column_type()).collect();
        use ColumnType::{Boolean, Number, String};
        assert_eq!(kinds, [Number, String, Boolean, String, String, String]);
    }

    #[test]
    fn null_values_say_nothing_about_the_type() {
        let found = columns(json!({"null_values": ["NA"]}), "a,b\n1,\nNA,2\n").unwrap();
        assert_eq!(found[0].1, Kind::Guessed(ColumnType::Number));
        assert_eq!(found[1].1, Kind::Guessed(ColumnType::String), "an empty text is now a text");
    }

    #[test]
    fn set_types_win_and_must_name_columns() {
        let found = columns(json!({"types": {"a": "string"}}), "a,b\n1,2\n").unwrap();
        assert_eq!(found[0].1, Kind::Set(ColumnType::String));
        let error = columns(json!({"types": {"x": "string", "a": "json"}}), "a,b\n1,2\n").unwrap_err();
        assert!(error.contains("does not have: `x`"), "{error}");
    }

    #[test]
    fn a_bad_header_is_said_to_be_bad() {
        for (text, problem) in [
            ("a,,b,a\n", "column 2 has no name; columns 1 and 4 are both named `a`"),
            ("a,\"b\"c\n", "text follows a closing quote"),
            ("\"a,b\n", "a quote is opened and never closed"),
        ] {
            let error = columns(json!({}), text).unwrap_err();
            assert!(error.contains(problem), "{error}");
        }
    }

    #[test]
    fn an_empty_file_has_no_columns_and_a_file_without_header_the_set_ones() {
        assert_eq!(columns(json!({}), "").unwrap(), []);
        assert_eq!(columns(json!({}), "\n\n").unwrap(), []);
        let found = columns(json!({"header": false, "columns": ["x", "y"]}), "1,a\n").unwrap();
        assert_eq!(found[0], ("x".to_owned(), Kind::Guessed(ColumnType::Number)));
    }
}
