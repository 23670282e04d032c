//! How far a listener has come: the `id` of an event. It says the same after a restart of the server.

use std::fmt;
use std::str::FromStr;

/// The last move and the last line of the log that were told. Written `m3.l17`, and `m3.l17.end` once the end was told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Place {
    /// The number of the last move.
    pub(super) moves: u64,
    /// The number of the last line.
    pub(super) lines: u64,
    /// Whether the end was told.
    pub(super) has_end: bool,
}

impl Place {
    /// Whether everything up to `other` was told.
    pub(super) fn has(&self, other: &Self) -> bool {
        self.moves >= other.moves && self.lines >= other.lines
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let end = if self.has_end { ".end" } else { "" };
        write!(f, "m{}.l{}{end}", self.moves, self.lines)
    }
}

/// The text is the `id` of no event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct NotAPlace;

impl FromStr for Place {
    type Err = NotAPlace;

    fn from_str(text: &str) -> Result<Self, NotAPlace> {
        let (rest, has_end) = match text.strip_suffix(".end") {
            Some(rest) => (rest, true),
            None => (text, false),
        };
        let (moves, lines) =
            rest.strip_prefix('m').and_then(|rest| rest.split_once(".l")).ok_or(NotAPlace)?;
        Ok(Self { moves: number(moves)?, lines: number(lines)?, has_end })
    }
}

fn number(text: &str) -> Result<u64, NotAPlace> {
    let is_plain = text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| is_plain).ok_or(NotAPlace)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_place_survives_its_text(moves: u64, lines: u64, has_end: bool) {
            let place = Place { moves, lines, has_end };
            prop_assert_eq!(place.to_string().parse(), Ok(place));
        }
    }

    #[test]
    fn other_texts_are_no_places() {
        for bad in
            ["", "m1", "m1.l", "m.l1", "l1.m1", "m1.l1.", "m1.l1.end.end", "m+1.l1", "m-1.l1", "m1.l1 "]
        {
            assert_eq!(bad.parse::<Place>(), Err(NotAPlace), "{bad}");
        }
    }
}
