//! Integers of up to 255 bytes: decimal digits to bytes and back, and the tuple layer's form of them.

use super::code;

/// The most bytes an integer's magnitude may have; the tuple layer counts them in one byte.
const MAX_BYTES: usize = 255;
/// The most decimal digits of such a magnitude: that of 2^2040 - 1.
const MAX_DIGITS: usize = 615;

const LIMB_DIGITS: usize = 19;
const LIMB: u64 = 10u64.pow(LIMB_DIGITS as u32);
const LIMBS: usize = 32;

/// The value of an integer without its sign, big-endian, with no zeros in front.
#[derive(Debug, Clone, Copy)]
pub(super) struct Magnitude {
    bytes: [u8; LIMBS * size_of::<u64>()],
    len: usize,
}

impl Magnitude {
    /// Reads ASCII digits of which the first is not zero; `None` if there are more than fit.
    pub(super) fn from_digits(digits: impl Iterator<Item = u8>) -> Option<Self> {
        let mut limbs = [0u64; LIMBS];
        let (mut count, mut chunk, mut scale) = (0, 0u64, 1u64);
        for digit in digits {
            count += 1;
            if count > MAX_DIGITS {
                return None;
            }
            chunk = chunk * 10 + u64::from(digit - b'0');
            scale *= 10;
            if scale == LIMB {
                scale_and_add(&mut limbs, scale, chunk);
                (chunk, scale) = (0, 1);
            }
        }
        scale_and_add(&mut limbs, scale, chunk);
        let mut bytes = [0; LIMBS * size_of::<u64>()];
        for (to, limb) in bytes.rchunks_exact_mut(size_of::<u64>()).zip(limbs) {
            to.copy_from_slice(&limb.to_be_bytes());
        }
        let len = bytes.len() - bytes.iter().take_while(|&&byte| byte == 0).count();
        (len <= MAX_BYTES).then_some(Self { bytes, len })
    }

    fn from_bytes(big_endian: impl DoubleEndedIterator<Item = u8>) -> Self {
        let mut bytes = [0; LIMBS * size_of::<u64>()];
        let mut len = 0;
        for (to, byte) in bytes.iter_mut().rev().zip(big_endian.rev()) {
            *to = byte;
            len += 1;
        }
        Self { bytes, len }
    }

    fn as_bytes(&self) -> &[u8] {
        &self.bytes[self.bytes.len() - self.len..]
    }

    /// The decimal digits, with the sign in front.
    fn to_decimal(self, negative: bool) -> Box<str> {
        let mut limbs =
            self.bytes.as_chunks().0.iter().map(|limb| u64::from_be_bytes(*limb)).collect::<Vec<_>>();
        let mut chunks = Vec::new();
        while limbs.iter().any(|&limb| limb != 0) {
            chunks.push(divide(&mut limbs));
        }
        let mut text = String::from(if negative { "-" } else { "" });
        let first = chunks.pop().unwrap_or(0);
        text += &first.to_string();
        for chunk in chunks.into_iter().rev() {
            text += &format!("{chunk:0LIMB_DIGITS$}");
        }
        text.into()
    }
}

/// Multiplies little-endian limbs and adds. The digits are counted, so nothing is lost at the top.
fn scale_and_add(limbs: &mut [u64; LIMBS], scale: u64, add: u64) {
    let mut carry = u128::from(add);
    for limb in limbs {
        carry += u128::from(*limb) * u128::from(scale);
        *limb = carry as u64;
        carry >>= u64::BITS;
    }
}

/// Divides big-endian limbs by [`LIMB`] and gives the remainder.
fn divide(limbs: &mut [u64]) -> u64 {
    let mut rest = 0u128;
    for limb in limbs {
        rest = rest << u64::BITS | u128::from(*limb);
        *limb = (rest / u128::from(LIMB)) as u64;
        rest %= u128::from(LIMB);
    }
    rest as u64
}

/// Appends an integer that fits 64 bits and a sign.
#[inline]
pub(super) fn encode_small(negative: bool, magnitude: u64, out: &mut Vec<u8>) {
    let len = size_of::<u64>() - magnitude.leading_zeros() as usize / 8;
    let flip = if negative { u64::MAX } else { 0 };
    out.push(if negative { code::ZERO - len as u8 } else { code::ZERO + len as u8 });
    out.extend_from_slice(&(magnitude ^ flip).to_be_bytes()[size_of::<u64>() - len..]);
}

/// Appends an integer of any size.
pub(super) fn encode(negative: bool, magnitude: &Magnitude, out: &mut Vec<u8>) {
    let bytes = magnitude.as_bytes();
    let flip = if negative { 0xff } else { 0 };
    let len = bytes.len() as u8;
    match (bytes.len() <= size_of::<u64>(), negative) {
        (true, false) => out.push(code::ZERO + len),
        (true, true) => out.push(code::ZERO - len),
        (false, false) => out.extend([code::LONG_POSITIVE, len]),
        (false, true) => out.extend([code::LONG_NEGATIVE, !len]),
    }
    out.extend(bytes.iter().map(|byte| byte ^ flip));
}

/// An integer read back.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Decoded {
    Small(i64),
    /// Beyond 64 bits, in decimal digits.
    Large(Box<str>),
}

/// Reads the integer whose type code is `first`, and says how much of `rest` it takes; `None` if that is not
/// how an integer is encoded.
pub(super) fn decode(first: u8, rest: &[u8]) -> Option<(Decoded, usize)> {
    let short = usize::from(first.abs_diff(code::ZERO));
    let (negative, len, head) = match first {
        code::LONG_POSITIVE => (false, usize::from(*rest.first()?), 1),
        code::LONG_NEGATIVE => (true, usize::from(!*rest.first()?), 1),
        _ => (first < code::ZERO, short, 0),
    };
    let flip = if negative { 0xff } else { 0 };
    let bytes = rest.get(head..head + len)?;
    let padded = bytes.first().is_some_and(|&byte| byte == flip);
    if padded || (head == 1 && len <= size_of::<u64>()) || (head == 0 && len > size_of::<u64>()) {
        return None;
    }
    let magnitude = Magnitude::from_bytes(bytes.iter().map(|byte| byte ^ flip));
    Some((
        small(negative, magnitude.as_bytes())
            .unwrap_or_else(|| Decoded::Large(magnitude.to_decimal(negative))),
        head + len,
    ))
}

fn small(negative: bool, magnitude: &[u8]) -> Option<Decoded> {
    let mut word = [0; size_of::<u64>()];
    word[size_of::<u64>().checked_sub(magnitude.len())?..].copy_from_slice(magnitude);
    let magnitude = i128::from(u64::from_be_bytes(word));
    i64::try_from(if negative { -magnitude } else { magnitude }).ok().map(Decoded::Small)
}
