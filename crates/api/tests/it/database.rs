//! A connector type with secrets: a database that is no more than its config. Its host says how it behaves.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use inlet_model::StreamName;
use inlet_model::fields::{FieldErrors, Fields};
use inlet_source::{
    Capabilities, ConnectorType, Environment, ErrorKind, Outlet, ReadRequest, Source, SourceError, StreamSpec,
};
use serde_json::{Value, json};

/// The connector type `database`, and what its sources were given.
#[derive(Debug, Clone, Default)]
pub(crate) struct Database {
    asked: Arc<Mutex<Vec<Value>>>,
}

impl Database {
    /// The configs of the sources that were asked something since the last time, secrets and all.
    pub(crate) fn asked(&self) -> Vec<Value> {
        std::mem::take(&mut *self.asked.lock().unwrap())
    }
}

impl ConnectorType for Database {
    fn name(&self) -> &'static str {
        "database"
    }

    fn summary(&self) -> &'static str {
        "For tests"
    }

    fn config_schema(&self) -> Value {
        let secret = || json!({"type": "string", "writeOnly": true});
        json!({
            "type": "object", "required": ["host"], "additionalProperties": false,
            "properties": {
                "host": {"type": "string", "x-secret-destination": true},
                "database": {"type": "string"},
                "password": secret(),
                "tunnel": {"type": "object", "additionalProperties": false, "properties": {
                    "server": {"type": "string", "x-secret-destination": true},
                    "key": secret(),
                    "user": {"type": "string"},
                }},
            },
        })
    }

    fn docs(&self) -> &'static str {
        "# database\n"
    }

    fn build(&self, config: Value, _: &Environment) -> Result<Box<dyn Source>, FieldErrors> {
        let mut fields = Fields::new(config.clone())?;
        let host = fields.required_string("host");
        fields.string("database");
        let password = fields.string("password");
        if let Some(short) = password.as_deref().filter(|password| password.len() < 8) {
            // As a careless connector would.
            fields.refuse("password", "field.length", format!("`{short}` is too short for a password"));
        }
        let pointer = fields.pointer_to("tunnel");
        if let Some(tunnel) = fields.object("tunnel") {
            let mut tunnel = Fields::at(pointer, Value::Object(tunnel))?;
            for name in ["server", "key", "user"] {
                tunnel.string(name);
            }
            if let Err(errors) = tunnel.finish() {
                fields.refuse_all(errors);
            }
        }
        fields.finish()?;
        let host = host.expect("its absence was refused");
        Ok(Box::new(DatabaseSource { host, config, kind: self.clone() }))
    }
}

struct DatabaseSource {
    host: String,
    config: Value,
    kind: Database,
}

impl std::fmt::Debug for DatabaseSource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("DatabaseSource")
    }
}

impl DatabaseSource {
    async fn answer(&self) -> Result<(), SourceError> {
        self.kind.asked.lock().unwrap().push(self.config.clone());
        let password = self.config["password"].as_str().unwrap_or_default();
        let error = |kind| {
            SourceError::new(kind, "connect", format!("`{password}` is no good"))
                .with("url", format!("db://u:{password}@{}", self.host))
                .hint(format!("is {password} right"))
                .because(format!("the driver was given {password}"))
        };
        match self.host.as_str() {
            "refusing" => Err(error(ErrorKind::Denied)),
            "away" => Err(error(ErrorKind::Unavailable)),
            "hanging" => std::future::pending().await,
            "panicking" => panic!("a bug in a source"),
            _ => Ok(()),
        }
    }
}

#[async_trait]
impl Source for DatabaseSource {
    fn capabilities(&self) -> Capabilities {
        Capabilities::default()
    }

    async fn check(&self) -> Result<(), SourceError> {
        self.answer().await
    }

    async fn discover(&self) -> Result<Vec<StreamSpec>, SourceError> {
        self.answer().await?;
        let count = if self.host == "crowded" { 10_001 } else { 2 };
        let stream = |index| StreamSpec {
            name: StreamName::new(&format!("table_{index}")).unwrap(),
            schema: json!({"type": "object", "properties": {"id": {"type": "integer"}}}),
            primary_key: vec!["id".to_owned()],
            cursor_field: Some("at".to_owned()),
            estimated_records: Some(7),
        };
        Ok((0..count).map(stream).collect())
    }

    async fn read(&self, _: ReadRequest, _: Outlet) -> Result<(), SourceError> {
        self.answer().await
    }
}
