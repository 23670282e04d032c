//! Which numbers a column can hold without losing a digit.

/// A number whose digits are fewer than this is the one that its nearest double is shown as.
const SAFE_DIGITS: usize = 15;

/// The integer that this JSON number is written as, if 64 bits hold it.
pub(super) fn integer(json: &str) -> Option<i64> {
    // `-0` is another number than `0` to whoever reads it as a double.
    json.parse().ok().filter(|_| json != "-0")
}

/// The double that shows every digit of this JSON number, if there is one.
pub(super) fn double(json: &str) -> Option<f64> {
    let double: f64 = json.parse().ok().filter(|double: &f64| double.is_finite())?;
    let written = Decimal::of(json)?;
    let is_kept = written.is_plain() || Decimal::of(&format!("{double:e}"))? == written;
    is_kept.then_some(double)
}

/// A number by its digits: 0.`digits` times ten to the `exponent`. Two that are equal are the same number.
#[derive(Debug, PartialEq, Eq)]
struct Decimal {
    digits: String,
    exponent: i64,
}

impl Decimal {
    /// The number that is written so, without its sign.
    fn of(json: &str) -> Option<Self> {
        let (mantissa, exponent) = json.split_once(['e', 'E']).unwrap_or((json, "0"));
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let whole = whole.trim_start_matches('-').trim_start_matches('0');
        let digits = format!("{whole}{fraction}");
        let significant = digits.trim_start_matches('0');
        if significant.trim_end_matches('0').is_empty() {
            return Some(Self { digits: String::new(), exponent: 0 });
        }
        // Zeros behind the point, which the cut at the front has taken with it.
        let cut = i64::try_from(digits.len() - significant.len()).ok()?;
        let place = i64::try_from(whole.len()).ok()? - cut;
        let exponent = exponent.parse::<i64>().ok()?.checked_add(place)?;
        Some(Self { digits: significant.trim_end_matches('0').to_owned(), exponent })
    }

    /// Whether its double surely shows it: short, and far from where doubles end.
    fn is_plain(&self) -> bool {
        self.digits.len() <= SAFE_DIGITS && (-290..290).contains(&self.exponent)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_integer_has_64_bits_and_no_point() {
        for good in ["0", "-1", "9223372036854775807", "-9223372036854775808"] {
            assert_eq!(integer(good).unwrap().to_string(), good);
        }
        for other in ["-0", "9223372036854775808", "1.0", "1e3", "true", "\"1\""] {
            assert_eq!(integer(other), None, "{other}");
        }
    }

    #[test]
    fn a_double_is_taken_only_with_every_digit() {
        for good in [
            "0",
            "-0",
            "0.0",
            "0e999",
            "0.1",
            "39.02",
            "1.10",
            "100",
            "-1.5e-7",
            "1E+3",
            "0.30000000000000004",
            "9007199254740992",
            "9007199254740992.0",
            "1e22",
            "123456789012345680",
            "1.7976931348623157e308",
            "5e-324",
            "0.000123",
        ] {
            assert_eq!(double(good), Some(good.parse().unwrap()), "{good}");
        }
        for lossy in [
            "9007199254740993",
            "0.1000000000000000055511151231257827",
            "123456789.123456789",
            "1e400",
            "1e-400",
            "4e-324",
            "12345678901234567890.5",
            "1e99999999999999999999",
            "true",
        ] {
            assert_eq!(double(lossy), None, "{lossy}");
        }
        assert!(double("-0").unwrap().is_sign_negative());
    }
}
