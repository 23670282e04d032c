//! The schedule of a connector, as a caller writes it.

use inlet_model::fields::{FieldError, FieldErrors, Fields};
use inlet_model::id::IdError;
use inlet_model::schedule::{CronSchedule, CronScheduleError, Schedule};
use inlet_model::{ConnectorId, SpaceId};
use schemars::JsonSchema;
use serde_json::Value;

use crate::app::Api;
use crate::operation::every_member_optional;
use crate::problem::Problem;

/// When a connector syncs by itself: `every`, `cron` with its `timezone`, or `after`.
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
    /// Another connector of the space: whenever a sync of it has succeeded.
    after: String,
}

/// The time zone of a cron pattern that names none.
const UTC: &str = "UTC";

/// Takes `schedule`: `null` for none, `{"every": "15m"}`, `{"cron": "0 7 * * 1-5", "timezone": "Europe/Berlin"}`, or
/// `{"after": "con_…"}`.
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

/// The members of which a schedule has one.
const KINDS: [&str; 3] = ["every", "cron", "after"];

fn read(pointer: String, written: Value) -> Result<Schedule, FieldErrors> {
    let says_something = KINDS.iter().any(|name| written.get(name).is_some_and(|part| !part.is_null()));
    let mut fields = Fields::at(pointer, written)?;
    let (every, cron, after) = (fields.string("every"), fields.string("cron"), fields.string("after"));
    let timezone = fields.string("timezone");
    let has_cron = cron.is_some();
    let schedule = match (every, cron, after) {
        (Some(every), None, None) => read_every(&mut fields, &every),
        (None, Some(cron), None) => read_cron(&mut fields, &cron, timezone.as_deref()),
        (None, None, Some(after)) => read_after(&mut fields, &after),
        (None, None, None) => {
            // One that is no text is told already.
            if !says_something {
                let detail = "a schedule has `every`, `cron` or `after`; `null` in its place is none";
                fields.refuse("every", "field.required", detail);
            }
            None
        }
        _ => {
            let detail = "a schedule has one of `every`, `cron` and `after`";
            fields.refuse("every", "field.value", detail);
            None
        }
    };
    if timezone.is_some() && says_something && !has_cron {
        fields.refuse("timezone", "field.value", "`timezone` goes with `cron`: nothing else has one");
    }
    fields.finish()?;
    Ok(schedule.unwrap_or_default())
}

fn read_every(fields: &mut Fields, every: &str) -> Option<Schedule> {
    every.parse().map(Schedule::Every).map_err(|error| refuse(fields, "every", &error)).ok()
}

fn read_cron(fields: &mut Fields, cron: &str, timezone: Option<&str>) -> Option<Schedule> {
    match CronSchedule::new(cron, timezone.unwrap_or(UTC)) {
        Ok(cron) => Some(Schedule::Cron(Box::new(cron))),
        Err(errors) => {
            errors.iter().for_each(|error| refuse(fields, part(error), error));
            None
        }
    }
}

fn read_after(fields: &mut Fields, after: &str) -> Option<Schedule> {
    after.parse().map(Schedule::After).map_err(|error: IdError| refuse(fields, "after", &error)).ok()
}

/// Refuses a schedule that waits for a connector which the space does not have, or which waits for this one.
pub(super) async fn check_followed(
    api: &Api,
    space_id: &SpaceId,
    own_id: Option<ConnectorId>,
    schedule: &Schedule,
) -> Result<(), Problem> {
    let Some(followed) = schedule.follows() else { return Ok(()) };
    let found = api.catalog.connector_in_space(space_id, followed).await?;
    if found.is_none() {
        return Err(refused_after(format!("the space has no connector `{followed}`")));
    }
    if own_id == Some(followed) { Err(circular()) } else { Ok(()) }
}

/// What is wrong with a connector that would come to wait for itself.
pub(super) fn circular() -> Problem {
    refused_after("the connector would wait for itself, directly or by way of others".to_owned())
}

fn refused_after(detail: String) -> Problem {
    let pointer = "/schedule/after".to_owned();
    FieldErrors(vec![FieldError { pointer, code: "field.value", detail }]).into()
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
            json!({"after": "con_01h455vb4pex5vsknk084sn02q"}),
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
            (json!({"after": "syn_01h455vb4pex5vsknk084sn02q"}), &[("/schedule/after", "field.format")]),
            (json!({"after": 5}), &[("/schedule/after", "field.type")]),
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
