//! What lists are narrowed to: parameters that several of them take.

use inlet_model::{StreamName, Timestamp};
use inlet_store::catalog::{Created, NameFilter};
use schemars::json_schema;

use crate::operation::{Operation, Param};
use crate::problem::Problem;
use crate::query::Query;

/// The longest name that a thing can have, in characters.
const NAME_MAX: usize = 200;

/// The operation takes what [`take_named`] does.
pub(crate) fn named(operation: Operation) -> Operation {
    let name = json_schema!({"type": "string", "minLength": 1, "maxLength": NAME_MAX});
    created(operation.param(Param::written("name", "Only those with exactly this name.", name)))
}

/// The operation takes what [`take_created`] does.
pub(crate) fn created(operation: Operation) -> Operation {
    operation
        .param(Param::query::<Timestamp>("created_after", "Only those made after this time."))
        .param(Param::query::<Timestamp>("created_before", "Only those made before this time."))
}

/// `name`, `created_after` and `created_before`.
pub(crate) fn take_named(query: &mut Query) -> Result<NameFilter, Problem> {
    Ok(NameFilter { name: take_name(query)?, created: take_created(query)? })
}

/// `name`: the whole of it.
pub(crate) fn take_name(query: &mut Query) -> Result<Option<String>, Problem> {
    let Some(name) = query.narrow("name") else { return Ok(None) };
    if (1..=NAME_MAX).contains(&name.chars().count()) {
        return Ok(Some(name));
    }
    Err(Query::invalid("name", &format!("is a whole name, of 1 to {NAME_MAX} characters")))
}

/// `created_after` and `created_before`.
pub(crate) fn take_created(query: &mut Query) -> Result<Created, Problem> {
    let after = take_time(query, "created_after")?;
    let before = take_time(query, "created_before")?;
    Ok(Created { after: after.map(end_of_millisecond), before })
}

/// `stream`: only that one.
pub(crate) fn take_stream(query: &mut Query) -> Result<Option<StreamName>, Problem> {
    let stream = query.take("stream").map(|name| StreamName::new(&name));
    stream.transpose().map_err(|error| Query::invalid("stream", &format!("is no stream name: {error}")))
}

fn take_time(query: &mut Query, name: &'static str) -> Result<Option<Timestamp>, Problem> {
    let Some(text) = query.narrow(name) else { return Ok(None) };
    // A `+` that was not escaped stands for a space in a query, and no time has a space.
    let time = text.replace(' ', "+").parse();
    time.map(Some)
        .map_err(|_| Query::invalid(name, "is a time as RFC 3339 writes it, such as `2026-01-31T07:00:00Z`"))
}

/// Times are shown to the millisecond: what is shown with the very time that is sent back was not made after it.
fn end_of_millisecond(time: Timestamp) -> Timestamp {
    let micros = time.as_micros();
    if micros % 1000 == 0 { Timestamp::from_micros(micros.saturating_add(999)) } else { time }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn created(text: &str) -> Option<Created> {
        take_created(&mut Query::parse(text).unwrap()).ok()
    }

    #[test]
    fn times_are_read_with_and_without_escapes() {
        let seven = Timestamp::from_millis(1_767_250_800_000);
        for text in ["2026-01-01T07:00:00Z", "2026-01-01T08:00:00%2B01:00", "2026-01-01T08:00:00+01:00"] {
            let found = created(&format!("created_before={text}"));
            assert_eq!(found, Some(Created { after: None, before: Some(seven) }), "{text}");
        }
        for bad in ["", "now", "2026-01-01", "1767250800"] {
            assert_eq!(created(&format!("created_after={bad}")), None, "{bad}");
        }
    }

    #[test]
    fn what_is_shown_with_a_time_is_not_after_it() {
        let micros =
            |text: &str| created(&format!("created_after={text}")).unwrap().after.unwrap().as_micros();
        assert_eq!(micros("1970-01-01T00:00:00.005Z"), 5_999);
        assert_eq!(micros("1970-01-01T00:00:00.005001Z"), 5_001);
    }

    #[test]
    fn a_name_has_a_length() {
        let name = |text: &str| take_name(&mut Query::parse(text).unwrap()).ok();
        assert_eq!(name("name=a%20b"), Some(Some("a b".to_owned())));
        assert_eq!((name(""), name("name=")), (Some(None), None));
        assert_eq!(name(&format!("name={}", "x".repeat(201))), None);
    }
}
