//! Short pieces of a text, looked at and copied many bytes at a time.
//!
//! Fields and names are short, so that a loop over bytes, or a copy of exactly so many, costs more than the bytes. A fixed number of
//! bytes is looked at or copied at once, and what is behind the piece is cut off again.

const WORD: usize = size_of::<u64>();
/// Bytes copied at once, of a piece that is not longer.
pub(super) const WIDE: usize = 32;

const ONES: u64 = 0x0101_0101_0101_0101;
const TOPS: u64 = ONES << 7;

/// A piece of a text. What stands behind it in the text may be anything.
#[derive(Debug, Clone, Copy)]
pub(super) struct Piece<'a> {
    text: &'a [u8],
    len: usize,
}

impl<'a> Piece<'a> {
    /// The first `len` bytes of `text`.
    #[inline]
    pub(super) fn new(text: &'a [u8], len: usize) -> Self {
        debug_assert!(len <= text.len(), "a piece lies in its text");
        Self { text, len }
    }

    #[inline]
    pub(super) fn bytes(self) -> &'a [u8] {
        &self.text[..self.len]
    }

    #[inline]
    pub(super) fn is_empty(self) -> bool {
        self.len == 0
    }

    /// Appends the piece to `out`.
    #[inline]
    pub(super) fn append_to(self, out: &mut Vec<u8>) {
        match self.text.first_chunk::<WIDE>() {
            Some(wide) if self.len <= WIDE => {
                let end = out.len() + self.len;
                out.extend_from_slice(wide);
                out.truncate(end);
            }
            _ => out.extend_from_slice(self.bytes()),
        }
    }

    /// Whether a JSON string can hold the piece as it is: no quote, backslash or control character.
    #[inline]
    pub(super) fn is_plain(self) -> bool {
        let mut at = 0;
        while at < self.len {
            let Some(word) = self.text.get(at..).and_then(<[u8]>::first_chunk::<WORD>) else {
                let rest = &self.text[at..self.len];
                return rest.iter().all(|byte| *byte >= b' ' && !matches!(byte, b'"' | b'\\'));
            };
            if has_special(keep(u64::from_le_bytes(*word), self.len - at, b' ')) {
                return false;
            }
            at += WORD;
        }
        true
    }

    /// Whether the piece is a whole number from 0 to 99,999,999, written as JSON writes it. Others may be numbers too.
    #[inline]
    pub(super) fn is_small_number(self) -> bool {
        const NIBBLES: u64 = ONES * 0xf0;
        const ZEROS: u64 = ONES * b'0' as u64;
        let Some(word) = self.text.first_chunk::<WORD>() else { return false };
        if self.len == 0 || self.len > WORD || (word[0] == b'0' && self.len > 1) {
            return false;
        }
        let word = keep(u64::from_le_bytes(*word), self.len, b'0');
        // A digit has the upper half 3, and still has it when 6 is added.
        word & NIBBLES == ZEROS && word.wrapping_add(ONES * 6) & NIBBLES == ZEROS
    }
}

/// The first `len` bytes of `word`, and `filler` in place of the others.
#[inline]
fn keep(word: u64, len: usize, filler: u8) -> u64 {
    if len >= WORD {
        return word;
    }
    let kept = (1 << (8 * len)) - 1;
    (word & kept) | ((ONES * u64::from(filler)) & !kept)
}

/// Whether any byte is a quote, a backslash or a control character.
#[inline]
fn has_special(word: u64) -> bool {
    let zeros = |word: u64| word.wrapping_sub(ONES) & !word;
    let quotes = zeros(word ^ (ONES * u64::from(b'"')));
    let backslashes = zeros(word ^ (ONES * u64::from(b'\\')));
    let controls = word.wrapping_sub(ONES * u64::from(b' ')) & !word;
    (quotes | backslashes | controls) & TOPS != 0
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_stands_behind_a_piece_makes_no_difference(
            text in prop::collection::vec(any::<u8>(), 0..80), behind in prop::collection::vec(any::<u8>(), 0..40)
        ) {
            let whole = [&text[..], &behind].concat();
            let piece = Piece::new(&whole, text.len());
            prop_assert_eq!(piece.bytes(), &text[..]);
            let mut out = b"before".to_vec();
            piece.append_to(&mut out);
            prop_assert_eq!(&out[6..], &text[..]);
            let is_special = |byte: &u8| *byte < b' ' || *byte == b'"' || *byte == b'\\';
            prop_assert_eq!(piece.is_plain(), !text.iter().any(is_special));
        }

        #[test]
        fn small_numbers_are_those_of_up_to_eight_digits(text in "[0-9]{0,10}|[ -~]{0,8}") {
            let whole = text.clone() + "garbage9";
            let is_number = text.parse::<u32>().is_ok_and(|number| number < 100_000_000 && number.to_string() == text);
            prop_assert_eq!(Piece::new(whole.as_bytes(), text.len()).is_small_number(), is_number);
        }
    }
}
