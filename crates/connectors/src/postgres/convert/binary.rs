//! Values in the form in which the server sends them: numbers as numbers.
//!
//! The forms are those of the functions `…_send` of the server's sources, and have been the same since version 7.4: numbers
//! are big-endian, times count microseconds and dates days from 2000-01-01 on, a numeric has its digits to the base 10,000.

use std::io::Write;

use super::Bad;
use super::moments::quoted;

/// Days from 0000-03-01 to 2000-01-01. Years that begin in March end with their leap day.
const TO_2000: i64 = 730_425;
/// Days of 400 years, after which the calendar repeats itself.
const CYCLE: i64 = 146_097;
const DAY: i64 = 86_400_000_000;

/// The digits of a numeric come four at a time.
const GROUP: usize = 4;

/// The bytes of a value that has so many.
fn exactly<const N: usize>(bytes: &[u8]) -> Result<[u8; N], Bad> {
    bytes.try_into().map_err(|_| Bad::Strange)
}

pub(super) fn write_boolean(bytes: &[u8], out: &mut Vec<u8>) -> Result<(), Bad> {
    out.extend_from_slice(match bytes {
        [0] => b"false",
        [1] => b"true",
        _ => return Err(Bad::Strange),
    });
    Ok(())
}

/// Appends a whole number of two, four or eight bytes.
pub(super) fn write_integer(bytes: &[u8], out: &mut Vec<u8>) -> Result<(), Bad> {
    let value = match bytes.len() {
        2 => i16::from_be_bytes(exactly(bytes)?).into(),
        4 => i32::from_be_bytes(exactly(bytes)?).into(),
        _ => i64::from_be_bytes(exactly(bytes)?),
    };
    out.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
    Ok(())
}

/// The same, without a sign.
pub(super) fn write_unsigned(bytes: &[u8], out: &mut Vec<u8>) -> Result<(), Bad> {
    let value = match bytes.len() {
        4 => u32::from_be_bytes(exactly(bytes)?).into(),
        _ => u64::from_be_bytes(exactly(bytes)?),
    };
    out.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
    Ok(())
}

/// Appends a UUID's 36 characters.
pub(super) fn write_uuid(bytes: &[u8], out: &mut Vec<u8>) -> Result<(), Bad> {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    for (index, byte) in exactly::<16>(bytes)?.into_iter().enumerate() {
        if matches!(index, 4 | 6 | 8 | 10) {
            out.push(b'-');
        }
        out.extend([DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]]);
    }
    Ok(())
}

/// Appends a numeric: a number with the digits it is shown with, or the name of what is none.
pub(super) fn write_numeric(bytes: &[u8], out: &mut Vec<u8>) -> Result<(), Bad> {
    let (head, digits) = bytes.split_first_chunk::<8>().ok_or(Bad::Strange)?;
    let [n1, n2, w1, w2, sign @ .., s1, s2] = *head;
    let count = usize::from(u16::from_be_bytes([n1, n2]));
    let weight = i32::from(i16::from_be_bytes([w1, w2]));
    let scale = usize::from(u16::from_be_bytes([s1, s2]));
    if digits.len() != count * 2 {
        return Err(Bad::Strange);
    }
    match u16::from_be_bytes(sign) {
        0x0000 => {}
        0x4000 => out.push(b'-'),
        0xc000 => return other(b"\"NaN\"", out),
        0xd000 => return other(b"\"Infinity\"", out),
        0xf000 => return other(b"\"-Infinity\"", out),
        _ => return Err(Bad::Strange),
    }
    // Groups that are zero do not come: those behind the last, and those between the point and the first.
    let group = |place: i32| -> Result<[u8; GROUP], Bad> {
        let index = usize::try_from(weight - place).ok().filter(|index| *index < count);
        let Some(index) = index else { return Ok(*b"0000") };
        let value = u16::from_be_bytes([digits[index * 2], digits[index * 2 + 1]]);
        let digit = |value: u16| b'0' + (value % 10) as u8;
        if value > 9999 {
            return Err(Bad::Strange);
        }
        Ok([digit(value / 1000), digit(value / 100), digit(value / 10), digit(value)])
    };
    let whole = group(weight.max(0))?;
    let zeros = whole.iter().take(GROUP - 1).take_while(|digit| **digit == b'0').count();
    out.extend_from_slice(&whole[zeros..]);
    for place in (0..weight).rev() {
        out.extend_from_slice(&group(place)?);
    }
    if scale > 0 {
        out.push(b'.');
        let end = out.len() + scale;
        for place in (1..).take(scale.div_ceil(GROUP)) {
            out.extend_from_slice(&group(-place)?);
        }
        out.truncate(end);
    }
    Ok(())
}

fn other(text: &[u8], out: &mut Vec<u8>) -> Result<(), Bad> {
    out.extend_from_slice(text);
    Ok(())
}

/// Appends a date.
pub(super) fn write_date(bytes: &[u8], out: &mut Vec<u8>) -> Result<(), Bad> {
    match i32::from_be_bytes(exactly(bytes)?) {
        i32::MAX => other(b"\"Infinity\"", out),
        i32::MIN => other(b"\"-Infinity\"", out),
        days => quoted(out, |out| {
            push_day(days.into(), out);
            Ok(())
        }),
    }
}

/// Appends a time of day.
pub(super) fn write_time_of_day(bytes: &[u8], out: &mut Vec<u8>) -> Result<(), Bad> {
    let micros = i64::from_be_bytes(exactly(bytes)?);
    // The end of a day is a time of it too.
    if !(0..=DAY).contains(&micros) {
        return Err(Bad::Strange);
    }
    quoted(out, |out| {
        push_clock(micros, out);
        Ok(())
    })
}

/// Appends date and time.
pub(super) fn write_moment(bytes: &[u8], is_zoned: bool, out: &mut Vec<u8>) -> Result<(), Bad> {
    match i64::from_be_bytes(exactly(bytes)?) {
        i64::MAX => other(b"\"Infinity\"", out),
        i64::MIN => other(b"\"-Infinity\"", out),
        micros => quoted(out, |out| {
            push_day(micros.div_euclid(DAY), out);
            out.push(b'T');
            push_clock(micros.rem_euclid(DAY), out);
            if is_zoned {
                out.push(b'Z');
            }
            Ok(())
        }),
    }
}

/// Appends the day that comes so many days after 2000-01-01.
fn push_day(days: i64, out: &mut Vec<u8>) {
    let days = days + TO_2000;
    let (cycle, day) = (days.div_euclid(CYCLE), days.rem_euclid(CYCLE));
    // A leap day is the last of 4 years, but not of 100, but of 400.
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    // From March on, months have 31 and 30 days by turns, five times 153 and then what is left.
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let (year, month) = if month < 10 { (year, month + 3) } else { (year + 1, month - 9) };
    push_year(year + 400 * cycle, out);
    out.push(b'-');
    push_two(month, out);
    out.push(b'-');
    push_two(day, out);
}

/// Appends a year; there is a year 0, which others call 1 BC.
fn push_year(year: i64, out: &mut Vec<u8>) {
    match year {
        0..=9999 => {
            push_two(year / 100, out);
            push_two(year % 100, out);
        }
        _ => write!(out, "{year:+07}").expect("memory takes everything"),
    }
}

/// Appends a time of day of so many microseconds.
fn push_clock(micros: i64, out: &mut Vec<u8>) {
    let (seconds, fraction) = (micros / 1_000_000, micros % 1_000_000);
    push_two(seconds / 3600, out);
    out.push(b':');
    push_two(seconds / 60 % 60, out);
    out.push(b':');
    push_two(seconds % 60, out);
    out.push(b'.');
    push_two(fraction / 10_000, out);
    push_two(fraction / 100 % 100, out);
    push_two(fraction % 100, out);
}

/// Appends a number below 100 as two digits.
fn push_two(number: i64, out: &mut Vec<u8>) {
    let number = number as u8;
    out.extend([b'0' + number / 10, b'0' + number % 10]);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(write: impl FnOnce(&mut Vec<u8>) -> Result<(), Bad>) -> Option<String> {
        let mut out = Vec::new();
        write(&mut out).ok().map(|()| String::from_utf8(out).unwrap())
    }

    fn numeric(weight: i16, sign: u16, scale: u16, digits: &[u16]) -> Option<String> {
        let head = [digits.len() as u16, weight as u16, sign, scale];
        let bytes: Vec<u8> = head.iter().chain(digits).flat_map(|word| word.to_be_bytes()).collect();
        text(|out| write_numeric(&bytes, out))
    }

    #[test]
    fn a_numeric_has_the_digits_it_is_shown_with() {
        for (weight, sign, scale, digits, expected) in [
            (0, 0, 0, &[][..], "0"),
            (0, 0, 3, &[], "0.000"),
            (0, 0, 2, &[19, 9000], "19.90"),
            (0, 0x4000, 2, &[19, 9000], "-19.90"),
            (2, 0, 0, &[1], "100000000"),
            (1, 0, 1, &[12, 34, 5000], "120034.5"),
            (-1, 0, 4, &[1], "0.0001"),
            (-2, 0, 6, &[100], "0.000001"),
            (-3, 0, 20, &[1, 2], "0.00000000000100020000"),
            (0, 0xc000, 0, &[], "\"NaN\""),
            (0, 0xd000, 0, &[], "\"Infinity\""),
            (0, 0xf000, 0, &[], "\"-Infinity\""),
        ] {
            assert_eq!(numeric(weight, sign, scale, digits).as_deref(), Some(expected));
        }
        assert_eq!(numeric(0, 0, 0, &[10_000]), None);
        assert_eq!(numeric(0, 0x1234, 0, &[1]), None);
        assert_eq!(text(|out| write_numeric(&[0, 2, 0, 0, 0, 0, 0, 0, 0, 1], out)), None);
        assert_eq!(text(|out| write_numeric(&[0; 7], out)), None);
    }

    #[test]
    fn every_day_of_two_cycles_is_that_of_the_calendar() {
        let (mut year, mut month, mut day) = (1600, 1, 1);
        for days in -CYCLE..CYCLE {
            let expected = format!("\"{year:04}-{month:02}-{day:02}\"");
            assert_eq!(text(|out| write_date(&(days as i32).to_be_bytes(), out)), Some(expected));
            let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
            let last = match month {
                2 => 28 + i32::from(is_leap),
                4 | 6 | 9 | 11 => 30,
                _ => 31,
            };
            day += 1;
            if day > last {
                (month, day) = (month + 1, 1);
            }
            if month > 12 {
                (year, month) = (year + 1, 1);
            }
        }
    }

    #[test]
    fn times_have_six_digits_and_every_year_its_form() {
        for (days, expected) in [
            (i32::MAX, "Infinity"),
            (i32::MIN, "-Infinity"),
            (-730_119, "0001-01-01"),
            (-730_120, "0000-12-31"),
            (-730_486, "-000001-12-31"),
            (-2_451_545, "-004713-11-24"),
            (2_921_940, "+010000-01-01"),
            (2_145_031_948, "+5874897-12-31"),
        ] {
            let date = text(|out| write_date(&days.to_be_bytes(), out)).unwrap();
            assert_eq!(date.trim_matches('"'), expected);
        }
        for (micros, is_zoned, expected) in [
            (0_i64, true, "2000-01-01T00:00:00.000000Z"),
            (-1, false, "1999-12-31T23:59:59.999999"),
            (3_723_000_045, true, "2000-01-01T01:02:03.000045Z"),
            (i64::MAX, true, "Infinity"),
            (i64::MIN, false, "-Infinity"),
        ] {
            let moment = text(|out| write_moment(&micros.to_be_bytes(), is_zoned, out)).unwrap();
            assert_eq!(moment.trim_matches('"'), expected);
        }
        assert_eq!(text(|out| write_time_of_day(&DAY.to_be_bytes(), out)).unwrap(), "\"24:00:00.000000\"");
        assert_eq!(text(|out| write_time_of_day(&(DAY + 1).to_be_bytes(), out)), None);
    }

    #[test]
    fn whole_numbers_and_names_are_written_out() {
        assert_eq!(text(|out| write_integer(&(-7_i16).to_be_bytes(), out)).unwrap(), "-7");
        assert_eq!(text(|out| write_integer(&i32::MIN.to_be_bytes(), out)).unwrap(), "-2147483648");
        assert_eq!(text(|out| write_integer(&i64::MIN.to_be_bytes(), out)).unwrap(), "-9223372036854775808");
        assert_eq!(text(|out| write_unsigned(&u64::MAX.to_be_bytes(), out)).unwrap(), "18446744073709551615");
        assert_eq!(text(|out| write_integer(&[1, 2, 3], out)), None);
        let uuid = 0x6f1c_0b6e_3c1d_4b52_9a8e_0d2f_6a7b_8c9d_u128.to_be_bytes();
        assert_eq!(text(|out| write_uuid(&uuid, out)).unwrap(), "6f1c0b6e-3c1d-4b52-9a8e-0d2f6a7b8c9d");
        assert_eq!(text(|out| write_boolean(&[2], out)), None);
    }
}
