//! When a connector syncs by itself.

use std::fmt;
use std::str::FromStr;
use std::sync::LazyLock;
use std::time::Duration;

use croner::Cron;
use croner::parser::{CronParser, Seconds, Year};
use jiff::tz::{TimeZone, TimeZoneDatabase};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::{ConnectorId, Timestamp};

/// When a connector syncs by itself. As JSON `null`, `{"every": "15m"}`, `{"cron": "0 7 * * 1-5", "timezone": "UTC"}`, or
/// `{"after": "con_…"}`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Schedule {
    /// Never: only when somebody asks for it.
    #[default]
    Manual,
    /// Again and again after the same time.
    Every(Interval),
    /// When the clock on the wall somewhere shows what a cron pattern says.
    Cron(Box<CronSchedule>),
    /// Whenever a sync of that connector has succeeded.
    After(ConnectorId),
}

/// The longest time by which a connector keeps away from others of the same interval.
const MAX_SPREAD: Duration = Duration::from_secs(5 * 60);

impl Schedule {
    /// The first moment of the schedule after `after`; `None` if there is none. An interval is counted from `anchor`.
    #[must_use]
    pub fn next(&self, after: Timestamp, anchor: Timestamp) -> Option<Timestamp> {
        match self {
            Self::Manual | Self::After(_) => None,
            Self::Every(interval) => interval.next(after, anchor),
            Self::Cron(cron) => cron.next(after),
        }
    }

    /// The first moment after `after` for this very connector. Intervals of connectors that were made together are
    /// spread over a tenth of the interval, at most five minutes, always the same for each. A cron pattern is kept to the minute.
    #[must_use]
    pub fn next_of(&self, id: ConnectorId, after: Timestamp, made_at: Timestamp) -> Option<Timestamp> {
        let anchor = match self {
            Self::Every(interval) => made_at.plus(interval.spread(id)),
            Self::Manual | Self::Cron(_) | Self::After(_) => made_at,
        };
        self.next(after, anchor)
    }

    /// The connector whose success is waited for.
    #[must_use]
    pub fn follows(&self) -> Option<ConnectorId> {
        match self {
            Self::After(id) => Some(*id),
            Self::Manual | Self::Every(_) | Self::Cron(_) => None,
        }
    }
}

/// The unit of an [`Interval`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unit {
    Minutes,
    Hours,
    Days,
}

const UNITS: [(char, Unit, u32); 3] =
    [('m', Unit::Minutes, 1), ('h', Unit::Hours, 60), ('d', Unit::Days, 24 * 60)];

/// A time between one minute and 365 days, written as a whole number and a unit: `15m`, `6h`, `1d` (24 hours).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Interval {
    count: u32,
    unit: Unit,
}

/// A text that is no interval.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "an interval is a whole number with `m`, `h` or `d` behind it, such as `15m`, between one minute and 365 days"
)]
pub struct IntervalError;

impl Interval {
    const MAX_MINUTES: u32 = 365 * 24 * 60;

    /// Its length in minutes.
    #[must_use]
    pub fn minutes(self) -> u32 {
        let unit = UNITS.iter().find(|(_, unit, _)| *unit == self.unit).map_or(1, |(_, _, minutes)| *minutes);
        self.count.saturating_mul(unit)
    }

    fn spread(self, id: ConnectorId) -> Duration {
        let length = Duration::from_secs(60) * self.minutes();
        let share = xxhash_rust::xxh3::xxh3_64(&id.as_u128().to_be_bytes()) >> 32;
        (length / 10).min(MAX_SPREAD).mul_f64(share as f64 / f64::from(u32::MAX))
    }

    fn next(self, after: Timestamp, anchor: Timestamp) -> Option<Timestamp> {
        let step = i128::from(self.minutes()) * 60_000_000;
        let anchor = i128::from(anchor.as_micros());
        let steps = (i128::from(after.as_micros()) - anchor).div_euclid(step) + 1;
        // Nothing before the anchor: a schedule begins with the thing that has it.
        i64::try_from(anchor + steps.max(1) * step).ok().map(Timestamp::from_micros)
    }
}

impl FromStr for Interval {
    type Err = IntervalError;

    fn from_str(text: &str) -> Result<Self, IntervalError> {
        let suffix = text.chars().next_back().ok_or(IntervalError)?;
        let (_, unit, _) = UNITS.iter().find(|(letter, ..)| *letter == suffix).ok_or(IntervalError)?;
        let digits = &text[..text.len() - suffix.len_utf8()];
        // One spelling each: no sign, no zero in front.
        if digits.starts_with('0') || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(IntervalError);
        }
        let interval = Self { count: digits.parse().map_err(|_| IntervalError)?, unit: *unit };
        if interval.minutes() > Self::MAX_MINUTES { Err(IntervalError) } else { Ok(interval) }
    }
}

impl fmt::Display for Interval {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let letter = UNITS.iter().find(|(_, unit, _)| *unit == self.unit).map_or('m', |(letter, ..)| *letter);
        write!(f, "{}{letter}", self.count)
    }
}

/// A cron pattern of five fields, and the time zone whose clock it speaks of.
#[derive(Clone, PartialEq, Eq)]
pub struct CronSchedule {
    pattern: String,
    timezone: String,
    cron: Cron,
    zone: TimeZone,
}

/// Why a cron pattern or its time zone is not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CronScheduleError {
    /// The pattern is none.
    #[error(
        "a cron pattern has five fields (minute, hour, day of the month, month, day of the week), such as `0 7 * * 1-5`"
    )]
    Pattern,
    /// The pattern is one, of times that never come.
    #[error("the times of this cron pattern never come")]
    Never,
    /// There is no such time zone.
    #[error("a time zone is a name of the IANA database, such as `Europe/Berlin` or `UTC`")]
    Timezone,
}

/// The time zones that this program knows, wherever it runs: what one node takes, all others take.
static ZONES: LazyLock<TimeZoneDatabase> = LazyLock::new(TimeZoneDatabase::bundled);

impl CronSchedule {
    /// The longest pattern.
    const MAX_PATTERN: usize = 200;

    /// Checks a pattern and a time zone; both may be wrong.
    pub fn new(pattern: &str, timezone: &str) -> Result<Self, Vec<CronScheduleError>> {
        let zone = find_zone(timezone);
        let cron = parse(pattern);
        match (cron, zone) {
            (Ok(cron), Ok(zone)) => {
                let schedule = Self::of(pattern, timezone, cron, zone);
                // Leap days come within eight years, wherever on the calendar one stands.
                let sometime = Timestamp::from_millis(1_767_225_600_000);
                if schedule.next(sometime).is_some() {
                    Ok(schedule)
                } else {
                    Err(vec![CronScheduleError::Never])
                }
            }
            (cron, zone) => Err([cron.err(), zone.err()].into_iter().flatten().collect()),
        }
    }

    /// As [`new`](Self::new), without the search that tells whether its times ever come: for one that was taken before.
    fn known(pattern: &str, timezone: &str) -> Result<Self, CronScheduleError> {
        Ok(Self::of(pattern, timezone, parse(pattern)?, find_zone(timezone)?))
    }

    fn of(pattern: &str, timezone: &str, cron: Cron, zone: TimeZone) -> Self {
        let timezone = zone.iana_name().unwrap_or(timezone).to_owned();
        Self { pattern: pattern.to_owned(), timezone, cron, zone }
    }

    /// The pattern, as it was given.
    #[must_use]
    pub fn pattern(&self) -> &str {
        &self.pattern
    }

    /// The time zone, by its name in the IANA database.
    #[must_use]
    pub fn timezone(&self) -> &str {
        &self.timezone
    }

    /// When clocks are put forward, a time that is skipped comes right after the gap; when they are put back, a time that
    /// comes twice counts once.
    fn next(&self, after: Timestamp) -> Option<Timestamp> {
        let after = jiff::Timestamp::from_microsecond(after.as_micros()).ok()?.to_zoned(self.zone.clone());
        let next = self.cron.find_next_occurrence(&after, false).ok()?;
        Some(Timestamp::from_micros(next.timestamp().as_microsecond()))
    }
}

fn find_zone(name: &str) -> Result<TimeZone, CronScheduleError> {
    ZONES.get(name).map_err(|_| CronScheduleError::Timezone)
}

fn parse(pattern: &str) -> Result<Cron, CronScheduleError> {
    // The parser also takes nicknames; one spelling is enough.
    let is_plain =
        pattern.len() <= CronSchedule::MAX_PATTERN && pattern.split_ascii_whitespace().count() == 5;
    let parser = CronParser::builder().seconds(Seconds::Disallowed).year(Year::Disallowed).build();
    let cron = if is_plain { parser.parse(pattern).ok() } else { None };
    cron.ok_or(CronScheduleError::Pattern)
}

impl fmt::Debug for CronSchedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CronSchedule({:?}, {:?})", self.pattern, self.timezone)
    }
}

/// A schedule as it is written.
#[derive(Serialize, Deserialize)]
#[serde(untagged, deny_unknown_fields)]
enum Written {
    Every { every: String },
    Cron { cron: String, timezone: String },
    After { after: ConnectorId },
}

impl Serialize for Schedule {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let written = match self {
            Self::Manual => None,
            Self::Every(interval) => Some(Written::Every { every: interval.to_string() }),
            Self::Cron(cron) => {
                Some(Written::Cron { cron: cron.pattern.clone(), timezone: cron.timezone.clone() })
            }
            Self::After(id) => Some(Written::After { after: *id }),
        };
        written.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Schedule {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        use serde::de::Error;
        Ok(match Option::<Written>::deserialize(deserializer)? {
            None => Self::Manual,
            Some(Written::Every { every }) => Self::Every(every.parse().map_err(D::Error::custom)?),
            Some(Written::Cron { cron, timezone }) => {
                let schedule = CronSchedule::known(&cron, &timezone).map_err(D::Error::custom)?;
                Self::Cron(Box::new(schedule))
            }
            Some(Written::After { after }) => Self::After(after),
        })
    }
}

#[cfg(test)]
mod tests;
