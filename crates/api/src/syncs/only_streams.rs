//! The streams of a connector that a sync is to read, as a caller names them.

use inlet_model::StreamName;
use inlet_model::fields::{FieldError, FieldErrors, Fields};
use inlet_store::catalog::Connector;

/// The most names.
const MAX: usize = 10_000;

/// Takes `streams`: names of streams that the connector reads. Where it reads all that its source has, only the sync finds
/// out whether there are such.
pub(super) fn take(fields: &mut Fields, connector: &Connector) -> Option<Vec<StreamName>> {
    const NAME: &str = "streams";
    let names = fields.strings(NAME)?;
    if !(1..=MAX).contains(&names.len()) {
        let detail =
            format!("`{NAME}` has 1 to {MAX} entries, found {}; without it all are read", names.len());
        fields.refuse(NAME, "field.length", detail);
        return None;
    }
    let mut taken: Vec<StreamName> = Vec::with_capacity(names.len());
    let mut errors = Vec::new();
    for (index, name) in names.iter().enumerate() {
        match one(name, &taken, connector) {
            Ok(name) => taken.push(name),
            Err((code, detail)) => {
                let pointer = format!("{}/{index}", fields.pointer_to(NAME));
                errors.push(FieldError { pointer, code, detail });
            }
        }
    }
    fields.refuse_all(FieldErrors(errors));
    Some(taken)
}

fn one(
    name: &str,
    taken: &[StreamName],
    connector: &Connector,
) -> Result<StreamName, (&'static str, String)> {
    let name = StreamName::new(name).map_err(|error| ("field.format", error.to_string()))?;
    if taken.contains(&name) {
        return Err(("field.duplicate", format!("the stream `{name}` stands here twice")));
    }
    match &connector.streams {
        Some(streams) if streams.iter().all(|stream| stream.name != name) => {
            Err(("field.value", format!("the connector does not read a stream `{name}`")))
        }
        _ => Ok(name),
    }
}
