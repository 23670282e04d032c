//! Configs, and what discovery tells.

use super::*;

fn refused(sandbox: &Sandbox, config: Value) -> Vec<(String, &'static str)> {
    let environment = Environment { files_roots: vec![sandbox.root()], ..Environment::default() };
    let errors = Files::default().build(config, &environment).unwrap_err();
    errors.0.into_iter().map(|error| (error.pointer, error.code)).collect()
}

fn pairs(errors: &[(&str, &'static str)]) -> Vec<(String, &'static str)> {
    errors.iter().map(|(pointer, code)| ((*pointer).to_owned(), *code)).collect()
}

#[test]
fn every_bad_field_is_named_at_once() {
    let sandbox = Sandbox::new();
    let config = json!({
        "path": "/etc/passwd", "stream": "", "format": "xml", "compression": 7, "color": "red",
        "csv": {"delimiter": "::", "quote": "\n", "header": false, "types": {"a/b": "date"}, "null_values": "NA"},
    });
    assert_eq!(
        refused(&sandbox, config),
        pairs(&[
            ("/path", "files.outside_roots"),
            ("/stream", "field.value"),
            ("/format", "field.choice"),
            ("/compression", "field.type"),
            ("/csv/delimiter", "field.value"),
            ("/csv/quote", "field.value"),
            ("/csv/columns", "field.required"),
            ("/csv/types/a~1b", "field.choice"),
            ("/csv/null_values", "field.type"),
            ("/color", "field.unknown"),
        ])
    );
    assert_eq!(refused(&sandbox, json!({})), pairs(&[("/path", "field.required")]));
    let csv = json!({"quote": ",", "columns": ["a", "a"]});
    assert_eq!(
        refused(&sandbox, json!({"path": "a.csv", "csv": csv})),
        pairs(&[("/csv/quote", "field.value"), ("/csv/columns", "field.value")])
    );
}

#[test]
fn without_roots_no_path_is_allowed() {
    let errors = Files::default().build(json!({"path": "a.csv"}), &Environment::default()).unwrap_err();
    assert_eq!(errors.0[0].code, "files.outside_roots");
    assert!(errors.0[0].detail.contains("--files-root"), "{}", errors.0[0].detail);
}

#[test]
fn the_schema_of_the_config_names_the_fields_that_are_read() {
    let schema = Files::default().config_schema();
    let names = |at: &Value| at["properties"].as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&schema), ["compression", "csv", "format", "path", "stream"]);
    assert_eq!(
        names(&schema["properties"]["csv"]),
        ["columns", "delimiter", "header", "null_values", "quote", "types"]
    );
}

#[tokio::test]
async fn discovery_shows_columns_and_types() {
    let sandbox = Sandbox::new();
    sandbox.write("orders.csv", "id,at,ok\n1,2024-01-01,true\n2,2024-01-02,false\n");
    let found = sandbox
        .source(json!({"path": "orders.csv", "csv": {"types": {"ok": "json"}}}))
        .discover()
        .await
        .unwrap();
    assert_eq!(found[0].name.as_str(), "orders");
    assert_eq!(found[0].estimated_records, Some(2), "the header is too short to count");
    assert_eq!(
        found[0].schema["properties"],
        json!({"at": {"type": ["string", "null"]}, "id": {"type": ["number", "null"]}, "ok": {}})
    );

    sandbox.write("events.jsonl", "{\"id\":1,\"a\":null}\noops\n{\"id\":\"x\",\"b\":[]}\n{\"cut\":");
    let found = sandbox.source(json!({"path": "events.jsonl"})).discover().await.unwrap();
    assert_eq!(
        found[0].schema["properties"],
        json!({"a": {"type": ["null"]}, "b": {"type": ["array"]}, "id": {"type": ["number", "string"]}})
    );
}

#[tokio::test]
async fn a_check_tells_what_is_not_what_it_is_taken_for() {
    use inlet_source::ErrorKind;

    let sandbox = Sandbox::new();
    for (content, expected) in [
        ("", Ok(())),
        ("oops\n{}\n", Ok(())),
        ("id,a\n1,2\n", Err(ErrorKind::Format)),
        ("[1]\n[2]\n", Err(ErrorKind::Format)),
    ] {
        sandbox.write("a.jsonl", content);
        let checked = sandbox.source(json!({"path": "a.jsonl"})).check().await;
        assert_eq!(checked.map_err(|error| error.kind()), expected, "{content:?}");
    }
    for (path, expected) in [("nowhere.csv", ErrorKind::NotFound), ("*.csv", ErrorKind::NotFound)] {
        let checked = sandbox.source(json!({"path": path})).check().await;
        assert_eq!(checked.unwrap_err().kind(), expected, "{path}");
    }
    std::fs::create_dir(sandbox.path("directory.csv")).unwrap();
    let checked = sandbox.source(json!({"path": "directory.csv"})).check().await;
    assert_eq!(checked.unwrap_err().kind(), ErrorKind::Denied);
}
