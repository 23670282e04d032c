//! The reader that sources keep: limits, scratch space, and the entry into the pass.

use std::ops::Range;

use super::error::{JsonError, JsonErrorKind};
use super::object::{Names, Object};
use super::pass::{Pass, Scratch};

/// How much one value may ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// How deep arrays and objects may nest; the outermost counts as 1.
    pub max_depth: u16,
    /// How many bytes a value may have before white space is removed. Above 2 GiB it is taken as 2 GiB.
    pub max_bytes: usize,
    /// How many members the objects may have that are open at one point of the text together. They take 32
    /// bytes each while the value is read.
    pub max_members: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self { max_depth: 128, max_bytes: 16 << 20, max_members: 1 << 18 }
    }
}

/// Reads JSON values and appends their canonical form. Keep one and use it for every record: its scratch
/// space is reused.
#[derive(Debug)]
pub struct Canonicalizer {
    limits: Limits,
    scratch: Scratch,
}

impl Canonicalizer {
    /// A reader that refuses what goes beyond `limits`.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        let max_bytes = limits.max_bytes.min(i32::MAX as usize);
        Self { limits: Limits { max_bytes, ..limits }, scratch: Scratch::default() }
    }

    /// Reads the one JSON object that is `input`, white space around it allowed, appends its canonical form
    /// to `out` and says where its fields lie. On an error `out` is as it was.
    pub fn object<'a>(&'a mut self, input: &'a [u8], out: &mut Vec<u8>) -> Result<Object<'a>, JsonError> {
        let span = self.read(input, out, true)?;
        let names = Names { input, decoded: &self.scratch.names };
        Ok(Object { names, members: &self.scratch.members, base: span.start, len: span.len() })
    }

    /// Reads the one JSON value of any kind that is `input`, appends its canonical form to `out` and says
    /// where it lies there. On an error `out` is as it was.
    pub fn value(&mut self, input: &[u8], out: &mut Vec<u8>) -> Result<Range<usize>, JsonError> {
        self.read(input, out, false)
    }

    fn read(
        &mut self,
        input: &[u8],
        out: &mut Vec<u8>,
        want_object: bool,
    ) -> Result<Range<usize>, JsonError> {
        let max = self.limits.max_bytes;
        if input.len() > max {
            return Err(JsonError::new(JsonErrorKind::TooLarge { max }, max));
        }
        if let Err(error) = std::str::from_utf8(input) {
            return Err(JsonError::new(JsonErrorKind::InvalidUtf8, error.valid_up_to()));
        }
        self.scratch.clear();
        let base = out.len();
        out.reserve(input.len());
        match Pass::new(input, out, &mut self.scratch, self.limits).whole(want_object) {
            Ok(()) => Ok(base..out.len()),
            Err(error) => {
                out.truncate(base);
                Err(error)
            }
        }
    }
}
