//! JSON given on the command line: the text itself, `@FILE`, or `-` for standard input.

use std::fs::File;
use std::io::{self, Read};

use serde_json::{Map, Value};

use crate::errors::CommandError;

/// The API takes no longer body.
const LONGEST: u64 = 1 << 20;

/// The JSON text that the value of `option` means.
pub(super) fn text(option: &str, value: &str) -> Result<String, CommandError> {
    let (text, place) = match value.strip_prefix('@') {
        Some(path) => (File::open(path).and_then(bounded), format!("`{path}`")),
        None if value == "-" => (bounded(io::stdin().lock()), "standard input".to_owned()),
        None => return Ok(value.to_owned()),
    };
    text.map_err(|error| {
        CommandError::input("input.file", format!("{place}, which {option} names, cannot be read"))
            .because(error)
            .into()
    })
}

fn bounded(reader: impl Read) -> io::Result<String> {
    let mut text = String::new();
    reader.take(LONGEST + 1).read_to_string(&mut text)?;
    if text.len() as u64 > LONGEST {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, "it has more than 1 MiB"));
    }
    Ok(text)
}

/// The JSON that the value of `option` means.
pub(super) fn value(option: &str, value: &str) -> Result<Value, CommandError> {
    let text = text(option, value)?;
    serde_json::from_str(&text).map_err(|error| {
        CommandError::input("input.json", format!("what {option} says is not JSON"))
            .because(error)
            .hint("give JSON, `@FILE` for a file that holds it, or `-` for standard input")
            .into()
    })
}

/// The JSON object that the value of `option` means.
pub(super) fn object(option: &str, text: &str) -> Result<Map<String, Value>, CommandError> {
    match value(option, text)? {
        Value::Object(object) => Ok(object),
        other => {
            Err(CommandError::input("input.json", format!("{option} takes a JSON object, not {other}"))
                .into())
        }
    }
}

/// Sets the field that `assignment` (`a.b=VALUE`) names.
pub(super) fn assign(object: &mut Map<String, Value>, assignment: &str) -> Result<(), CommandError> {
    let bad = |message: String| CommandError::input("input.set", message);
    let Some((path, value)) = assignment.split_once('=') else {
        let complaint = bad(format!("`{assignment}` sets nothing"));
        return Err(complaint.hint("write --set FIELD=VALUE").into());
    };
    let value = serde_json::from_str(value).unwrap_or_else(|_| Value::String(value.to_owned()));
    put(object, path, value).map_err(|message| bad(message).into())
}

/// Puts `value` where `path` leads, through objects that are made if they are not there.
pub(super) fn put(object: &mut Map<String, Value>, path: &str, value: Value) -> Result<(), String> {
    let mut at = object;
    let (above, last) = path.rsplit_once('.').map_or((None, path), |(above, last)| (Some(above), last));
    for name in above.into_iter().flat_map(|above| above.split('.')).chain([last]) {
        if name.is_empty() {
            return Err(format!("`{path}` names no field"));
        }
    }
    for name in above.into_iter().flat_map(|above| above.split('.')) {
        let next = at.entry(name).or_insert_with(|| Value::Object(Map::new()));
        at = next
            .as_object_mut()
            .ok_or_else(|| format!("`{path}` leads into `{name}`, which is no object"))?;
    }
    at.insert(last.to_owned(), value);
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn assigned(assignments: &[&str]) -> Result<Value, CommandError> {
        let mut object = Map::new();
        assignments.iter().try_for_each(|assignment| assign(&mut object, assignment))?;
        Ok(Value::Object(object))
    }

    #[test]
    fn values_are_json_where_they_can_be_and_texts_otherwise() {
        let assignments = [
            "path=a b.csv",
            "rows=5",
            "header=true",
            "zip=\"01234\"",
            "list=[1]",
            "none=null",
            "url=a=b",
            "empty=",
        ];
        let expected = json!({"path": "a b.csv", "rows": 5, "header": true, "zip": "01234", "list": [1], "none": null,
            "url": "a=b", "empty": ""});
        assert_eq!(assigned(&assignments).unwrap(), expected);
    }

    #[test]
    fn dots_lead_into_objects_and_the_last_one_wins() {
        let assignments = ["auth.user=a", "auth.token.kind=b", "auth.user=c"];
        assert_eq!(assigned(&assignments).unwrap(), json!({"auth": {"user": "c", "token": {"kind": "b"}}}));
    }

    #[test]
    fn what_names_no_field_is_refused() {
        for bad in [["path"], ["=5"], ["a..b=5"], [".a=5"], ["a.=5"]] {
            assert!(assigned(&bad).is_err(), "{bad:?}");
        }
        assert!(assigned(&["a=5", "a.b=6"]).is_err());
    }

    #[test]
    fn a_file_is_read_within_bounds() {
        let folder = tempfile::tempdir().unwrap();
        let write = |text: &str| {
            let path = folder.path().join("a.json");
            std::fs::write(&path, text).unwrap();
            format!("@{}", path.display())
        };
        assert_eq!(value("--config", &write("{\"a\": 1}\n")).unwrap(), json!({"a": 1}));
        assert!(value("--config", &write(&format!("\"{}\"", "a".repeat(1 << 20)))).is_err());
        assert!(object("--config", &write("[1]")).is_err());
        assert!(value("--config", &write("{")).is_err());
        assert!(value("--config", "@/no/such/file").is_err());
    }
}
