//! Reading a JSON object field by field, so that every bad field is named at once.
//!
//! A derived deserializer stops at the first error; people who write a config or a request body want the whole
//! list. Each getter notes what is wrong and goes on; [`Fields::finish`] refuses unknown fields and gives the list.

use serde_json::{Map, Value};

/// What is wrong with one field.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct FieldError {
    /// Where the field stands, as a JSON Pointer (RFC 6901).
    pub pointer: String,
    /// Stable and dotted, such as `field.required`.
    pub code: &'static str,
    /// A sentence a person can act on.
    pub detail: String,
}

/// Every bad field of an object.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{} of the fields are not valid", .0.len())]
pub struct FieldErrors(pub Vec<FieldError>);

/// An object being read.
#[derive(Debug)]
pub struct Fields {
    pointer: String,
    rest: Map<String, Value>,
    known: Vec<&'static str>,
    errors: Vec<FieldError>,
}

/// One step of a JSON Pointer (RFC 6901): a slash, and the escaped name.
#[must_use]
pub fn step(name: &str) -> String {
    format!("/{}", name.replace('~', "~0").replace('/', "~1"))
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

impl Fields {
    /// Begins to read `value`, which must be an object.
    pub fn new(value: Value) -> Result<Self, FieldErrors> {
        Self::at(String::new(), value)
    }

    /// Begins to read `value`, found at `pointer` of a larger document.
    pub fn at(pointer: String, value: Value) -> Result<Self, FieldErrors> {
        match value {
            Value::Object(rest) => Ok(Self { pointer, rest, known: Vec::new(), errors: Vec::new() }),
            other => Err(FieldErrors(vec![FieldError {
                pointer,
                code: "field.type",
                detail: format!("expected an object, found {}", kind(&other)),
            }])),
        }
    }

    /// Where the field `name` stands.
    #[must_use]
    pub fn pointer_to(&self, name: &str) -> String {
        format!("{}{}", self.pointer, step(name))
    }

    /// Notes that the field `name` is wrong.
    pub fn refuse(&mut self, name: &str, code: &'static str, detail: impl Into<String>) {
        let pointer = self.pointer_to(name);
        self.errors.push(FieldError { pointer, code, detail: detail.into() });
    }

    /// Notes errors found by someone else, with their pointers already whole.
    pub fn refuse_all(&mut self, errors: FieldErrors) {
        self.errors.extend(errors.0);
    }

    /// The field's value if it is there; an explicit `null` is a value.
    pub fn take(&mut self, name: &'static str) -> Option<Value> {
        self.known.push(name);
        self.rest.remove(name)
    }

    fn take_as<T>(
        &mut self,
        name: &'static str,
        expected: &str,
        convert: impl FnOnce(Value) -> Result<T, Value>,
    ) -> Option<T> {
        match self.take(name)? {
            Value::Null => None,
            value => match convert(value) {
                Ok(converted) => Some(converted),
                Err(value) => {
                    self.refuse(name, "field.type", format!("expected {expected}, found {}", kind(&value)));
                    None
                }
            },
        }
    }

    /// Refuses the object if a field that must be there was not. `null` counts as not there.
    fn required<T>(&mut self, name: &'static str, read: impl FnOnce(&mut Self) -> Option<T>) -> Option<T> {
        let errors_before = self.errors.len();
        let value = read(self);
        if value.is_none() && self.errors.len() == errors_before {
            self.refuse(name, "field.required", format!("`{name}` is required"));
        }
        value
    }

    /// An optional string; absent and `null` are `None`.
    pub fn string(&mut self, name: &'static str) -> Option<String> {
        self.take_as(name, "a string", |value| match value {
            Value::String(text) => Ok(text),
            other => Err(other),
        })
    }

    /// A string that must be there.
    pub fn required_string(&mut self, name: &'static str) -> Option<String> {
        self.required(name, |fields| fields.string(name))
    }

    /// An optional string of `1..=max` characters.
    pub fn text(&mut self, name: &'static str, max: usize) -> Option<String> {
        let text = self.string(name)?;
        let length = text.chars().count();
        if length == 0 || length > max {
            self.refuse(name, "field.length", format!("`{name}` has 1 to {max} characters, found {length}"));
            return None;
        }
        Some(text)
    }

    /// A string of `1..=max` characters that must be there.
    pub fn required_text(&mut self, name: &'static str, max: usize) -> Option<String> {
        self.required(name, |fields| fields.text(name, max))
    }

    /// An optional boolean.
    pub fn boolean(&mut self, name: &'static str) -> Option<bool> {
        self.take_as(name, "a boolean", |value| match value {
            Value::Bool(flag) => Ok(flag),
            other => Err(other),
        })
    }

    /// An optional whole number within `range`.
    pub fn integer(&mut self, name: &'static str, range: std::ops::RangeInclusive<u64>) -> Option<u64> {
        let number = self.take_as(name, "a whole number", |value| value.as_u64().ok_or(value))?;
        if !range.contains(&number) {
            let (low, high) = range.into_inner();
            self.refuse(
                name,
                "field.range",
                format!("`{name}` lies between {low} and {high}, found {number}"),
            );
            return None;
        }
        Some(number)
    }

    /// An optional string that is one of `choices`.
    pub fn choice<T: Copy>(&mut self, name: &'static str, choices: &[(&'static str, T)]) -> Option<T> {
        let text = self.string(name)?;
        let found = choices.iter().find(|(choice, _)| *choice == text).map(|(_, value)| *value);
        if found.is_none() {
            let names: Vec<String> = choices.iter().map(|(choice, _)| format!("`{choice}`")).collect();
            self.refuse(
                name,
                "field.choice",
                format!("`{name}` is one of {}; found `{text}`", names.join(", ")),
            );
        }
        found
    }

    /// An optional array of strings.
    pub fn strings(&mut self, name: &'static str) -> Option<Vec<String>> {
        self.take_as(name, "an array of strings", |value| match value {
            Value::Array(items) if items.iter().all(Value::is_string) => {
                Ok(items.into_iter().filter_map(|item| item.as_str().map(str::to_owned)).collect())
            }
            other => Err(other),
        })
    }

    /// An optional object, its content unread.
    pub fn object(&mut self, name: &'static str) -> Option<Map<String, Value>> {
        self.take_as(name, "an object", |value| match value {
            Value::Object(map) => Ok(map),
            other => Err(other),
        })
    }

    /// Refuses fields that nobody asked for, and gives every error found.
    pub fn finish(mut self) -> Result<(), FieldErrors> {
        let unknown: Vec<String> = self.rest.keys().cloned().collect();
        let known: Vec<String> = self.known.iter().map(|name| format!("`{name}`")).collect();
        let known = match known.as_slice() {
            [] => "none is taken".to_owned(),
            known => format!("the fields are {}", known.join(", ")),
        };
        for name in unknown {
            self.refuse(&name, "field.unknown", format!("`{name}` is not a field here; {known}"));
        }
        if self.errors.is_empty() { Ok(()) } else { Err(FieldErrors(self.errors)) }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_bad_field_is_named_at_once() {
        let mut fields = Fields::new(json!({"type": 1, "limit": 9, "color": "red", "ex/tra": true})).unwrap();
        fields.required_text("name", 10);
        fields.required_string("type");
        fields.integer("limit", 1..=5);
        fields.choice("color", &[("blue", 1), ("green", 2)]);
        let errors = fields.finish().unwrap_err().0;
        let named: Vec<_> = errors.iter().map(|error| (error.pointer.as_str(), error.code)).collect();
        assert_eq!(
            named,
            [
                ("/name", "field.required"),
                ("/type", "field.type"),
                ("/limit", "field.range"),
                ("/color", "field.choice"),
                ("/ex~1tra", "field.unknown"),
            ]
        );
    }

    #[test]
    fn good_fields_pass_and_null_is_absent() {
        let mut fields = Fields::new(json!({"name": "n", "tags": ["a"], "note": null})).unwrap();
        assert_eq!(fields.required_text("name", 10).as_deref(), Some("n"));
        assert_eq!(fields.strings("tags"), Some(vec!["a".to_owned()]));
        assert_eq!(fields.string("note"), None);
        assert!(fields.finish().is_ok());
    }

    #[test]
    fn only_an_object_has_fields() {
        assert_eq!(Fields::new(json!([])).unwrap_err().0[0].code, "field.type");
    }
}
