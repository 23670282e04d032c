//! Decimals in a key: numbers that are no integers, and integers beyond 255 bytes.
//!
//! The tuple layer has no decimal that keeps order, and leaves the type codes 0x40 to 0x4f to its users. This
//! is what Inlet writes under two of them, version 1. The number is taken as ± 0.DIGITS × 10^point, exactly;
//! DIGITS begins with no zero and ends with none, so every number is written in one way only.
//!
//! | bytes | what |
//! | --- | --- |
//! | 1 | type code: 0x41 above zero, 0x40 below |
//! | 4 | point + 2^31, big-endian |
//! | 1 per two digits | the two digits as a number from 0 to 99, plus 1; a single last digit has a zero after it |
//! | 1 | 0x00, the end |
//!
//! Below zero every byte after the type code is inverted. Among numbers of one sign the larger point has the
//! larger magnitude, then the larger digits; the end is below any digits, so that 0.1 comes before 0.12;
//! inversion turns all of this round. As the type codes are above those of integers, decimals come after all
//! integers, not between them.
//!
//! 1.5 is 0.15 × 10^1: `41 80000001 10 00`. -1.5 is `40 7ffffffe ef ff`. 0.05 is 0.5 × 10^-1: `41 7fffffff 33
//! 00`.

use super::code;
use super::error::KeyErrorKind;
use super::integer::Magnitude;
use super::number::Number;

const END: u8 = 0;
/// The byte that stands for the digits 99.
const LAST_PAIR: u8 = 100;
/// What 2^31 more does to an `i32` seen as `u32`.
const BIAS: u32 = 1 << 31;
const POINT_LEN: usize = size_of::<u32>();
/// A point as low as this is still written out: 0.0000001, but 1e-8.
const LOWEST_PLAIN_POINT: i64 = -6;

/// Appends a number as a decimal. It must not be one that is encoded as an integer.
pub(super) fn encode(number: &Number<'_>, out: &mut Vec<u8>) -> Result<(), KeyErrorKind> {
    let point = i32::try_from(number.point).map_err(|_| KeyErrorKind::NumberOutOfRange)?;
    let flip = if number.negative { 0xff } else { 0 };
    out.push(if number.negative { code::NEGATIVE_DECIMAL } else { code::POSITIVE_DECIMAL });
    out.extend((point.cast_unsigned() ^ BIAS).to_be_bytes().map(|byte| byte ^ flip));
    let mut digits = number.digits().map(|digit| digit - b'0');
    while let Some(tens) = digits.next() {
        let pair = tens * 10 + digits.next().unwrap_or(0);
        out.push((pair + 1) ^ flip);
    }
    out.push(END ^ flip);
    Ok(())
}

/// Reads what follows the type code, and says how much of `rest` it takes. The text is the number as JSON.
/// `None` if that is not how a decimal is encoded.
pub(super) fn decode(negative: bool, rest: &[u8]) -> Option<(Box<str>, usize)> {
    let flip = if negative { 0xff } else { 0 };
    let (head, body) = rest.split_first_chunk::<POINT_LEN>()?;
    let point = i64::from((u32::from_be_bytes(head.map(|byte| byte ^ flip)) ^ BIAS).cast_signed());
    let len = body.iter().position(|&byte| byte ^ flip == END)?;
    let mut digits = String::with_capacity(2 * len);
    for byte in &body[..len] {
        let pair = byte ^ flip;
        if pair > LAST_PAIR {
            return None;
        }
        digits.extend([char::from(b'0' + (pair - 1) / 10), char::from(b'0' + (pair - 1) % 10)]);
    }
    if digits.ends_with('0') {
        digits.pop();
    }
    if digits.is_empty()
        || digits.starts_with('0')
        || digits.ends_with('0')
        || is_short_integer(&digits, point)
    {
        return None;
    }
    Some((text(negative, &digits, point), POINT_LEN + len + 1))
}

/// Whether it would have been encoded as an integer.
fn is_short_integer(digits: &str, point: i64) -> bool {
    let zeros = usize::try_from(point).ok().and_then(|point| point.checked_sub(digits.len()));
    zeros.is_some_and(|zeros| {
        Magnitude::from_digits(digits.bytes().chain(std::iter::repeat_n(b'0', zeros))).is_some()
    })
}

fn text(negative: bool, digits: &str, point: i64) -> Box<str> {
    let sign = if negative { "-" } else { "" };
    match usize::try_from(point) {
        Ok(point @ 1..) if point < digits.len() => format!("{sign}{}.{}", &digits[..point], &digits[point..]),
        _ if (LOWEST_PLAIN_POINT..=0).contains(&point) => {
            format!("{sign}0.{}{digits}", "0".repeat(point.unsigned_abs() as usize))
        }
        _ => {
            let (first, others) = digits.split_at(1);
            let dot = if others.is_empty() { "" } else { "." };
            format!("{sign}{first}{dot}{others}e{}", point - 1)
        }
    }
    .into()
}
