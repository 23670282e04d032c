//! Numbers as people read them.

use std::time::Duration;

/// `1458` as `1,458`.
pub(crate) fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `1` as `1 record`, `1458` as `1,458 records`.
pub(crate) fn counted(number: u64, thing: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{} {thing}{plural}", count(number))
}

/// `104296` as `104.3 kB`: decimal units, as disks are sold.
pub(crate) fn bytes(number: u64) -> String {
    const UNITS: [(&str, u64); 4] =
        [("TB", 1_000_000_000_000), ("GB", 1_000_000_000), ("MB", 1_000_000), ("kB", 1_000)];
    match UNITS.iter().find(|(_, size)| number >= *size) {
        Some((unit, size)) => {
            let tenths = (u128::from(number) * 10 + u128::from(*size) / 2) / u128::from(*size);
            format!("{}.{} {unit}", tenths / 10, tenths % 10)
        }
        None => format!("{number} B"),
    }
}

/// `0.052 s`, `12.3 s`, `2 min 3 s`, `1 h 2 min`.
pub(crate) fn duration(duration: Duration) -> String {
    let millis = duration.as_millis();
    let seconds = duration.as_secs();
    match seconds {
        0..10 => format!("{}.{:03} s", millis / 1000, millis % 1000),
        10..60 => format!("{}.{} s", millis / 1000, millis % 1000 / 100),
        60..3600 => format!("{} min {} s", seconds / 60, seconds % 60),
        _ => format!("{} h {} min", seconds / 3600, seconds % 3600 / 60),
    }
}

/// How many a second, whole; `None` if no time passed.
pub(crate) fn per_second(number: u64, duration: Duration) -> Option<u64> {
    let micros = duration.as_micros();
    let rate = (u128::from(number) * 1_000_000).checked_div(micros)?;
    u64::try_from(rate).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_have_their_thousands_apart() {
        let shown: Vec<String> = [0, 7, 999, 1_000, 26_115, 1_000_000].into_iter().map(count).collect();
        assert_eq!(shown, ["0", "7", "999", "1,000", "26,115", "1,000,000"]);
        assert_eq!(counted(1, "record"), "1 record");
        assert_eq!(counted(0, "record"), "0 records");
    }

    #[test]
    fn bytes_are_rounded_to_a_tenth_of_their_unit() {
        let shown: Vec<String> =
            [0, 999, 1_000, 104_296, 1_250_000, u64::MAX].into_iter().map(bytes).collect();
        assert_eq!(shown, ["0 B", "999 B", "1.0 kB", "104.3 kB", "1.3 MB", "18446744.1 TB"]);
    }

    #[test]
    fn durations_get_coarser_as_they_grow() {
        let shown: Vec<String> = [0, 52, 9_999, 12_345, 123_000, 3_720_000]
            .into_iter()
            .map(|millis| duration(Duration::from_millis(millis)))
            .collect();
        assert_eq!(shown, ["0.000 s", "0.052 s", "9.999 s", "12.3 s", "2 min 3 s", "1 h 2 min"]);
    }

    #[test]
    fn a_rate_needs_time() {
        assert_eq!(per_second(10, Duration::from_millis(500)), Some(20));
        assert_eq!(per_second(10, Duration::ZERO), None);
    }
}
