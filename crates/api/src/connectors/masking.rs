//! The masking of a stream, as a caller writes it.

use inlet_model::fields::{FieldError, FieldErrors, Fields, step};
use inlet_model::mask::{MaskMethod, MaskPath, Masking};
use serde_json::Value;

/// The most values of a record that are masked.
const MAX: usize = 200;

const METHODS: &[(&str, MaskMethod)] =
    &[("hash", MaskMethod::Hash), ("redact", MaskMethod::Redact), ("drop", MaskMethod::Drop)];

/// Takes `masking`: an object of methods by the fields they are for; none at all masks nothing.
pub(super) fn take(fields: &mut Fields) -> Masking {
    let Some(written) = fields.object("masking") else { return Masking::default() };
    if written.len() > MAX {
        let detail = format!("`masking` has at most {MAX} fields, found {}", written.len());
        fields.refuse("masking", "field.length", detail);
        return Masking::default();
    }
    let place = fields.pointer_to("masking");
    let (mut masking, mut errors) = (Masking::default(), Vec::new());
    for (name, method) in &written {
        let mut refuse = |code, detail| {
            errors.push(FieldError { pointer: format!("{place}{}", step(name)), code, detail });
        };
        match (MaskPath::parse(name), method_of(method)) {
            (Ok(path), Some(method)) => {
                let other = masking.iter().find(|(other, _)| overlap(other, &path));
                match other.map(|(other, _)| other.to_string()) {
                    Some(other) => {
                        refuse("field.value", format!("`{other}` masks it too: one of the two is enough"));
                    }
                    None => masking.set(path, method),
                }
            }
            (path, method) => {
                if let Err(error) = path {
                    refuse("field.format", error.to_string());
                }
                if method.is_none() {
                    refuse("field.choice", "a value is masked by `hash`, `redact` or `drop`".to_owned());
                }
            }
        }
    }
    fields.refuse_all(FieldErrors(errors));
    masking
}

/// Refuses what would break the key, or leave a masked value in a checkpoint.
pub(super) fn check(fields: &mut Fields, masking: &Masking, key: &[String], cursor_field: Option<&str>) {
    let place = fields.pointer_to("masking");
    let mut errors = Vec::new();
    for (path, method) in masking.iter() {
        let field = &path.steps()[0];
        let detail = if cursor_field == Some(field) {
            format!("`{field}` is the cursor field, whose values are kept in checkpoints: choose another one")
        } else if key.contains(field) && (method != MaskMethod::Hash || path.steps().len() > 1) {
            format!("`{field}` is part of the key: it can only be masked as a whole and by `hash`")
        } else {
            continue;
        };
        let pointer = format!("{place}{}", step(&path.to_string()));
        errors.push(FieldError { pointer, code: "field.value", detail });
    }
    fields.refuse_all(FieldErrors(errors));
}

fn method_of(value: &Value) -> Option<MaskMethod> {
    let text = value.as_str()?;
    METHODS.iter().find(|(name, _)| *name == text).map(|(_, method)| *method)
}

fn overlap(one: &MaskPath, other: &MaskPath) -> bool {
    one.covers(other) || other.covers(one)
}
