//! Finding where a value ends in text that arrives piece by piece.

use memchr::memchr2;

use super::error::JsonError;
use super::scan::is_space;

/// What [`ValueScanner::scan`] found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scan {
    /// The value goes on after this piece.
    NeedMore,
    /// The value ends before this byte of the piece.
    End(usize),
}

/// Finds the end of one value after another in text that comes in pieces, in constant memory.
///
/// It looks at strings and brackets only. What it cuts out may still be wrong inside: [`Canonicalizer`] is to
/// judge, so that one bad element of an array costs that element and not the rest.
///
/// [`Canonicalizer`]: super::Canonicalizer
#[derive(Debug, Clone, Default)]
pub struct ValueScanner {
    place: Place,
    depth: u64,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Place {
    /// Before the value.
    #[default]
    Before,
    /// In a number, a literal or something that is neither, outside all brackets.
    Bare,
    /// Inside brackets, between strings.
    Nested,
    /// In a string, at any depth.
    String,
    /// In a string, right after a backslash.
    Escape,
}

impl ValueScanner {
    /// A scanner that stands before a value.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether nothing but white space has been seen since the last value.
    #[must_use]
    pub fn is_between_values(&self) -> bool {
        self.place == Place::Before
    }

    /// Goes on with the next piece of text, which begins where the last one ended. White space before the
    /// value is passed over. After [`Scan::End`] the scanner stands before another value, and is to be given
    /// the text from there.
    ///
    /// It is an error if a comma, a colon or a closing bracket stands where the value should begin.
    pub fn scan(&mut self, piece: &[u8]) -> Result<Scan, JsonError> {
        let mut at = 0;
        while let Some(&byte) = piece.get(at) {
            match self.place {
                Place::Before => match byte {
                    _ if is_space(byte) => {}
                    b'"' => self.place = Place::String,
                    b'[' | b'{' => {
                        self.place = Place::Nested;
                        self.depth = 1;
                    }
                    b',' | b':' | b']' | b'}' => return Err(JsonError::unexpected("a value", piece, at)),
                    _ => self.place = Place::Bare,
                },
                Place::Bare => {
                    if is_space(byte) || matches!(byte, b',' | b']' | b'}') {
                        return Ok(self.end(at));
                    }
                }
                Place::Nested => match byte {
                    b'"' => self.place = Place::String,
                    b'[' | b'{' => self.depth += 1,
                    b']' | b'}' => {
                        self.depth -= 1;
                        if self.depth == 0 {
                            return Ok(self.end(at + 1));
                        }
                    }
                    _ => {}
                },
                Place::String => {
                    let Some(skipped) = memchr2(b'"', b'\\', &piece[at..]) else { return Ok(Scan::NeedMore) };
                    at += skipped;
                    if piece[at] == b'\\' {
                        self.place = Place::Escape;
                    } else if self.depth == 0 {
                        return Ok(self.end(at + 1));
                    } else {
                        self.place = Place::Nested;
                    }
                }
                Place::Escape => self.place = Place::String,
            }
            at += 1;
        }
        Ok(Scan::NeedMore)
    }

    /// Says that the text ends here. True if that ends a value too, as it does a bare number; false if the
    /// scanner stood before a value, or if the value is cut off.
    pub fn finish(&mut self) -> bool {
        let complete = self.place == Place::Bare;
        *self = Self::default();
        complete
    }

    fn end(&mut self, at: usize) -> Scan {
        *self = Self::default();
        Scan::End(at)
    }
}

/// Where the first value in `text` ends; `None` if there is none or it is cut off.
#[must_use]
pub fn find_value_end(text: &[u8]) -> Option<usize> {
    let mut scanner = ValueScanner::new();
    match scanner.scan(text) {
        Ok(Scan::End(end)) => Some(end),
        Ok(Scan::NeedMore) => scanner.finish().then_some(text.len()),
        Err(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_end_of_each_kind_of_value() {
        for (text, end) in [
            ("1,2", Some(1)),
            (" -1.5e3 ", Some(7)),
            ("true]", Some(4)),
            ("null", Some(4)),
            ("\"a,]\" ,", Some(5)),
            (r#""a\"b","#, Some(6)),
            (r#""\\","#, Some(4)),
            ("[1,[2],{\"]\":3}],4", Some(15)),
            ("{}{}", Some(2)),
            ("[1", None),
            ("\"a", None),
            ("\"a\\", None),
            ("", None),
            ("  ", None),
            (",1", None),
            ("]", None),
            ("NaN,", Some(3)),
        ] {
            assert_eq!(find_value_end(text.as_bytes()), end, "{text}");
        }
    }

    #[test]
    fn pieces_of_any_size_give_the_same_ends() {
        let text = r#" {"a":["\"]}\\",{"b":1}]} 17 "x\\\"" [] true"#;
        let ends = |size: usize| {
            let (mut scanner, mut ends, mut at) = (ValueScanner::new(), Vec::new(), 0);
            while at < text.len() {
                let piece = &text.as_bytes()[at..(at + size).min(text.len())];
                match scanner.scan(piece).unwrap() {
                    Scan::NeedMore => at += piece.len(),
                    Scan::End(end) => {
                        at += end;
                        ends.push(at);
                    }
                }
            }
            assert!(scanner.finish());
            ends
        };
        assert_eq!(ends(text.len()), [25, 28, 36, 39], "the last value ends with the text");
        for size in 1..text.len() {
            assert_eq!(ends(size), ends(text.len()), "pieces of {size}");
        }
    }

    #[test]
    fn deep_nesting_costs_no_stack() {
        let text = "[".repeat(1_000_000) + &"]".repeat(1_000_000);
        assert_eq!(find_value_end(text.as_bytes()), Some(2_000_000));
    }
}
