//! What holds for every connector type: that its JSON Schema and its parser mean the same, and that it says what it is.

use std::path::PathBuf;

use inlet_model::fields::FieldErrors;
use inlet_source::config_marks::{marks_inside_arrays, secrets};
use inlet_source::{Capabilities, ConnectorType, Environment};
use jsonschema::Validator;
use serde_json::{Map, Value, json};

/// A value of each JSON type.
fn of_each_type() -> [Value; 6] {
    [json!(true), json!(7), json!(1.5), json!("x"), json!([7]), json!({"x": 7})]
}

fn parsed(kind: &dyn ConnectorType, config: &Value) -> Result<Capabilities, Vec<(String, &'static str)>> {
    let environment = Environment { files_roots: vec![PathBuf::from("/")], ..Environment::default() };
    let named = |FieldErrors(errors)| errors.into_iter().map(|error| (error.pointer, error.code)).collect();
    kind.build(config.clone(), &environment).map(|source| source.capabilities()).map_err(named)
}

/// Every type, with its schema and what checks by it.
fn each(check: impl Fn(&dyn ConnectorType, &Value, &Validator)) {
    for kind in inlet_connectors::registry().iter() {
        let schema = kind.config_schema();
        let validator = jsonschema::draft202012::new(&schema).unwrap();
        check(&**kind, &schema, &validator);
    }
}

/// Every declared field: the pointer of the object that holds it in a config, its name, its schema.
fn fields(schema: &Value) -> Vec<(String, String, Value)> {
    let mut found = Vec::new();
    collect(schema, "", &mut found);
    found
}

fn collect(schema: &Value, pointer: &str, found: &mut Vec<(String, String, Value)>) {
    for (name, field) in schema["properties"].as_object().into_iter().flatten() {
        found.push((pointer.to_owned(), name.clone(), field.clone()));
        collect(field, &format!("{pointer}/{name}"), found);
    }
}

/// The config with one more field; objects on the way are made.
fn with(config: &Value, pointer: &str, name: &str, value: Value) -> Value {
    let mut config = config.clone();
    let mut place = &mut config;
    for step in pointer.split('/').skip(1) {
        place = &mut place[step];
        if place.is_null() {
            *place = Value::Object(Map::new());
        }
    }
    place[name] = value;
    config
}

/// The first example: what is tried out is put into it.
fn example(schema: &Value) -> &Value {
    schema["examples"].as_array().and_then(|examples| examples.first()).expect("a schema has an example")
}

#[test]
fn a_type_says_what_it_is() {
    each(|kind, schema, _| {
        let name = kind.name();
        assert!(name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'), "{name}");
        assert!(
            !kind.summary().is_empty() && !kind.summary().ends_with('.'),
            "{name}: one sentence, shown in a list"
        );
        assert!(kind.docs().starts_with(&format!("# {name}\n")), "{name}: its page begins with its name");
        let whole = [(String::new(), String::new(), schema.clone())];
        for (pointer, field, schema) in whole.into_iter().chain(fields(schema)) {
            for said in ["title", "description"] {
                assert!(schema[said].is_string(), "{name}: {pointer}/{field} has no {said}");
            }
        }
    });
}

#[test]
fn a_schema_is_one_of_2020_12_and_takes_nothing_it_does_not_name() {
    each(|kind, schema, _| {
        assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema", "{}", kind.name());
        assert!(jsonschema::draft202012::meta::is_valid(schema), "{}", kind.name());
        for (pointer, name, field) in fields(schema) {
            let is_closed = field.get("properties").is_none() || field["additionalProperties"] == false;
            assert!(is_closed, "{}: {pointer}/{name} must say `additionalProperties: false`", kind.name());
        }
    });
}

#[test]
fn no_secret_and_no_destination_stands_inside_an_array_and_no_example_has_a_secret() {
    each(|kind, schema, _| {
        assert_eq!(marks_inside_arrays(schema), [""; 0], "{}", kind.name());
        assert_ne!(schema["writeOnly"], true, "{}: a config is no secret as a whole", kind.name());
        for (pointer, name, field) in fields(schema) {
            let shows = field["writeOnly"] == true
                && (field.get("default").is_some() || field.get("examples").is_some());
            assert!(!shows, "{}: {pointer}/{name} is secret and has an example", kind.name());
        }
    });
}

#[test]
fn examples_are_good_by_schema_and_parser() {
    each(|kind, schema, validator| {
        for example in schema["examples"].as_array().expect("a schema has examples") {
            assert!(validator.is_valid(example), "{}: {example}", kind.name());
            assert!(parsed(kind, example).is_ok(), "{}: {example}: {:?}", kind.name(), parsed(kind, example));
        }
        for (pointer, name, field) in fields(schema) {
            let examples = field["examples"].as_array().cloned().unwrap_or_default();
            let choices = field["enum"].as_array().cloned().unwrap_or_default();
            for value in examples.into_iter().chain(choices).chain(field.get("default").cloned()) {
                let config = with(example(schema), &pointer, &name, value);
                assert!(validator.is_valid(&config), "{}: {config}", kind.name());
                // Another field may have to go with it; what the field itself has may not be wrong.
                let errors = parsed(kind, &config).err().unwrap_or_default();
                let bad: Vec<_> = errors
                    .iter()
                    .filter(|(at, code)| *at == format!("{pointer}/{name}") && *code != "field.value")
                    .collect();
                assert!(bad.is_empty(), "{}: {config}: {bad:?}", kind.name());
            }
        }
    });
}

#[test]
fn every_declared_field_is_known_to_the_parser_and_bad_types_are_refused_by_both() {
    each(|kind, schema, validator| {
        for (pointer, name, _) in fields(schema) {
            let mut refused = 0;
            for value in of_each_type() {
                let config = with(example(schema), &pointer, &name, value);
                let errors = parsed(kind, &config).err().unwrap_or_default();
                let here = format!("{pointer}/{name}");
                assert!(
                    !errors.contains(&(here.clone(), "field.unknown")),
                    "{}: {here} is not known",
                    kind.name()
                );
                if !validator.is_valid(&config) {
                    refused += 1;
                    let at_field = errors.iter().any(|(at, _)| at.starts_with(&here));
                    assert!(
                        at_field,
                        "{}: the schema refuses {config}, the parser does not: {errors:?}",
                        kind.name()
                    );
                }
            }
            assert!(refused > 0, "{}: {pointer}/{name} may be anything by the schema", kind.name());
        }
    });
}

#[test]
fn required_fields_are_required_by_both_and_unknown_ones_refused_by_both() {
    each(|kind, schema, validator| {
        for name in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            let mut config = example(schema).clone();
            config.as_object_mut().unwrap().remove(name);
            assert!(!validator.is_valid(&config), "{}: {name}", kind.name());
            let missing = (format!("/{name}"), "field.required");
            assert!(parsed(kind, &config).unwrap_err().contains(&missing), "{}: {name}", kind.name());
        }
        let objects = fields(schema).into_iter().filter(|(.., field)| field.get("properties").is_some());
        let objects = objects.map(|(pointer, name, _)| format!("{pointer}/{name}"));
        for pointer in std::iter::once(String::new()).chain(objects) {
            let config = with(example(schema), &pointer, "colour", json!("red"));
            assert!(!validator.is_valid(&config), "{}: {config}", kind.name());
            let unknown = (format!("{pointer}/colour"), "field.unknown");
            assert!(parsed(kind, &config).unwrap_err().contains(&unknown), "{}: {config}", kind.name());
        }
    });
}

#[test]
fn a_source_promises_no_more_than_its_type() {
    each(|kind, schema, _| {
        let (most, found) = (kind.capabilities(), parsed(kind, example(schema)).unwrap());
        let within = |least: bool, most: bool| most || !least;
        assert!(
            within(found.resumable_listing, most.resumable_listing)
                && within(found.incremental, most.incremental)
                && within(found.certified_listing, most.certified_listing),
            "{}: {found:?} is more than {most:?}",
            kind.name()
        );
        assert_eq!(secrets(schema, example(schema)), [""; 0], "{}", kind.name());
    });
}
