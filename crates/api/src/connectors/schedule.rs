//! The schedule of a connector, as a caller writes it.

use inlet_model::fields::{FieldErrors, Fields};
use inlet_model::schedule::{CronSchedule, CronScheduleError, Schedule};
use schemars::JsonSchema;
use serde_json::Value;

use crate::operation::every_member_optional;

/// When a connector syncs by itself: `every`, or `cron` with its `timezone`.
#[derive(JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Schedule", transform = every_member_optional)]
#[expect(dead_code, reason = "it only says what the field is; `take` reads it")]
pub(super) struct ScheduleFields {
    /// An interval: a whole number and `m`, `h` or `d`, such as `15m`.
    every: String,
    /// A cron pattern of five fields, such as `0 7 * * 1-5`.
    cron: String,
    /// The IANA time zone of the cron pattern; `UTC` if it is left out.
    timezone: String,
}

/// The time zone of a cron pattern that names none.
const UTC: &str = "UTC";

/// Takes `schedule`: `null` for none, `{"every": "15m"}`, or `{"cron": "0 7 * * 1-5", "timezone": "Europe/Berlin"}`.
pub(crate) fn take(fields: &mut Fields) -> Schedule {
    let pointer = fields.pointer_to("schedule");
    match fields.take("schedule") {
        None | Some(Value::Null) => Schedule::Manual,
        Some(written) => read(pointer, written).unwrap_or_else(|errors| {
            fields.refuse_all(errors);
            Schedule::Manual
        }),
    }
}

fn read(pointer: String, written: Value) -> Result<Schedule, FieldErrors> {
    let says_something =
        ["every", "cron"].iter().any(|name| written.get(name).is_some_and(|part| !part.is_null()));
    let mut fields = Fields::at(pointer, written)?;
    let (every, cron, timezone) = (fields.string("every"), fields.string("cron"), fields.string("timezone"));
    let mut schedule = Schedule::Manual;
    match (every, cron) {
        (Some(every), None) => {
            match every.parse() {
                Ok(interval) => schedule = Schedule::Every(interval),
                Err(error) => refuse(&mut fields, "every", &error),
            }
            if timezone.is_some() {
                fields.refuse("timezone", "field.value", "`timezone` goes with `cron`: an interval has none");
            }
        }
        (None, Some(cron)) => match CronSchedule::new(&cron, timezone.as_deref().unwrap_or(UTC)) {
            Ok(cron) => schedule = Schedule::Cron(Box::new(cron)),
            Err(errors) => errors.iter().for_each(|error| refuse(&mut fields, part(error), error)),
        },
        (Some(_), Some(_)) => {
            fields.refuse("every", "field.value", "a schedule has `every` or `cron`, not both");
        }
        // One that is no text is told already.
        (None, None) if says_something => {}
        (None, None) => {
            fields.refuse(
                "every",
                "field.required",
                "a schedule has `every` or `cron`; `null` in its place is none",
            );
        }
    }
    fields.finish()?;
    Ok(schedule)
}

/// The field that an error is about.
fn part(error: &CronScheduleError) -> &'static str {
    match error {
        CronScheduleError::Pattern | CronScheduleError::Never => "cron",
        CronScheduleError::Timezone => "timezone",
    }
}

fn refuse(fields: &mut Fields, name: &str, error: &dyn std::error::Error) {
    fields.refuse(name, "field.format", error.to_string());
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn taken(schedule: Value) -> Result<Value, Vec<(String, &'static str)>> {
        let mut fields = Fields::new(json!({ "schedule": schedule })).unwrap();
        let schedule = take(&mut fields);
        let named =
            |errors: FieldErrors| errors.0.into_iter().map(|error| (error.pointer, error.code)).collect();
        fields.finish().map(|()| serde_json::to_value(schedule).unwrap()).map_err(named)
    }

    #[test]
    fn what_is_shown_can_be_sent_back() {
        for schedule in [
            json!(null),
            json!({"every": "15m"}),
            json!({"cron": "0 7 * * 1-5", "timezone": "Europe/Berlin"}),
        ] {
            assert_eq!(taken(schedule.clone()), Ok(schedule));
        }
        assert_eq!(
            taken(json!({"cron": "0 7 * * *"})),
            Ok(json!({"cron": "0 7 * * *", "timezone": "UTC"})),
            "UTC, unless another zone is said"
        );
    }

    #[test]
    fn every_bad_field_is_named() {
        for (schedule, expected) in [
            (json!("15m"), &[("/schedule", "field.type")][..]),
            (json!({}), &[("/schedule/every", "field.required")]),
            (json!({"every": 15}), &[("/schedule/every", "field.type")]),
            (json!({"every": "15s"}), &[("/schedule/every", "field.format")]),
            (json!({"every": "1h", "cron": "0 7 * * *"}), &[("/schedule/every", "field.value")]),
            (json!({"every": "1h", "timezone": "UTC"}), &[("/schedule/timezone", "field.value")]),
            (
                json!({"cron": "daily", "timezone": "Berlin", "on": true}),
                &[
                    ("/schedule/cron", "field.format"),
                    ("/schedule/timezone", "field.format"),
                    ("/schedule/on", "field.unknown"),
                ],
            ),
            (json!({"cron": "0 0 30 2 *"}), &[("/schedule/cron", "field.format")]),
        ] {
            let expected: Vec<_> = expected.iter().map(|(at, code)| ((*at).to_owned(), *code)).collect();
            assert_eq!(taken(schedule.clone()), Err(expected), "{schedule}");
        }
    }
}
