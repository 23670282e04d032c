//! What a config may say.

use super::*;

fn errors(config: Value) -> Vec<(String, &'static str)> {
    let built = Postgres::default().build(config, &Environment::default());
    built.unwrap_err().0.into_iter().map(|error| (error.pointer, error.code)).collect()
}

#[test]
fn every_bad_field_is_named() {
    let config = json!({
        "host": "", "port": 0, "database": 7, "ssl_mode": "maybe", "ssl_cert": "x", "schemas": [], "cursor_lag": "soon",
        "statement_timeout": "10", "max_connections": 0, "passwort": "x",
    });
    let mut found = errors(config);
    found.sort();
    assert_eq!(
        found,
        [
            ("/cursor_lag", "field.duration"),
            ("/database", "field.type"),
            ("/host", "field.length"),
            ("/max_connections", "field.range"),
            ("/passwort", "field.unknown"),
            ("/port", "field.range"),
            ("/schemas", "field.length"),
            ("/ssl_key", "field.required"),
            ("/ssl_mode", "field.choice"),
            ("/statement_timeout", "field.duration"),
            ("/user", "field.required"),
        ]
        .map(|(pointer, code)| (pointer.to_owned(), code))
    );
}

#[test]
fn certificates_are_looked_at_at_once() {
    let with = |field: &str, value: &str| {
        let mut config = json!({"host": "h", "database": "d", "user": "u", "ssl_mode": "verify-full"});
        config[field] = json!(value);
        config
    };
    assert_eq!(
        errors(with("ssl_root_cert", "no PEM")),
        [("/ssl_root_cert".to_owned(), "postgres.bad_certificate")]
    );
    assert_eq!(errors(with("password", "a\0b")), [("/password".to_owned(), "postgres.zero_character")]);
}

#[test]
fn debug_output_has_no_secrets() {
    let config = json!({"host": "h", "database": "d", "user": "u", "password": "swordfish"});
    let source = Postgres::default().build(config, &Environment::default()).unwrap();
    assert!(!format!("{source:?}").contains("swordfish"));
}
