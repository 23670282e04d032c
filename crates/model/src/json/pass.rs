//! From any JSON text to its canonical form, in one pass over the bytes.
//!
//! Nothing is copied token by token. The pass remembers a *run*: input that belongs in the output as it is
//! and has not been copied yet. White space ends a run, and so does an object whose members are out of order;
//! a record that is canonical already is a single run. Nesting is a stack of frames, not recursion.

use std::cmp::Ordering;

use super::canonical::Limits;
use super::error::{JsonError, JsonErrorKind};
use super::number::number_end;
use super::object::{Member, Names, prefix_at};
use super::order;
use super::scan::{StringEnd, is_space, string_end};
use super::string::unescape;

/// An array or object whose end has not been seen.
#[derive(Debug, Clone, Copy)]
struct Frame {
    is_object: bool,
    /// Whether the names so far have come in order.
    in_order: bool,
    /// Where its first member lies, or will lie, on the stack of members.
    first: u32,
    /// Where in the canonical form it begins.
    start: u32,
}

/// What is kept between values so that reading one allocates nothing.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    frames: Vec<Frame>,
    pub(super) members: Vec<Member>,
    /// Decoded names of the members whose names have escapes.
    pub(super) names: Vec<u8>,
    /// Members on their way into order.
    moving: Vec<u8>,
}

/// The largest scratch buffer kept between values, in elements: one huge record must not be paid for ever
/// after.
const KEPT: usize = 1 << 16;

impl Scratch {
    pub(super) fn clear(&mut self) {
        self.frames.clear();
        self.members.clear();
        self.members.shrink_to(KEPT);
        self.names.clear();
        self.names.shrink_to(KEPT);
        self.moving.clear();
        self.moving.shrink_to(KEPT);
    }
}

/// One value being read.
pub(super) struct Pass<'p> {
    input: &'p [u8],
    out: &'p mut Vec<u8>,
    scratch: &'p mut Scratch,
    limits: Limits,
    /// Where in `out` the canonical form begins.
    base: usize,
    /// The next byte of the input to read.
    at: usize,
    /// Where the run begins: `input[run..at]` belongs in the output next, as it is.
    run: usize,
}

/// What reading came upon.
#[derive(PartialEq, Eq)]
enum Next {
    /// A value begins at the next byte.
    Value,
    /// A value has just ended.
    Ended,
    /// The outermost value has just ended.
    Done,
}

impl<'p> Pass<'p> {
    /// A pass over `input` that appends to `out`. The input is UTF-8 and within the limits, the scratch is
    /// clear.
    pub(super) fn new(
        input: &'p [u8],
        out: &'p mut Vec<u8>,
        scratch: &'p mut Scratch,
        limits: Limits,
    ) -> Self {
        let base = out.len();
        Self { input, out, scratch, limits, base, at: 0, run: 0 }
    }

    /// Reads the one value that the input is.
    pub(super) fn whole(&mut self, want_object: bool) -> Result<(), JsonError> {
        self.skip_space();
        if want_object {
            self.demand_object()?;
        }
        let mut next = Next::Value;
        while next != Next::Done {
            next = if next == Next::Value { self.value()? } else { self.after_value()? };
        }
        self.skip_space();
        if self.at < self.input.len() {
            return Err(self.unexpected("the end of the text"));
        }
        self.flush();
        Ok(())
    }

    #[inline]
    fn peek(&self) -> Option<u8> {
        self.input.get(self.at).copied()
    }

    /// Where the next byte of the input would lie in the canonical form.
    #[inline]
    fn written(&self) -> u32 {
        (self.out.len() - self.base + self.at - self.run) as u32
    }

    #[inline]
    fn skip_space(&mut self) {
        if self.peek().is_some_and(|byte| byte <= b' ') {
            self.cut_space();
        }
    }

    /// Ends the run before white space and begins another after it.
    fn cut_space(&mut self) {
        self.flush();
        while self.peek().is_some_and(is_space) {
            self.at += 1;
        }
        self.run = self.at;
    }

    #[inline]
    fn flush(&mut self) {
        self.out.extend_from_slice(&self.input[self.run..self.at]);
        self.run = self.at;
    }

    /// Reads a scalar, or an array or object up to the first value in it.
    #[inline]
    fn value(&mut self) -> Result<Next, JsonError> {
        match self.peek() {
            Some(b'"') => self.at = string_end(self.input, self.at + 1)?.quote + 1,
            Some(b'-' | b'0'..=b'9') => self.at = number_end(self.input, self.at)?,
            Some(b'{') => {
                self.open(true)?;
                if self.peek() != Some(b'}') {
                    self.name()?;
                    return Ok(Next::Value);
                }
                self.close();
            }
            Some(b'[') => {
                self.open(false)?;
                if self.peek() != Some(b']') {
                    return Ok(Next::Value);
                }
                self.close();
            }
            Some(b't') => self.literal(b"true")?,
            Some(b'f') => self.literal(b"false")?,
            Some(b'n') => self.literal(b"null")?,
            _ => return Err(self.unexpected("a value")),
        }
        Ok(Next::Ended)
    }

    /// Goes on after a value, to the next one or out of the array or object.
    #[inline]
    fn after_value(&mut self) -> Result<Next, JsonError> {
        let Some(&frame) = self.scratch.frames.last() else { return Ok(Next::Done) };
        if frame.is_object {
            let end = self.written();
            self.scratch.members.last_mut().expect("a value in an object follows its name").end = end;
        }
        self.skip_space();
        match self.peek() {
            Some(b',') => {
                self.at += 1;
                self.skip_space();
                if frame.is_object {
                    self.name()?;
                }
                Ok(Next::Value)
            }
            Some(b'}') if frame.is_object => {
                if !frame.in_order {
                    self.sort(frame)?;
                }
                self.close();
                Ok(Next::Ended)
            }
            Some(b']') if !frame.is_object => {
                self.close();
                Ok(Next::Ended)
            }
            _ if frame.is_object => Err(self.unexpected("a comma or the end of the object")),
            _ => Err(self.unexpected("a comma or the end of the array")),
        }
    }

    fn literal(&mut self, literal: &'static [u8]) -> Result<(), JsonError> {
        if !self.input[self.at..].starts_with(literal) {
            return Err(self.unexpected("a value"));
        }
        self.at += literal.len();
        Ok(())
    }

    fn open(&mut self, is_object: bool) -> Result<(), JsonError> {
        let max = self.limits.max_depth;
        if self.scratch.frames.len() >= usize::from(max) {
            return Err(JsonError::new(JsonErrorKind::TooDeep { max }, self.at));
        }
        let first = self.scratch.members.len() as u32;
        self.scratch.frames.push(Frame { is_object, in_order: true, first, start: self.written() });
        self.at += 1;
        self.skip_space();
        Ok(())
    }

    /// Leaves the innermost array or object at its closing bracket. The outermost object's members stay, for
    /// [`Object`](super::Object).
    fn close(&mut self) {
        self.at += 1;
        if let Some(frame) = self.scratch.frames.pop()
            && !self.scratch.frames.is_empty()
        {
            self.scratch.members.truncate(frame.first as usize);
        }
    }

    /// Reads a member's name and colon.
    #[inline]
    fn name(&mut self) -> Result<(), JsonError> {
        let start = self.written();
        if self.peek() != Some(b'"') {
            return Err(self.unexpected("a name in quotes"));
        }
        let body = self.at + 1;
        let StringEnd { quote: end, escaped } = string_end(self.input, body)?;
        self.at = end + 1;
        self.skip_space();
        if self.peek() != Some(b':') {
            return Err(self.unexpected("a colon"));
        }
        self.at += 1;
        self.skip_space();
        let mut member = Member {
            prefix: prefix_at(self.input, body, end - body),
            name: body as u32,
            name_len: (end - body) as u32,
            source: self.at as u32,
            start,
            value: self.written(),
            end: 0,
        };
        if escaped {
            self.decode_name(&mut member);
        }
        self.push(member)
    }

    /// Points `member` at its name without escapes.
    #[cold]
    fn decode_name(&mut self, member: &mut Member) {
        let names = &mut self.scratch.names;
        let (raw, decoded) = (member.name as usize, names.len());
        unescape(&self.input[raw..raw + member.name_len as usize], names);
        member.name = (self.input.len() + decoded) as u32;
        member.name_len = (names.len() - decoded) as u32;
        member.prefix = prefix_at(names, decoded, names.len() - decoded);
    }

    #[inline]
    fn push(&mut self, member: Member) -> Result<(), JsonError> {
        let Scratch { frames, members, names, .. } = &mut *self.scratch;
        let max = self.limits.max_members;
        if members.len() >= max as usize {
            return Err(JsonError::new(JsonErrorKind::TooManyMembers { max }, self.at));
        }
        let frame = frames.last_mut().expect("a name is read inside an object");
        if frame.in_order
            && let Some(before) = members[frame.first as usize..].last()
        {
            let names = Names { input: self.input, decoded: names };
            match names.compare(before, &member) {
                Ordering::Less => {}
                Ordering::Equal => return Err(order::duplicate(names, &member)),
                Ordering::Greater => frame.in_order = false,
            }
        }
        members.push(member);
        Ok(())
    }

    /// Brings the members of the innermost object into order. The next byte of the input closes it.
    fn sort(&mut self, frame: Frame) -> Result<(), JsonError> {
        let Scratch { members, names, moving, .. } = &mut *self.scratch;
        let members = &mut members[frame.first as usize..];
        order::sort(members, Names { input: self.input, decoded: names })?;
        let copied = self.out.len() - self.base;
        let body = frame.start as usize + 1;
        if let Some(ahead) = (frame.start as usize).checked_sub(copied) {
            // Nothing of the object has been copied yet: it is copied now, member by member.
            let body_in_input = self.run + ahead + 1;
            self.out.extend_from_slice(&self.input[self.run..body_in_input]);
            order::place(members, &self.input[body_in_input..self.at], body, self.out);
        } else {
            self.out.extend_from_slice(&self.input[self.run..self.at]);
            moving.clear();
            moving.extend_from_slice(&self.out[self.base + body..]);
            self.out.truncate(self.base + body);
            order::place(members, moving, body, self.out);
        }
        self.run = self.at;
        Ok(())
    }

    #[cold]
    fn unexpected(&self, expected: &'static str) -> JsonError {
        JsonError::unexpected(expected, self.input, self.at)
    }

    fn demand_object(&self) -> Result<(), JsonError> {
        let found = match self.peek() {
            Some(b'[') => "an array",
            Some(b'"') => "a string",
            Some(b'-' | b'0'..=b'9') => "a number",
            Some(b't' | b'f') => "a boolean",
            Some(b'n') => "null",
            _ => return Ok(()),
        };
        Err(JsonError::new(JsonErrorKind::NotAnObject { found }, self.at))
    }
}
