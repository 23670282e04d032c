//! Values that are made of values: the text form in which the server nests them.
//!
//! <https://www.postgresql.org/docs/current/arrays.html#ARRAYS-IO>, `rowtypes.html#ROWTYPES-IO-SYNTAX`,
//! `rangetypes.html#RANGETYPES-IO`, `hstore.html`.

use std::collections::BTreeMap;

use inlet_model::json::write_string;

use super::{Bad, Values};
use crate::postgres::kinds::Kind;

/// A text that is read from its beginning to its end.
struct Reader<'t> {
    rest: &'t str,
}

/// Where an element ends, and how quotes are written within its quotes.
struct Grammar<'g> {
    ends: &'g [u8],
    doubles_quotes: bool,
}

impl<'t> Reader<'t> {
    fn peek(&self) -> Option<u8> {
        self.rest.as_bytes().first().copied()
    }

    fn take(&mut self, byte: u8) -> bool {
        let is_there = self.peek() == Some(byte);
        if is_there {
            self.rest = &self.rest[1..];
        }
        is_there
    }

    fn expect(&mut self, byte: u8) -> Result<(), Bad> {
        if self.take(byte) { Ok(()) } else { Err(Bad::Strange) }
    }

    fn end(&self) -> Result<(), Bad> {
        if self.rest.is_empty() { Ok(()) } else { Err(Bad::Strange) }
    }

    /// The next element, and whether any of it was in quotes.
    fn element(&mut self, grammar: &Grammar<'_>) -> Result<(String, bool), Bad> {
        let mut text = String::new();
        let (mut is_inside, mut was_quoted) = (false, false);
        loop {
            let Some(next) = self.rest.chars().next() else {
                return if is_inside { Err(Bad::Strange) } else { Ok((text, was_quoted)) };
            };
            let is_end = next.is_ascii() && grammar.ends.contains(&(next as u8));
            if !is_inside && is_end {
                return Ok((text, was_quoted));
            }
            self.rest = &self.rest[next.len_utf8()..];
            match next {
                '\\' => {
                    let escaped = self.rest.chars().next().ok_or(Bad::Strange)?;
                    self.rest = &self.rest[escaped.len_utf8()..];
                    text.push(escaped);
                }
                '"' if is_inside && grammar.doubles_quotes && self.take(b'"') => text.push('"'),
                '"' => {
                    is_inside = !is_inside;
                    was_quoted = true;
                }
                _ => text.push(next),
            }
        }
    }
}

impl Values {
    /// Appends an array, which may begin with its bounds: `[0:1]={1,2}`.
    pub(super) fn write_array(
        &mut self,
        text: &str,
        element: &Kind,
        delimiter: u8,
        out: &mut Vec<u8>,
    ) -> Result<(), Bad> {
        let elements = if text.starts_with('[') { text.split_once('=').ok_or(Bad::Strange)?.1 } else { text };
        let mut reader = Reader { rest: elements };
        self.write_elements(&mut reader, element, delimiter, out)?;
        reader.end()
    }

    fn write_elements(
        &mut self,
        reader: &mut Reader<'_>,
        element: &Kind,
        delimiter: u8,
        out: &mut Vec<u8>,
    ) -> Result<(), Bad> {
        let ends = [delimiter, b'}'];
        reader.expect(b'{')?;
        out.push(b'[');
        while reader.peek() != Some(b'}') {
            if reader.peek() == Some(b'{') {
                self.write_elements(reader, element, delimiter, out)?;
            } else {
                let (text, was_quoted) = reader.element(&Grammar { ends: &ends, doubles_quotes: false })?;
                let is_null = !was_quoted && text == "NULL";
                self.write_or_null((!is_null).then_some(text.as_str()), element, out)?;
            }
            if !reader.take(delimiter) {
                break;
            }
            out.push(b',');
        }
        reader.expect(b'}')?;
        out.push(b']');
        Ok(())
    }

    /// Appends a composite, such as `(1,"a b",)`: an object of its fields, sorted by name.
    pub(super) fn write_composite(
        &mut self,
        text: &str,
        fields: &[(String, Kind)],
        out: &mut Vec<u8>,
    ) -> Result<(), Bad> {
        let mut reader = Reader { rest: text };
        reader.expect(b'(')?;
        let mut texts = Vec::with_capacity(fields.len());
        for index in 0..fields.len() {
            if index > 0 {
                reader.expect(b',')?;
            }
            let (text, was_quoted) = reader.element(&Grammar { ends: b",)", doubles_quotes: true })?;
            texts.push((!text.is_empty() || was_quoted).then_some(text));
        }
        reader.expect(b')')?;
        reader.end()?;
        let mut members: Vec<_> = fields.iter().zip(&texts).collect();
        members.sort_unstable_by(|((a, _), _), ((b, _), _)| a.as_bytes().cmp(b.as_bytes()));
        out.push(b'{');
        for (index, ((name, kind), text)) in members.into_iter().enumerate() {
            if index > 0 {
                out.push(b',');
            }
            write_string(out, name);
            out.push(b':');
            self.write_or_null(text.as_deref(), kind, out)?;
        }
        out.push(b'}');
        Ok(())
    }

    /// Appends a range, such as `[1,5)`: an object that says its bounds.
    pub(super) fn write_range(&mut self, text: &str, bound: &Kind, out: &mut Vec<u8>) -> Result<(), Bad> {
        let mut reader = Reader { rest: text };
        self.write_next_range(&mut reader, bound, out)?;
        reader.end()
    }

    fn write_next_range(
        &mut self,
        reader: &mut Reader<'_>,
        bound: &Kind,
        out: &mut Vec<u8>,
    ) -> Result<(), Bad> {
        if let Some(rest) = reader.rest.strip_prefix("empty") {
            reader.rest = rest;
            out.extend_from_slice(br#"{"bounds":"empty","lower":null,"upper":null}"#);
            return Ok(());
        }
        let opening = if reader.take(b'[') { b'[' } else { reader.expect(b'(').map(|()| b'(')? };
        let ends = Grammar { ends: b",)]", doubles_quotes: true };
        let (lower, lower_quoted) = reader.element(&ends)?;
        reader.expect(b',')?;
        let (upper, upper_quoted) = reader.element(&ends)?;
        let closing = if reader.take(b']') { b']' } else { reader.expect(b')').map(|()| b')')? };
        out.extend_from_slice(br#"{"bounds":""#);
        out.extend([opening, closing]);
        out.extend_from_slice(br#"","lower":"#);
        self.write_or_null((!lower.is_empty() || lower_quoted).then_some(lower.as_str()), bound, out)?;
        out.extend_from_slice(br#","upper":"#);
        self.write_or_null((!upper.is_empty() || upper_quoted).then_some(upper.as_str()), bound, out)?;
        out.push(b'}');
        Ok(())
    }

    /// Appends a multirange, such as `{[1,3),[5,7)}`: an array of its ranges.
    pub(super) fn write_multirange(
        &mut self,
        text: &str,
        bound: &Kind,
        out: &mut Vec<u8>,
    ) -> Result<(), Bad> {
        let mut reader = Reader { rest: text };
        reader.expect(b'{')?;
        out.push(b'[');
        while reader.peek() != Some(b'}') {
            self.write_next_range(&mut reader, bound, out)?;
            if !reader.take(b',') {
                break;
            }
            out.push(b',');
        }
        reader.expect(b'}')?;
        out.push(b']');
        reader.end()
    }

    /// Appends an hstore, such as `"a"=>"1", "b"=>NULL`: an object.
    pub(super) fn write_hstore(&mut self, text: &str, out: &mut Vec<u8>) -> Result<(), Bad> {
        let mut reader = Reader { rest: text };
        let mut members = BTreeMap::new();
        while reader.peek().is_some() {
            let (name, _) = reader.element(&Grammar { ends: b"=", doubles_quotes: false })?;
            reader.expect(b'=')?;
            reader.expect(b'>')?;
            let (value, was_quoted) = reader.element(&Grammar { ends: b",", doubles_quotes: false })?;
            members.insert(name, (was_quoted || value != "NULL").then_some(value));
            if reader.take(b',') {
                reader.expect(b' ')?;
            }
        }
        out.push(b'{');
        for (index, (name, value)) in members.iter().enumerate() {
            if index > 0 {
                out.push(b',');
            }
            write_string(out, name);
            out.push(b':');
            self.write_or_null(value.as_deref(), &Kind::Text, out)?;
        }
        out.push(b'}');
        Ok(())
    }

    fn write_or_null(&mut self, text: Option<&str>, kind: &Kind, out: &mut Vec<u8>) -> Result<(), Bad> {
        match text {
            Some(text) => self.write(text, kind, out),
            None => {
                out.extend_from_slice(b"null");
                Ok(())
            }
        }
    }
}
