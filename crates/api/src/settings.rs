//! Settings that several kinds of things have: a name for people, an id of the caller's choice.

use std::str::FromStr;

use inlet_model::fields::Fields;
use inlet_model::id::IdError;
use serde_json::{Map, Value};

use crate::connectors::patched;
use crate::problem::Problem;

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

/// The name of a thing after a merge patch. Besides the name it has `ids`, which never change.
pub(crate) fn patched_name(
    before: &str,
    ids: &[(&'static str, &str)],
    patch: Value,
) -> Result<String, Problem> {
    let known = ids.iter().copied().chain([("name", before)]);
    let document: Map<String, Value> = known.map(|(field, value)| (field.to_owned(), value.into())).collect();
    let mut fields = Fields::new(patched(document.into(), patch))?;
    for (field, id) in ids {
        if fields.required_string(field).is_some_and(|wanted| wanted != *id) {
            let detail = format!("`{field}` never changes; it is `{id}`");
            fields.refuse(field, "field.immutable", detail);
        }
    }
    let name = name(&mut fields);
    fields.finish()?;
    Ok(name.expect("its absence was refused"))
}
