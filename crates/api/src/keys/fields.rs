//! The fields of a key in requests.

use std::time::Duration;

use inlet_model::fields::Fields;
use inlet_model::{SpaceId, Timestamp, parse_duration};
use inlet_store::catalog::Role;
use serde_json::Value;

use crate::auth::Caller;

/// `role`, which must be there.
pub(super) fn role(fields: &mut Fields) -> Option<Role> {
    let text = fields.required_string("role")?;
    let role = text.parse().ok();
    if role.is_none() {
        let detail = format!("`role` is one of `read`, `write`, `admin`; found `{text}`");
        fields.refuse("role", "field.choice", detail);
    }
    role
}

/// `space_id`: the space that a new key is bound to. A caller who is bound makes keys for its own space only.
pub(super) fn space_id(fields: &mut Fields, caller: &Caller) -> Option<SpaceId> {
    let wanted = match fields.take("space_id") {
        None => return caller.space_id.clone(),
        Some(Value::Null) => None,
        Some(Value::String(text)) => match text.parse::<SpaceId>() {
            Ok(space_id) if caller.sees(Some(&space_id)) => Some(space_id),
            _ => {
                refuse_space(fields, &text);
                return None;
            }
        },
        Some(_) => {
            fields.refuse("space_id", "field.type", "expected a string or null");
            return None;
        }
    };
    if wanted.is_none() && !caller.sees(None) {
        fields.refuse(
            "space_id",
            "field.choice",
            "your key is bound to a space, and makes keys for that space only",
        );
    }
    wanted
}

/// There is no such space, or none for this caller.
pub(super) fn refuse_space(fields: &mut Fields, space_id: &str) {
    fields.refuse("space_id", "field.choice", format!("there is no space `{space_id}`"));
}

/// `expires_at`: `None` if it is not there; `Some(None)` if it is `null`, for never.
pub(super) fn expires_at(fields: &mut Fields, now: Timestamp) -> Option<Option<Timestamp>> {
    let value = fields.take("expires_at")?;
    if value.is_null() {
        return Some(None);
    }
    match serde_json::from_value::<Timestamp>(value) {
        Ok(end) if end > now => return Some(Some(end)),
        Ok(_) => {
            let detail = "`expires_at` lies in the past; to end a key now, delete it";
            fields.refuse("expires_at", "field.range", detail);
        }
        Err(_) => {
            let detail = "expected a time such as `2027-01-01T00:00:00Z`, or null for never";
            fields.refuse("expires_at", "field.format", detail);
        }
    }
    None
}

/// The longest time for which an old secret may still be used.
const OVERLAP_MAX: Duration = Duration::from_secs(7 * DAY);
/// How long, if the request does not say.
const OVERLAP: Duration = Duration::from_secs(DAY);
const DAY: u64 = 24 * 60 * 60;

/// `overlap`: for how long secrets before a rotation may still be used.
pub(crate) fn overlap(fields: &mut Fields) -> Duration {
    let Some(text) = fields.string("overlap") else { return OVERLAP };
    match parse_duration(&text) {
        Some(overlap) if overlap <= OVERLAP_MAX => return overlap,
        Some(_) => {
            fields.refuse("overlap", "field.range", format!("`overlap` is at most `7d`; found `{text}`"))
        }
        None => {
            let detail = format!(
                "`overlap` is a whole number and `s`, `m`, `h` or `d`, such as `24h`; found `{text}`"
            );
            fields.refuse("overlap", "field.format", detail);
        }
    }
    OVERLAP
}
