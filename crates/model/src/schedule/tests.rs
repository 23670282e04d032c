//! When schedules come: weekdays, time zones, clocks that are put forward and back.

use proptest::prelude::*;
use serde_json::json;

use super::*;

fn at(text: &str) -> Timestamp {
    serde_json::from_value(json!(text)).unwrap()
}

fn cron(pattern: &str, timezone: &str) -> Schedule {
    Schedule::Cron(Box::new(CronSchedule::new(pattern, timezone).unwrap()))
}

/// The first times after a moment.
fn times(schedule: &Schedule, after: &str, count: usize) -> Vec<String> {
    let next = |after: &Timestamp| schedule.next(*after, at("2026-01-01T00:00:00Z"));
    let all = std::iter::successors(next(&at(after)), next);
    all.take(count).map(|time| time.to_string().replace(":00.000Z", "Z")).collect()
}

#[test]
fn weekdays_are_those_of_the_time_zone() {
    let schedule = cron("0 7 * * 1-5", "Europe/Berlin");
    assert_eq!(
        times(&schedule, "2026-01-01T06:00:00Z", 3),
        ["2026-01-02T06:00Z", "2026-01-05T06:00Z", "2026-01-06T06:00Z"],
        "07:00 in Berlin, not at the moment itself, and not on the weekend"
    );
    assert_eq!(times(&schedule, "2026-07-01T00:00:00Z", 1), ["2026-07-01T05:00Z"], "summer");
}

#[test]
fn a_time_that_the_clock_skips_comes_right_after_the_gap_and_one_that_it_shows_twice_counts_once() {
    let schedule = cron("30 2 * * *", "Europe/Berlin");
    assert_eq!(
        times(&schedule, "2026-03-28T12:00:00Z", 2),
        ["2026-03-29T01:00Z", "2026-03-30T00:30Z"],
        "02:30 does not exist on the 29th: 03:00 it is"
    );
    assert_eq!(
        times(&schedule, "2026-10-24T12:00:00Z", 2),
        ["2026-10-25T00:30Z", "2026-10-26T01:30Z"],
        "02:30 exists twice on the 25th: the first it is"
    );
}

#[test]
fn an_hourly_pattern_goes_on_through_both_halves_of_a_doubled_hour() {
    assert_eq!(
        times(&cron("0 * * * *", "Europe/Berlin"), "2026-10-24T23:30:00Z", 3),
        ["2026-10-25T00:00Z", "2026-10-25T01:00Z", "2026-10-25T02:00Z"]
    );
}

#[test]
fn a_leap_day_comes_and_the_thirtieth_of_february_does_not() {
    assert_eq!(times(&cron("0 0 29 2 *", "UTC"), "2026-01-01T00:00:00Z", 1), ["2028-02-29T00:00Z"]);
    assert_eq!(CronSchedule::new("0 0 30 2 *", "UTC"), Err(vec![CronScheduleError::Never]));
}

#[test]
fn what_is_no_pattern_or_no_zone_is_refused_both_at_once() {
    for bad in ["", "* * * *", "* * * * * *", "60 * * * *", "* 24 * * *", "@daily", "a b c d e", "\0 * * * *"]
    {
        assert_eq!(CronSchedule::new(bad, "UTC"), Err(vec![CronScheduleError::Pattern]), "{bad:?}");
    }
    for bad in ["", "Berlin", "Europe/Atlantis", "+02:00", "../UTC"] {
        assert_eq!(CronSchedule::new("0 7 * * *", bad), Err(vec![CronScheduleError::Timezone]), "{bad:?}");
    }
    let both = vec![CronScheduleError::Pattern, CronScheduleError::Timezone];
    assert_eq!(CronSchedule::new("x", "y"), Err(both));
}

#[test]
fn a_zone_is_known_by_its_own_spelling_and_without_any_files_of_the_system() {
    let schedule = CronSchedule::new("0 7 * * *", "europe/berlin").unwrap();
    assert_eq!(schedule.timezone(), "Europe/Berlin");
    assert_eq!(CronSchedule::new("0 7 * * *", "UTC").unwrap().timezone(), "UTC");
}

#[test]
fn an_interval_is_counted_from_its_anchor() {
    let schedule = Schedule::Every("6h".parse().unwrap());
    assert_eq!(times(&schedule, "2026-01-01T06:00:00Z", 2), ["2026-01-01T12:00Z", "2026-01-01T18:00Z"]);
    assert_eq!(
        times(&schedule, "2025-01-01T00:00:00Z", 1),
        ["2026-01-01T06:00Z"],
        "nothing before its anchor"
    );
}

#[test]
fn connectors_made_together_are_spread_over_a_part_of_their_interval() {
    let made_at = at("2026-01-01T00:00:00Z");
    for (every, spread) in [("1m", 6), ("50m", 300), ("365d", 300)] {
        let schedule = Schedule::Every(every.parse().unwrap());
        let exact = schedule.next(made_at, made_at).unwrap();
        let late = |id| {
            let id = ConnectorId::from_u128(id);
            let next = schedule.next_of(id, made_at, made_at).unwrap();
            assert_eq!(schedule.next_of(id, made_at, made_at), Some(next), "always the same");
            next.since(exact).as_secs()
        };
        let late: Vec<u64> = (0..1000).map(late).collect();
        assert!(late.iter().all(|seconds| *seconds <= spread), "{every}");
        assert!(
            late.iter().max() > Some(&(spread * 9 / 10 - 1)) && late.iter().min() < Some(&(spread / 10 + 1))
        );
    }
    let cron = cron("0 7 * * *", "UTC");
    assert_eq!(cron.next_of(ConnectorId::from_u128(7), made_at, made_at), Some(at("2026-01-01T07:00:00Z")));
}

#[test]
fn intervals_have_one_spelling_and_bounds() {
    for good in ["1m", "90m", "24h", "365d"] {
        assert_eq!(good.parse::<Interval>().unwrap().to_string(), good);
    }
    for bad in [
        "",
        "m",
        "0m",
        "05m",
        "+5m",
        "-5m",
        "5",
        "5s",
        "5 m",
        "1.5h",
        "366d",
        "4294967295d",
        "99999999999m",
        "5é",
    ] {
        assert_eq!(bad.parse::<Interval>(), Err(IntervalError), "{bad:?}");
    }
}

#[test]
fn nothing_comes_of_no_schedule() {
    assert_eq!(Schedule::Manual.next(at("2026-01-01T00:00:00Z"), at("2026-01-01T00:00:00Z")), None);
}

#[test]
fn what_is_written_reads_as_it_was() {
    for text in [
        json!(null),
        json!({"every": "90m"}),
        json!({"cron": "0  7 * * MON", "timezone": "Europe/Berlin"}),
        json!({"after": "con_01h455vb4pex5vsknk084sn02q"}),
    ] {
        let schedule: Schedule = serde_json::from_value(text.clone()).unwrap();
        assert_eq!(serde_json::to_value(&schedule).unwrap(), text);
    }
    for bad in [json!({}), json!({"every": "1s"}), json!({"cron": "x", "timezone": "UTC"}), json!("1h")] {
        assert!(serde_json::from_value::<Schedule>(bad).is_err());
    }
}

proptest! {
    #[test]
    fn the_next_time_is_always_later(after in -4_000_000_000_000_i64..4_000_000_000_000, minutes in 1..500_000_u32) {
        let after = Timestamp::from_millis(after);
        let every = Schedule::Every(format!("{minutes}m").parse().unwrap());
        for schedule in [every, cron("*/7 3,4 * * *", "America/St_Johns")] {
            prop_assert!(schedule.next(after, Timestamp::from_millis(0)).unwrap() > after);
        }
    }

    #[test]
    fn no_text_panics(pattern: String, timezone: String, interval: String) {
        let _refused = (CronSchedule::new(&pattern, &timezone).is_ok(), interval.parse::<Interval>().is_ok());
    }
}
