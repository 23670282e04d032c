//! A JSON number taken apart, exactly: sign, digits that count, and where the point stands.

use crate::json::is_number;

/// The number 0.DIGITS × 10^point, where DIGITS neither begins nor ends with a zero. Zero has no digits.
///
/// The digits are two slices of the text, those before and those after its decimal point.
#[derive(Debug, Clone, Copy)]
pub(super) struct Number<'a> {
    pub(super) negative: bool,
    before: &'a [u8],
    after: &'a [u8],
    pub(super) point: i64,
}

/// Exponents are cut off here, far beyond any that a key can hold and far from overflow.
const EXPONENT_MAX: i64 = 1 << 48;

impl<'a> Number<'a> {
    /// Reads the text of a JSON number; `None` if it is not one.
    pub(super) fn parse(text: &'a [u8]) -> Option<Self> {
        if !is_number(text) {
            return None;
        }
        let (negative, text) = match text.strip_prefix(b"-") {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let mantissa_end = text.iter().position(|byte| matches!(byte, b'e' | b'E')).unwrap_or(text.len());
        let (mantissa, exponent) = (&text[..mantissa_end], text.get(mantissa_end + 1..).unwrap_or_default());
        let dot = mantissa.iter().position(|&byte| byte == b'.').unwrap_or(mantissa.len());
        let (mut before, mut after) = (&mantissa[..dot], mantissa.get(dot + 1..).unwrap_or_default());
        let mut point = before.len() as i64 + read_exponent(exponent);

        if before == b"0" {
            let zeros = after.iter().take_while(|&&digit| digit == b'0').count();
            after = &after[zeros..];
            before = &[];
            point -= 1 + zeros as i64;
        }
        after = trim_zeros(after);
        if after.is_empty() {
            before = trim_zeros(before);
        }
        Some(Self { negative, before, after, point })
    }

    /// How many digits count.
    pub(super) fn len(&self) -> usize {
        self.before.len() + self.after.len()
    }

    /// The digits that count, as their ASCII characters.
    pub(super) fn digits(&self) -> impl Iterator<Item = u8> + use<'a> {
        self.before.iter().chain(self.after).copied()
    }

    /// The zeros that end it, written as an integer; `None` if it is no integer.
    pub(super) fn integer_zeros(&self) -> Option<usize> {
        if self.len() == 0 {
            return Some(0);
        }
        usize::try_from(self.point).ok()?.checked_sub(self.len())
    }
}

fn trim_zeros(digits: &[u8]) -> &[u8] {
    let kept = digits.iter().rposition(|&digit| digit != b'0').map_or(0, |last| last + 1);
    &digits[..kept]
}

/// Reads what follows the `e`.
fn read_exponent(text: &[u8]) -> i64 {
    let (sign, digits) = match text {
        [b'-', digits @ ..] => (-1, digits),
        [b'+', digits @ ..] => (1, digits),
        digits => (1, digits),
    };
    sign * digits
        .iter()
        .fold(0, |value: i64, &digit| (value * 10 + i64::from(digit - b'0')).min(EXPONENT_MAX))
}
