//! Dates and times within other values: from the server's text, with `DateStyle` ISO and `TimeZone` UTC, to the form of `docs/values.md`.

use std::io::Write;

/// The text is not what the server writes for such a value.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Strange;

/// Appends a date, such as `2024-03-31` or `0044-03-15 BC`.
pub(super) fn write_date(text: &str, out: &mut Vec<u8>) -> Result<(), Strange> {
    quoted(out, |out| match endless(text) {
        Some(word) => {
            out.extend_from_slice(word);
            Ok(())
        }
        None => write_day(text, out),
    })
}

/// Appends a time of day, such as `04:05:06.7` or `04:05:06+02`.
pub(super) fn write_time_of_day(text: &str, out: &mut Vec<u8>) -> Result<(), Strange> {
    quoted(out, |out| {
        let (time, offset) = text.split_at(text.find(['+', '-']).unwrap_or(text.len()));
        write_clock(time, out)?;
        if !offset.is_empty() {
            let is_offset = offset[1..].bytes().all(|byte| byte.is_ascii_digit() || byte == b':');
            if !is_offset {
                return Err(Strange);
            }
            out.extend_from_slice(offset.as_bytes());
            if !offset.contains(':') {
                out.extend_from_slice(b":00");
            }
        }
        Ok(())
    })
}

/// Appends date and time, such as `2024-03-31 10:15:00.5+00`.
pub(super) fn write_moment(text: &str, is_zoned: bool, out: &mut Vec<u8>) -> Result<(), Strange> {
    quoted(out, |out| {
        if let Some(word) = endless(text) {
            out.extend_from_slice(word);
            return Ok(());
        }
        let (day, rest) = text.split_once(' ').ok_or(Strange)?;
        match rest.strip_suffix(" BC") {
            Some(time) => {
                write_year_before_christ(day, out)?;
                write_clock_in_zone(time, is_zoned, out)
            }
            None => {
                write_year_of_our_lord(day, out)?;
                write_clock_in_zone(rest, is_zoned, out)
            }
        }
    })
}

/// Puts what is written into quotes.
pub(super) fn quoted<E>(
    out: &mut Vec<u8>,
    write: impl FnOnce(&mut Vec<u8>) -> Result<(), E>,
) -> Result<(), E> {
    out.push(b'"');
    write(out)?;
    out.push(b'"');
    Ok(())
}

/// What has no end is written as numbers without end are.
fn endless(text: &str) -> Option<&'static [u8]> {
    match text {
        "infinity" => Some(b"Infinity"),
        "-infinity" => Some(b"-Infinity"),
        _ => None,
    }
}

fn write_day(text: &str, out: &mut Vec<u8>) -> Result<(), Strange> {
    match text.strip_suffix(" BC") {
        Some(day) => write_year_before_christ(day, out),
        None => write_year_of_our_lord(text, out),
    }
}

fn write_year_of_our_lord(day: &str, out: &mut Vec<u8>) -> Result<(), Strange> {
    let (year, _) = parts(day)?;
    if year.len() > 4 {
        write!(out, "+{year:0>6}").expect("memory takes everything");
    } else {
        out.extend_from_slice(year.as_bytes());
    }
    out.extend_from_slice(&day.as_bytes()[year.len()..]);
    Ok(())
}

/// The year before 1 is 0 here, and 1 BC there.
fn write_year_before_christ(day: &str, out: &mut Vec<u8>) -> Result<(), Strange> {
    let (year, month_and_day) = parts(day)?;
    let before: u32 = year.parse().map_err(|_| Strange)?;
    match before.checked_sub(1).ok_or(Strange)? {
        0 => out.extend_from_slice(b"0000"),
        year => write!(out, "-{year:06}").expect("memory takes everything"),
    }
    out.push(b'-');
    out.extend_from_slice(month_and_day.as_bytes());
    Ok(())
}

/// Year, then month and day.
fn parts(day: &str) -> Result<(&str, &str), Strange> {
    let (year, rest) = day.split_once('-').ok_or(Strange)?;
    let is_number = |text: &[u8]| text.iter().all(u8::is_ascii_digit);
    match rest.as_bytes() {
        [m @ .., b'-', d1, d2] if m.len() == 2 && is_number(m) && is_number(&[*d1, *d2]) => {}
        _ => return Err(Strange),
    }
    if year.len() < 4 || !is_number(year.as_bytes()) { Err(Strange) } else { Ok((year, rest)) }
}

fn write_clock_in_zone(text: &str, is_zoned: bool, out: &mut Vec<u8>) -> Result<(), Strange> {
    out.push(b'T');
    if !is_zoned {
        return write_clock(text, out);
    }
    write_clock(text.strip_suffix("+00").ok_or(Strange)?, out)?;
    out.push(b'Z');
    Ok(())
}

/// Appends `HH:MM:SS` and six digits behind the second.
fn write_clock(text: &str, out: &mut Vec<u8>) -> Result<(), Strange> {
    const WHOLE: usize = 8;
    const DIGITS: usize = 6;
    let bytes = text.as_bytes();
    let is_good = bytes.len() >= WHOLE
        && bytes.len() <= WHOLE + 1 + DIGITS
        && bytes.iter().enumerate().all(|(at, byte)| match at {
            2 | 5 => *byte == b':',
            WHOLE => *byte == b'.',
            _ => byte.is_ascii_digit(),
        });
    if !is_good {
        return Err(Strange);
    }
    out.extend_from_slice(&bytes[..WHOLE]);
    let fraction = bytes.get(WHOLE + 1..).unwrap_or_default();
    out.push(b'.');
    out.extend_from_slice(fraction);
    out.extend_from_slice(&b"000000"[fraction.len()..]);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(write: impl FnOnce(&mut Vec<u8>) -> Result<(), Strange>) -> Result<String, Strange> {
        let mut out = Vec::new();
        write(&mut out)?;
        Ok(String::from_utf8(out).unwrap().trim_matches('"').to_owned())
    }

    #[test]
    fn every_year_there_is() {
        for (server, expected) in [
            ("2024-03-31", "2024-03-31"),
            ("0001-01-01", "0001-01-01"),
            ("10000-01-01", "+010000-01-01"),
            ("294276-12-31", "+294276-12-31"),
            ("5874897-12-31", "+5874897-12-31"),
            ("0001-12-31 BC", "0000-12-31"),
            ("0044-03-15 BC", "-000043-03-15"),
            ("4714-11-24 BC", "-004713-11-24"),
            ("infinity", "Infinity"),
            ("-infinity", "-Infinity"),
        ] {
            assert_eq!(text(|out| write_date(server, out)), Ok(expected.to_owned()), "{server}");
        }
    }

    #[test]
    fn six_digits_stand_behind_the_second() {
        for (server, is_zoned, expected) in [
            ("2024-03-31 10:15:00+00", true, "2024-03-31T10:15:00.000000Z"),
            ("2024-03-31 10:15:00.5", false, "2024-03-31T10:15:00.500000"),
            ("294276-12-31 23:59:59.999999+00", true, "+294276-12-31T23:59:59.999999Z"),
            ("0044-03-15 00:00:00+00 BC", true, "-000043-03-15T00:00:00.000000Z"),
            ("infinity", true, "Infinity"),
        ] {
            assert_eq!(text(|out| write_moment(server, is_zoned, out)), Ok(expected.to_owned()), "{server}");
        }
        for (server, expected) in [
            ("24:00:00", "24:00:00.000000"),
            ("04:05:06.7", "04:05:06.700000"),
            ("04:05:06+02", "04:05:06.000000+02:00"),
            ("04:05:06.000001-15:59:59", "04:05:06.000001-15:59:59"),
        ] {
            assert_eq!(text(|out| write_time_of_day(server, out)), Ok(expected.to_owned()), "{server}");
        }
    }

    #[test]
    fn what_the_server_would_not_write_is_refused() {
        for strange in [
            "",
            "31.03.2024 10:15:00+00",
            "2024-03-31 10:15:00+02",
            "2024-03-31 10:15+00",
            "2024-3-31 10:15:00+00",
            "2024-03-31T10:15:00+00",
            "\u{e9}",
        ] {
            assert_eq!(text(|out| write_moment(strange, true, out)), Err(Strange), "{strange}");
        }
        assert_eq!(text(|out| write_date("0000-01-01 BC", out)), Err(Strange));
        assert_eq!(text(|out| write_time_of_day("1:02:03", out)), Err(Strange));
    }
}
