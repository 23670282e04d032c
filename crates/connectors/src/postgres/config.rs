//! What a user sets: which server, who logs in and how, and how gently it is read.

use std::sync::Arc;
use std::time::Duration;

use inlet_model::fields::{FieldErrors, Fields};
use inlet_source::{Capabilities, ConnectorType, Egress, Environment, Source};
use rustls::ClientConfig;
use serde_json::{Value, json};
use tokio::sync::Semaphore;

use super::PostgresSource;
use super::client::connections::Connections;
use super::client::tls::{self, Pem, SslMode};
use super::lag::{self, Lag};

/// How long the server may be silent.
const PATIENCE: Duration = Duration::from_secs(600);
/// The longest name, in characters.
const MAX_NAME: usize = 255;
/// The longest text in PEM.
const MAX_PEM: usize = 64 << 10;
/// The most connections that are asked for.
const MAX_CONNECTIONS: u64 = 1000;
/// The most schemas that are named.
const MAX_SCHEMAS: usize = 1000;

/// What every source of this type promises.
pub(super) const CAPABILITIES: Capabilities = Capabilities {
    resumable_listing: true,
    incremental: true,
    tells_unchanged: false,
    certified_listing: true,
    verify_absent: true,
};

/// The connector type `postgres`.
#[derive(Debug)]
pub struct Postgres {
    connections: Connections,
    patience: Duration,
}

impl Default for Postgres {
    fn default() -> Self {
        Self { connections: Connections::default(), patience: PATIENCE }
    }
}

impl Postgres {
    /// The type that waits so long for a server that is silent.
    #[must_use]
    pub fn with_patience(self, patience: Duration) -> Self {
        Self { patience, ..self }
    }

    /// Checks a config, naming every bad field.
    fn read_config(&self, value: Value, egress: Egress) -> Result<Settings, FieldErrors> {
        let mut fields = Fields::new(value)?;
        let host = fields.required_text("host", MAX_NAME);
        let port =
            fields.integer("port", 1..=65535).and_then(|port| u16::try_from(port).ok()).unwrap_or(5432);
        let database = fields.required_text("database", MAX_NAME);
        let user = fields.required_text("user", MAX_NAME);
        let password = fields.text("password", MAX_NAME);
        let ssl_mode = fields.choice("ssl_mode", &SslMode::CHOICES).unwrap_or(SslMode::Prefer);
        let tls = read_tls(&mut fields, ssl_mode);
        let schemas = read_schemas(&mut fields);
        let consistent_snapshot = fields.boolean("consistent_snapshot").unwrap_or_default();
        let cursor_lag = read_duration(&mut fields, "cursor_lag", Lag::parse);
        let detect_deletes = fields.boolean("detect_deletes").unwrap_or_default();
        let max_connections = fields.integer("max_connections", 1..=MAX_CONNECTIONS);
        let statement_timeout = read_duration(&mut fields, "statement_timeout", lag::parse_duration);
        refuse_zero_bytes(
            &mut fields,
            &[("host", &host), ("database", &database), ("user", &user), ("password", &password)],
        );
        fields.finish()?;
        let given = "a field that is missing has left an error";
        let (host, database, user) = (host.expect(given), database.expect(given), user.expect(given));
        let connections = max_connections
            .and_then(|most| usize::try_from(most).ok())
            .map(|most| self.connections.of((host.clone(), port, database.clone(), user.clone(), most)));
        Ok(Settings {
            host,
            port,
            database,
            user,
            password,
            ssl_mode,
            tls,
            schemas,
            consistent_snapshot,
            cursor_lag,
            detect_deletes,
            connections,
            statement_timeout,
            patience: self.patience,
            egress,
        })
    }
}

/// What a source works by.
pub(super) struct Settings {
    /// A name, an address, or the directory of a socket.
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) database: String,
    pub(super) user: String,
    pub(super) password: Option<String>,
    pub(super) ssl_mode: SslMode,
    pub(super) tls: Option<Arc<ClientConfig>>,
    /// The schemas that are looked at; `None`: all but the server's own.
    pub(super) schemas: Option<Vec<String>>,
    /// Whether everything a sync reads is of one moment.
    pub(super) consistent_snapshot: bool,
    /// How much later than others a row may appear.
    pub(super) cursor_lag: Option<Lag>,
    /// Whether incremental syncs look for rows that are gone.
    pub(super) detect_deletes: bool,
    /// What a connection holds while it stands, if there may be only so many.
    pub(super) connections: Option<Arc<Semaphore>>,
    pub(super) statement_timeout: Option<Duration>,
    /// How long the server may be silent.
    pub(super) patience: Duration,
    pub(super) egress: Egress,
}

impl std::fmt::Debug for Settings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Settings").field("host", &self.host).field("port", &self.port).finish_non_exhaustive()
    }
}

impl ConnectorType for Postgres {
    fn name(&self) -> &'static str {
        "postgres"
    }

    fn summary(&self) -> &'static str {
        "Reads the tables and views of a PostgreSQL database, each value exactly, and each change at least once"
    }

    fn capabilities(&self) -> Capabilities {
        CAPABILITIES
    }

    fn config_schema(&self) -> Value {
        let name = |title: &str, description: &str| json!({"type": "string", "title": title, "description": description, "minLength": 1, "maxLength": MAX_NAME});
        let duration = |title: &str, description: &str, pattern: &str, example: &str| json!({"type": "string", "title": title, "description": description, "pattern": pattern, "examples": [example]});
        let pem = |title: &str, description: &str| json!({"type": "string", "title": title, "description": description, "minLength": 1, "maxLength": MAX_PEM});
        let flag = |title: &str, description: &str| json!({"type": "boolean", "title": title, "description": description, "default": false});
        let mut schema = json!({
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "type": "object",
            "title": "PostgreSQL database",
            "description": "A PostgreSQL database, version 12 or later; its tables and views are the streams.",
            "required": ["host", "database", "user"],
            "examples": [
                {"host": "db.example.com", "database": "shop", "user": "inlet", "ssl_mode": "verify-full"},
                {"host": "/var/run/postgresql", "database": "shop", "user": "inlet"},
            ],
            "additionalProperties": false,
            "properties": {
                "host": name("Host", "The server's name or address, or the directory of its socket."),
                "port": {"type": "integer", "title": "Port", "description": "The server's port.",
                         "minimum": 1, "maximum": 65535, "default": 5432},
                "database": name("Database", "The database's name."),
                "user": name("User", "The role that logs in; SELECT on what is to be read is all it needs."),
                "password": name("Password", "The role's password, if the server asks for one."),
                "ssl_mode": {"type": "string", "title": "TLS", "default": "prefer",
                             "enum": SslMode::CHOICES.map(|(name, _)| name),
                             "description": "How far the connection is protected, as libpq's sslmode says it."},
                "ssl_root_cert": pem("Certificate authority", "Whose certificates are trusted, in PEM; else those this system trusts."),
                "ssl_cert": pem("Client certificate", "The certificate to log in with, in PEM."),
                "ssl_key": pem("Client key", "The key of the client certificate, in PEM."),
                "schemas": {"type": "array", "title": "Schemas", "minItems": 1, "maxItems": MAX_SCHEMAS,
                            "items": {"type": "string", "minLength": 1, "maxLength": MAX_NAME},
                            "description": "The schemas to look at; all but the server's own if it is left out."},
                "consistent_snapshot": flag("One moment", "Read everything as it was at one moment, in one long transaction."),
                "cursor_lag": duration("Cursor lag", "How much later than others a row may appear: a duration, or a number for a cursor field of numbers.", Lag::PATTERN, "10m"),
                "detect_deletes": flag("Detect deletes", "Let incremental syncs also look for rows that are gone."),
                "max_connections": {"type": "integer", "title": "Connections", "minimum": 1, "maximum": MAX_CONNECTIONS,
                    "description": "How many connections there may be at once, of all connectors with this server, database and role."},
                "statement_timeout": duration("Statement timeout", "The longest a statement may take on the server.", lag::DURATION, "30m"),
            },
        });
        for secret in ["password", "ssl_key"] {
            schema["properties"][secret]["writeOnly"] = json!(true);
        }
        for destination in ["host", "port", "ssl_mode", "ssl_root_cert"] {
            schema["properties"][destination][inlet_source::config_marks::SECRET_DESTINATION] = json!(true);
        }
        schema
    }

    fn docs(&self) -> &'static str {
        include_str!("docs.md")
    }

    fn build(&self, config: Value, environment: &Environment) -> Result<Box<dyn Source>, FieldErrors> {
        let settings = self.read_config(config, environment.egress)?;
        Ok(Box::new(PostgresSource(Arc::new(settings))))
    }
}

/// The protocol ends texts with a zero.
fn refuse_zero_bytes(fields: &mut Fields, texts: &[(&'static str, &Option<String>)]) {
    for (name, text) in texts {
        if text.as_ref().is_some_and(|text| text.contains('\0')) {
            fields.refuse(
                name,
                "postgres.zero_character",
                format!("`{name}` cannot hold the character U+0000"),
            );
        }
    }
}

fn read_tls(fields: &mut Fields, mode: SslMode) -> Option<Arc<ClientConfig>> {
    let pem = Pem {
        roots: fields.text("ssl_root_cert", MAX_PEM),
        certificate: fields.text("ssl_cert", MAX_PEM),
        key: fields.text("ssl_key", MAX_PEM),
    };
    match (&pem.certificate, &pem.key) {
        (Some(_), None) => fields.refuse("ssl_key", "field.required", "`ssl_cert` needs its `ssl_key`"),
        (None, Some(_)) => fields.refuse("ssl_cert", "field.required", "`ssl_key` needs its `ssl_cert`"),
        _ => match tls::client_config(mode, &pem) {
            Ok(config) => return config,
            Err((field, detail)) => fields.refuse(field, "postgres.bad_certificate", detail),
        },
    }
    None
}

fn read_schemas(fields: &mut Fields) -> Option<Vec<String>> {
    let schemas = fields.strings("schemas")?;
    if schemas.is_empty() || schemas.len() > MAX_SCHEMAS {
        let detail = format!("`schemas` names 1 to {MAX_SCHEMAS} schemas, found {}", schemas.len());
        fields.refuse("schemas", "field.length", detail);
    }
    let is_bad = |name: &String| name.is_empty() || name.chars().count() > MAX_NAME || name.contains('\0');
    if schemas.iter().any(is_bad) {
        fields.refuse(
            "schemas",
            "field.length",
            format!("the name of a schema has 1 to {MAX_NAME} characters"),
        );
    }
    Some(schemas)
}

fn read_duration<T>(fields: &mut Fields, name: &'static str, parse: impl Fn(&str) -> Option<T>) -> Option<T> {
    let text = fields.string(name)?;
    let read = parse(&text);
    if read.is_none() {
        fields.refuse(
            name,
            "field.duration",
            format!("`{name}` is a duration such as `90s`, `10m`, `2h` or `1d`, found `{text}`"),
        );
    }
    read
}
