//! `postgres://user@host/database`: a connection as PostgreSQL's own programs take it.
//!
//! <https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNSTRING-URIS>. What a URL leaves out is taken from
//! `PGUSER` and `PGPASSWORD`, where `ps` does not show it.

use std::fs;

use percent_encoding::percent_decode_str;
use serde_json::{Value, json};
use url::Url;

use crate::errors::CommandError;

/// What a URL says.
#[derive(Debug)]
pub(super) struct DatabaseUrl {
    /// The database's name.
    pub(super) name: String,
    /// The URL without its password.
    pub(super) shown: String,
    /// The config of a connector.
    pub(super) config: Value,
}

/// Parameters, and the fields of the config that they become. The last of each is whether it names a file.
const PARAMETERS: [(&str, &str, bool); 8] = [
    ("host", "host", false),
    ("user", "user", false),
    ("password", "password", false),
    ("dbname", "database", false),
    ("sslmode", "ssl_mode", false),
    ("sslrootcert", "ssl_root_cert", true),
    ("sslcert", "ssl_cert", true),
    ("sslkey", "ssl_key", true),
];

impl DatabaseUrl {
    /// Reads `source`, if it is a database's URL.
    pub(super) fn of(source: &str) -> Result<Option<Self>, CommandError> {
        Self::read(source, |name| std::env::var(name).ok())
    }

    fn read(source: &str, variable: impl Fn(&str) -> Option<String>) -> Result<Option<Self>, CommandError> {
        if !["postgres://", "postgresql://"].iter().any(|scheme| source.starts_with(scheme)) {
            return Ok(None);
        }
        let url = Url::parse(source).map_err(|error| bad("it is no URL").because(error))?;
        let mut config = json!({});
        let mut set = |field: &str, text: &str| {
            if !text.is_empty() {
                config[field] = json!(text);
            }
        };
        set("host", &decoded(url.host_str().unwrap_or_default())?);
        set("database", &decoded(url.path().trim_start_matches('/'))?);
        set("user", &decoded(url.username())?);
        set("password", &decoded(url.password().unwrap_or_default())?);
        for (name, value) in url.query_pairs() {
            let known = PARAMETERS.iter().find(|(parameter, ..)| *parameter == name);
            let Some((_, field, is_file)) = known else { return Err(unknown(&name).into()) };
            if *is_file {
                let text = fs::read_to_string(&*value);
                set(field, &text.map_err(|error| bad(&format!("`{value}` cannot be read")).because(error))?);
            } else {
                set(field, &value);
            }
        }
        for (field, name) in [("user", "PGUSER"), ("password", "PGPASSWORD")] {
            if let Some(text) = variable(name).filter(|_| config[field].is_null()) {
                config[field] = json!(text);
            }
        }
        if let Some(port) = url.port() {
            config["port"] = json!(port);
        }
        if config["user"].is_null() {
            return Err(bad("it names no user")
                .hint("say postgres://USER@HOST/DATABASE, or set PGUSER")
                .into());
        }
        // A server on this machine, and a database named as the user, as `psql` has it.
        let defaults = [("host", json!("localhost")), ("database", config["user"].clone())];
        for (field, value) in defaults {
            if config[field].is_null() {
                config[field] = value;
            }
        }
        let name = config["database"].as_str().unwrap_or_default().to_owned();
        let shown = format!("postgres://{}/{name}", config["host"].as_str().unwrap_or_default());
        Ok(Some(Self { name, shown, config }))
    }
}

fn decoded(text: &str) -> Result<String, CommandError> {
    let decoded = percent_decode_str(text).decode_utf8();
    Ok(decoded.map_err(|error| bad("a part of it is not UTF-8").because(error))?.into_owned())
}

fn bad(why: &str) -> crate::errors::Complaint {
    CommandError::input("input.source", format!("the database's URL cannot be used: {why}"))
}

fn unknown(name: &str) -> crate::errors::Complaint {
    let known: Vec<&str> = PARAMETERS.iter().map(|(name, ..)| *name).collect();
    bad(&format!("`{name}` is no parameter here")).hint(format!("the parameters are {}", known.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(source: &str) -> Value {
        DatabaseUrl::read(source, |name| (name == "PGPASSWORD").then(|| "from outside".into()))
            .unwrap()
            .unwrap()
            .config
    }

    #[test]
    fn a_url_becomes_a_config() {
        assert_eq!(
            config("postgres://in%40let:s%2Fw@db.example.com:6543/shop?sslmode=verify-full"),
            json!({"host": "db.example.com", "port": 6543, "database": "shop", "user": "in@let", "password": "s/w",
                   "ssl_mode": "verify-full"})
        );
        assert_eq!(
            config("postgresql://inlet@%2Fvar%2Frun%2Fpostgresql"),
            json!({"host": "/var/run/postgresql", "database": "inlet", "user": "inlet", "password": "from outside"})
        );
        assert_eq!(config("postgres:///shop?user=u&host=/tmp")["host"], "/tmp");
    }

    #[test]
    fn what_is_shown_has_no_password() {
        let url = DatabaseUrl::read("postgres://u:secret@h/d", |_| None).unwrap().unwrap();
        assert_eq!((url.shown.as_str(), url.name.as_str()), ("postgres://h/d", "d"));
    }

    #[test]
    fn what_cannot_be_meant_is_refused() {
        assert!(DatabaseUrl::read("shop.db", |_| None).unwrap().is_none());
        for bad in [
            "postgres://h/d",
            "postgres://u@h:x/d",
            "postgres://u@h/d?sslmod=require",
            "postgres://u@h/d?sslcert=/nowhere",
        ] {
            assert!(DatabaseUrl::read(bad, |_| None).is_err(), "{bad}");
        }
    }
}
