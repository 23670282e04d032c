//! The members of an object, gone through without looking into their values.

use super::scan::string_end;
use super::scanner::find_value_end;

/// What a value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ValueKind {
    /// `null`.
    Null,
    /// `true` or `false`.
    Boolean,
    /// A number that is written without a point and without an exponent.
    Integer,
    /// Any other number.
    Number,
    /// A string.
    String,
    /// An array.
    Array,
    /// An object.
    Object,
}

/// The members of an object in canonical form, in their order: the name of each as it is spelled, without its quotes, and what
/// its value is. What is no canonical object has the members up to where it stops being one.
#[derive(Debug, Clone)]
pub struct Members<'a> {
    text: &'a [u8],
    /// Where the brace or comma before the next member stands.
    at: usize,
}

impl ValueKind {
    /// What a value in canonical form is.
    #[inline]
    #[must_use]
    pub fn of(value: &[u8]) -> Self {
        match value.first() {
            Some(b'"') => Self::String,
            Some(b't' | b'f') => Self::Boolean,
            Some(b'n') | None => Self::Null,
            Some(b'[') => Self::Array,
            Some(b'{') => Self::Object,
            Some(_) if value.iter().any(|byte| matches!(byte, b'.' | b'e' | b'E')) => Self::Number,
            Some(_) => Self::Integer,
        }
    }
}

impl<'a> Members<'a> {
    /// The members of `object`.
    #[must_use]
    pub fn of(object: &'a [u8]) -> Self {
        Self { text: object, at: 0 }
    }

    /// The value that begins at `start`, and where it ends.
    #[inline]
    fn value(&self, start: usize) -> Option<(ValueKind, usize)> {
        Some(match *self.text.get(start)? {
            b'"' => (ValueKind::String, string_end(self.text, start + 1).ok()?.quote + 1),
            b't' => (ValueKind::Boolean, start + b"true".len()),
            b'f' => (ValueKind::Boolean, start + b"false".len()),
            b'n' => (ValueKind::Null, start + b"null".len()),
            b'[' => (ValueKind::Array, start + find_value_end(&self.text[start..])?),
            b'{' => (ValueKind::Object, start + find_value_end(&self.text[start..])?),
            _ => self.number(start),
        })
    }

    #[inline]
    fn number(&self, start: usize) -> (ValueKind, usize) {
        let mut kind = ValueKind::Integer;
        let mut at = start;
        while let Some(byte) = self.text.get(at) {
            match byte {
                b',' | b'}' => break,
                b'.' | b'e' | b'E' => kind = ValueKind::Number,
                _ => {}
            }
            at += 1;
        }
        (kind, at)
    }
}

impl<'a> Iterator for Members<'a> {
    type Item = (&'a [u8], ValueKind);

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        let name = self.at + 2;
        if self.text.get(self.at + 1) != Some(&b'"') {
            return None;
        }
        let quote = string_end(self.text, name).ok()?.quote;
        let (kind, end) = self.value(quote + 2)?;
        self.at = end;
        Some((&self.text[name..quote], kind))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn members(object: &str) -> Vec<(&str, ValueKind)> {
        Members::of(object.as_bytes())
            .map(|(name, kind)| (std::str::from_utf8(name).unwrap(), kind))
            .collect()
    }

    #[test]
    fn each_member_has_its_name_and_kind() {
        use ValueKind::{Array, Boolean, Integer, Null, Number, Object, String};
        let object = r#"{"":null,"a":true,"b":false,"c":-12,"d":1.0,"e":1e5,"f":"x\"},","g":["]",{}],"h":{"i":{}},"\u0069":0}"#;
        let found = members(object);
        let kinds = [Null, Boolean, Boolean, Integer, Number, Number, String, Array, Object, Integer];
        assert_eq!(found.iter().map(|(_, kind)| *kind).collect::<Vec<_>>(), kinds);
        let names = ["", "a", "b", "c", "d", "e", "f", "g", "h", r"\u0069"];
        assert_eq!(found.iter().map(|(name, _)| *name).collect::<Vec<_>>(), names);
    }

    #[test]
    fn what_is_no_object_ends_somewhere() {
        for text in [
            "",
            "{",
            "{}",
            "1",
            "[1]",
            "{\"a",
            "{\"a\"",
            "{\"a\":",
            "{\"a\":\"",
            "{\"a\":[",
            "{\"a\":1,",
            "{\"a\":tr",
        ] {
            assert!(members(text).len() <= 1, "{text}");
        }
    }
}
