//! Where the members of an object lie, so that keys and cursors are found without reading it again.

use std::cmp::Ordering;
use std::ops::Range;

/// A member of an open object. All offsets are below twice [`Limits::max_bytes`](super::Limits), which fits.
#[derive(Debug, Clone, Copy)]
pub(super) struct Member {
    /// The first eight bytes of the name, big-endian and padded with zeros: it decides most comparisons.
    pub(super) prefix: u64,
    /// Where the decoded name begins: in the input, or past its end in the scratch of decoded names.
    pub(super) name: u32,
    pub(super) name_len: u32,
    /// Where the value begins in the input.
    pub(super) source: u32,
    /// Where the member begins in the canonical form, at its name's quote.
    pub(super) start: u32,
    /// Where its value begins there.
    pub(super) value: u32,
    /// Where it ends there.
    pub(super) end: u32,
}

/// The names that members point at.
#[derive(Debug, Clone, Copy)]
pub(super) struct Names<'a> {
    pub(super) input: &'a [u8],
    pub(super) decoded: &'a [u8],
}

impl<'a> Names<'a> {
    pub(super) fn of(self, member: &Member) -> &'a [u8] {
        let start = member.name as usize;
        match start.checked_sub(self.input.len()) {
            None => &self.input[start..start + member.name_len as usize],
            Some(start) => &self.decoded[start..start + member.name_len as usize],
        }
    }

    #[inline]
    pub(super) fn compare(self, a: &Member, b: &Member) -> Ordering {
        a.prefix.cmp(&b.prefix).then_with(|| self.of(a).cmp(self.of(b)))
    }
}

/// The first eight bytes of the `len` bytes at `start`, for [`Member::prefix`].
#[inline]
pub(super) fn prefix_at(text: &[u8], start: usize, len: usize) -> u64 {
    match text.get(start..).and_then(<[u8]>::first_chunk) {
        Some(word) if len >= size_of::<u64>() => u64::from_be_bytes(*word),
        Some(word) => u64::from_be_bytes(*word) & !(u64::MAX >> (8 * len)),
        None => prefix_of(&text[start..start + len]),
    }
}

/// The same of a whole name.
fn prefix_of(name: &[u8]) -> u64 {
    let mut word = [0; size_of::<u64>()];
    let len = name.len().min(word.len());
    word[..len].copy_from_slice(&name[..len]);
    u64::from_be_bytes(word)
}

/// A record that was read: where its top-level fields lie, in the order of their names.
///
/// It borrows the record's input, not the buffer its canonical form was appended to, so that a key can be
/// appended to the same buffer straight away.
#[derive(Debug, Clone, Copy)]
pub struct Object<'a> {
    pub(super) names: Names<'a>,
    pub(super) members: &'a [Member],
    /// Where in the output the canonical form begins.
    pub(super) base: usize,
    pub(super) len: usize,
}

/// A top-level field of an [`Object`].
#[derive(Debug, Clone, Copy)]
pub struct Field<'a> {
    object: Object<'a>,
    member: &'a Member,
}

impl<'a> Object<'a> {
    /// How many top-level fields there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.members.len()
    }

    /// Whether it is `{}`.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// Where in the output the canonical form lies.
    #[must_use]
    pub fn span(&self) -> Range<usize> {
        self.base..self.base + self.len
    }

    /// The top-level field of this name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<Field<'a>> {
        let prefix = prefix_of(name.as_bytes());
        let found = self.members.binary_search_by(|member| {
            member.prefix.cmp(&prefix).then_with(|| self.names.of(member).cmp(name.as_bytes()))
        });
        found.ok().map(|index| Field { object: *self, member: &self.members[index] })
    }

    /// The top-level fields, sorted by name.
    pub fn fields(&self) -> impl ExactSizeIterator<Item = Field<'a>> + use<'a> {
        let object = *self;
        object.members.iter().map(move |member| Field { object, member })
    }
}

impl<'a> Field<'a> {
    /// The name with its escapes decoded; `None` if it holds half of a surrogate pair and so is no text.
    #[must_use]
    pub fn name(&self) -> Option<&'a str> {
        std::str::from_utf8(self.object.names.of(self.member)).ok()
    }

    /// The name with its escapes decoded, as bytes.
    #[inline]
    #[must_use]
    pub fn name_bytes(&self) -> &'a [u8] {
        self.object.names.of(self.member)
    }

    /// Where in the output the canonical form of the value lies.
    #[must_use]
    pub fn span(&self) -> Range<usize> {
        self.object.base + self.member.value as usize..self.object.base + self.member.end as usize
    }

    /// The value, unless it is an array or an object. A scalar's canonical form is its spelling in the input,
    /// so this is a slice of the input.
    #[must_use]
    pub fn scalar(&self) -> Option<&'a [u8]> {
        let start = self.member.source as usize;
        let input = self.object.names.input;
        match input[start] {
            b'[' | b'{' => None,
            _ => Some(&input[start..start + (self.member.end - self.member.value) as usize]),
        }
    }
}
