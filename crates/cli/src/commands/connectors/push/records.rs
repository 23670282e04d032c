//! JSON objects from a file, made into parts of lines that a server takes at once.

use std::cell::Cell;
use std::fmt;
use std::io::{self, BufReader, Read};
use std::rc::Rc;

use serde::de::{Deserializer as _, SeqAccess, Visitor};
use serde_json::value::RawValue;

/// A part is sent when it has this many bytes: well under the 16 MiB that a server takes, and long enough for speed.
const PART: usize = 4 << 20;

/// A server takes no longer record.
const LONGEST_RECORD: usize = 16 << 20;

const BUFFER: usize = 64 << 10;

/// Some records, one a line.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Part {
    /// The lines, each with its end.
    pub(super) lines: Vec<u8>,
    /// How many they are.
    pub(super) count: u64,
}

/// Why the records could not be read on.
#[derive(Debug)]
pub(super) struct Unreadable {
    /// The records before it.
    before: u64,
    error: serde_json::Error,
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "record {} cannot be read: {}", self.before + 1, self.error)
    }
}

/// Reads objects that stand one after the other, or in one array, and gives them to `take` part by part, until it is `false`.
/// The last thing given may be why it could not go on.
pub(super) fn read(input: impl Read, take: impl FnMut(Result<Part, Unreadable>) -> bool) {
    let allowance = Rc::new(Cell::new(0));
    let mut input =
        BufReader::with_capacity(BUFFER, Bounded { inner: input, allowance: Rc::clone(&allowance) });
    let mut parts =
        Parts { part: Part { lines: Vec::new(), count: 0 }, before: 0, take, allowance, goes_on: true };
    parts.renew_allowance();
    let result = match first_character(&mut input) {
        Ok(Some(b'[')) => array(input, &mut parts),
        Ok(Some(_)) => one_after_the_other(input, &mut parts),
        Ok(None) => Ok(()),
        Err(error) => Err(serde_json::Error::io(error)),
    };
    parts.end(result);
}

/// The first character that is no white space; it stays to be read.
fn first_character<R: io::BufRead>(input: &mut R) -> io::Result<Option<u8>> {
    loop {
        let buffer = input.fill_buf()?;
        if buffer.is_empty() {
            return Ok(None);
        }
        let blank = buffer.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
        if let Some(first) = buffer.get(blank) {
            return Ok(Some(*first));
        }
        input.consume(blank);
    }
}

fn one_after_the_other<T>(input: impl Read, parts: &mut Parts<T>) -> serde_json::Result<()>
where
    T: FnMut(Result<Part, Unreadable>) -> bool,
{
    for record in serde_json::Deserializer::from_reader(input).into_iter::<Box<RawValue>>() {
        parts.add(&record?);
        if !parts.goes_on {
            break;
        }
    }
    Ok(())
}

fn array<T>(input: impl Read, parts: &mut Parts<T>) -> serde_json::Result<()>
where
    T: FnMut(Result<Part, Unreadable>) -> bool,
{
    let mut json = serde_json::Deserializer::from_reader(input);
    json.deserialize_seq(Elements(parts))?;
    json.end()
}

/// The elements of an array, each handed on as soon as it is read.
struct Elements<'a, T>(&'a mut Parts<T>);

impl<'de, T: FnMut(Result<Part, Unreadable>) -> bool> Visitor<'de> for Elements<'_, T> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array of records")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<(), A::Error> {
        while let Some(record) = elements.next_element::<Box<RawValue>>()? {
            self.0.add(&record);
            if !self.0.goes_on {
                break;
            }
        }
        Ok(())
    }
}

/// Parts being filled.
struct Parts<T> {
    part: Part,
    /// Records in earlier parts.
    before: u64,
    take: T,
    allowance: Rc<Cell<usize>>,
    goes_on: bool,
}

impl<T: FnMut(Result<Part, Unreadable>) -> bool> Parts<T> {
    fn add(&mut self, record: &RawValue) {
        let json = record.get().as_bytes();
        if !self.part.lines.is_empty() && self.part.lines.len() + json.len() > PART {
            self.hand_on();
        }
        // A line end can only stand between a record's values: within a text it is escaped.
        self.part
            .lines
            .extend(json.iter().map(|byte| if matches!(byte, b'\n' | b'\r') { b' ' } else { *byte }));
        self.part.lines.push(b'\n');
        self.part.count += 1;
        self.renew_allowance();
    }

    fn hand_on(&mut self) {
        let part = std::mem::replace(&mut self.part, Part { lines: Vec::new(), count: 0 });
        self.before += part.count;
        self.goes_on = self.goes_on && (self.take)(Ok(part));
    }

    fn end(mut self, result: serde_json::Result<()>) {
        match result {
            Ok(()) if self.part.count > 0 => self.hand_on(),
            // What was read since the last part is not sent: as if a server had refused the whole part.
            Err(error) if self.goes_on => {
                (self.take)(Err(Unreadable { before: self.before + self.part.count, error }));
            }
            _ => {}
        }
    }

    /// The next record may be as long as any.
    fn renew_allowance(&self) {
        self.allowance.set(LONGEST_RECORD + BUFFER);
    }
}

/// A reader that ends with an error where a record is longer than any may be.
struct Bounded<R> {
    inner: R,
    allowance: Rc<Cell<usize>>,
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        match self.allowance.get().checked_sub(read) {
            Some(left) => self.allowance.set(left),
            None => return Err(io::Error::new(io::ErrorKind::InvalidData, "it is longer than 16 MiB")),
        }
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The parts of a text, and why it could not be read to its end.
    fn parts(input: impl Read) -> (Vec<Part>, Option<String>) {
        let (mut parts, mut trouble) = (Vec::new(), None);
        read(input, |part| {
            match part {
                Ok(part) => parts.push(part),
                Err(error) => trouble = Some(error.to_string()),
            }
            true
        });
        (parts, trouble)
    }

    fn lines(text: &str) -> String {
        let (parts, trouble) = parts(text.as_bytes());
        assert_eq!(trouble, None);
        String::from_utf8(parts.into_iter().flat_map(|part| part.lines).collect()).unwrap()
    }

    #[test]
    fn lines_arrays_and_objects_over_several_lines_give_one_record_a_line() {
        let expected = "{\"a\":1}\n{\"b\":[2]}\n";
        for text in [
            "{\"a\":1}\n{\"b\":[2]}",
            "\n {\"a\":1} {\"b\":[2]}\n",
            "[{\"a\":1},{\"b\":[2]}]",
            "  [ {\"a\":1} ,\n{\"b\":[2]}]\n",
        ] {
            assert_eq!(lines(text), expected, "{text}");
        }
        assert_eq!(
            lines("{\n  \"a\":\r\n  1.50,\n \"t\": \"x\\ny\"}"),
            "{   \"a\":    1.50,  \"t\": \"x\\ny\"}\n"
        );
        assert_eq!(lines(""), "");
        assert_eq!(lines("[]"), "");
    }

    #[test]
    fn what_is_long_is_cut_between_records() {
        let record = format!("{{\"text\":\"{}\"}}\n", "x".repeat(1_000_000));
        let (parts, trouble) = parts(record.repeat(10).as_bytes());
        assert_eq!(trouble, None);
        assert_eq!(parts.iter().map(|part| part.count).collect::<Vec<_>>(), [4, 4, 2]);
        assert!(parts.iter().all(|part| part.lines.len() <= PART));
    }

    #[test]
    fn a_fault_names_its_record_and_its_part_is_not_given() {
        for text in ["{\"a\":1}\n{\"a\":2}\n{\"a\":3,}\n{\"a\":4}", "[{\"a\":1},{\"a\":2},{\"a\":3"] {
            let (parts, trouble) = parts(text.as_bytes());
            assert_eq!(parts, [], "{text}");
            assert!(trouble.unwrap().starts_with("record 3 cannot be read: "), "{text}");
        }
        let (_, trouble) = parts("[1] 2".as_bytes());
        assert!(trouble.is_some());
    }

    #[test]
    fn a_record_without_end_is_not_read_without_end() {
        let endless = io::Read::chain("{\"a\":\"".as_bytes(), io::repeat(b'x'));
        let (parts, trouble) = parts(endless);
        assert_eq!(parts, []);
        assert!(trouble.unwrap().contains("longer than 16 MiB"));
    }

    #[test]
    fn reading_ends_when_nobody_takes_any_more() {
        let record = format!("{{\"text\":\"{}\"}}\n", "x".repeat(1_000_000));
        let mut taken = 0;
        // An endless input would hang if it were read on.
        read(Endless(record.into_bytes(), 0), |_| {
            taken += 1;
            false
        });
        assert_eq!(taken, 1);
    }

    /// One text again and again.
    struct Endless(Vec<u8>, usize);

    impl Read for Endless {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let count = (&self.0[self.1..]).read(buffer)?;
            self.1 = (self.1 + count) % self.0.len();
            Ok(count)
        }
    }
}
