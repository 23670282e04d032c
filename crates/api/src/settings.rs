//! Settings that several kinds of things have: a name for people, an id of the caller's choice.

use std::str::FromStr;

use inlet_model::fields::Fields;
use inlet_model::id::IdError;

/// The longest name, in characters.
const NAME_MAX: usize = 200;

/// `name`, which must be there.
pub(crate) fn name(fields: &mut Fields) -> Option<String> {
    fields.required_text("name", NAME_MAX)
}

/// `id`, which may be there.
pub(crate) fn chosen_id<T: FromStr<Err = IdError>>(fields: &mut Fields) -> Option<T> {
    let text = fields.string("id")?;
    text.parse()
        .map_err(|error: IdError| fields.refuse("id", "field.format", format!("{error}; found `{text}`")))
        .ok()
}
