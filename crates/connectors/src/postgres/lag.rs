//! How far it leads back behind a cursor: a duration, or a number.

use std::time::Duration;

use super::kinds::Kind;

/// How much later than others a row may appear.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lag {
    /// So long, by a cursor field of dates or times.
    Time(Duration),
    /// So many, by one of whole numbers.
    Count(u64),
}

/// A duration of whole seconds, as JSON Schema says its form.
pub(super) const DURATION: &str = "^[1-9][0-9]{0,5}[smhd]$";

/// Reads `90s`, `10m`, `2h` or `1d`.
pub(super) fn parse_duration(text: &str) -> Option<Duration> {
    let seconds = match text.bytes().last()? {
        b's' => 1,
        b'm' => 60,
        b'h' => 3600,
        b'd' => 86400,
        _ => return None,
    };
    Some(Duration::from_secs(parse_number(&text[..text.len() - 1])? * seconds))
}

fn parse_number(text: &str) -> Option<u64> {
    let is_plain =
        !text.starts_with('0') && text.len() <= 6 && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| is_plain)
}

impl Lag {
    /// The form, as JSON Schema says it.
    pub(super) const PATTERN: &str = "^[1-9][0-9]{0,5}[smhd]?$";

    /// Reads a duration, or a number.
    pub(super) fn parse(text: &str) -> Option<Self> {
        parse_duration(text).map(Self::Time).or_else(|| parse_number(text).map(Self::Count))
    }

    /// What lies so far behind the value that `literal` writes; `None` if that cannot be said of such values.
    pub(super) fn behind(self, literal: &str, kind: &Kind) -> Option<String> {
        match (self, kind) {
            (Self::Time(lag), Kind::Date | Kind::Moment { .. }) => {
                Some(format!("{literal} - interval '{} seconds'", lag.as_secs()))
            }
            (Self::Count(lag), Kind::Integer) => Some(format!("{literal} - {lag}")),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lag_is_a_duration_or_a_number() {
        assert_eq!(Lag::parse("10m"), Some(Lag::Time(Duration::from_secs(600))));
        assert_eq!(parse_duration("999999d"), Some(Duration::from_secs(999_999 * 86_400)));
        assert_eq!(Lag::parse("1000"), Some(Lag::Count(1000)));
        for bad in ["", "m", "0s", "01s", "0", "-1s", "1w", "1000000s", "1.5h", "ä"] {
            assert_eq!(Lag::parse(bad), None, "{bad}");
        }
        assert_eq!(parse_duration("1000"), None);
    }
}
