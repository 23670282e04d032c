//! What an error of the server means: its kind, and what a person can do about it.
//!
//! By SQLSTATE: <https://www.postgresql.org/docs/current/errcodes-appendix.html>.

use fallible_iterator::FallibleIterator;
use inlet_source::{ErrorKind, SourceError};
use postgres_protocol::message::backend::ErrorFields;

/// What the server said when it refused something.
#[derive(Debug, Clone, Default, PartialEq, Eq, thiserror::Error)]
#[error("{severity} {code}: {message}")]
pub(in crate::postgres) struct Refusal {
    pub(in crate::postgres) severity: String,
    pub(in crate::postgres) code: String,
    pub(in crate::postgres) message: String,
    detail: Option<String>,
}

impl Refusal {
    /// Reads the fields of an error message; those that cannot be read are left out.
    pub(in crate::postgres) fn read(mut fields: ErrorFields<'_>) -> Self {
        let mut refusal = Self::default();
        while let Ok(Some(field)) = fields.next() {
            let text = String::from_utf8_lossy(field.value_bytes()).into_owned();
            match field.type_() {
                b'V' => refusal.severity = text,
                // Older servers say the severity only in their language.
                b'S' if refusal.severity.is_empty() => refusal.severity = text,
                b'C' => refusal.code = text,
                b'M' => refusal.message = text,
                b'D' => refusal.detail = Some(text),
                _ => {}
            }
        }
        refusal
    }

    /// The error as the source reports it.
    pub(in crate::postgres) fn into_error(self, operation: &'static str) -> SourceError {
        let (kind, hint) = meaning(&self.code);
        let said = match &self.detail {
            Some(detail) => format!("{} ({detail})", self.message),
            None => self.message.clone(),
        };
        let error = SourceError::new(kind, operation, format!("the server says: {said}"));
        let error = error.with("SQLSTATE", &self.code);
        let error = match hint {
            Some(hint) => error.hint(hint),
            None => error,
        };
        error.because(self)
    }
}

fn meaning(code: &str) -> (ErrorKind, Option<&'static str>) {
    use ErrorKind::{Changed, Config, Denied, Format, NotFound, TimedOut, Unavailable};
    match code {
        "28P01" => (Denied, Some("check `user` and `password`")),
        "28000" => (
            Denied,
            Some("the role may not log in from here: check `user`, `ssl_mode`, and the server's pg_hba.conf"),
        ),
        "3D000" => (NotFound, Some("check `database`; `psql -l` lists those there are")),
        "42501" => (Denied, Some("let the role read it: GRANT USAGE ON SCHEMA …; GRANT SELECT ON …")),
        "42P01" | "42703" | "3F000" => {
            (Changed, Some("a table or column is gone or was renamed; the next sync looks again"))
        }
        "53300" => {
            (Unavailable, Some("the server has no connection left: raise max_connections or use a pooler"))
        }
        "55P03" => (Unavailable, Some("another session keeps the table locked")),
        "57014" => (TimedOut, Some("raise `statement_timeout`, or that of the role on the server")),
        "40001" | "40P01" => {
            (Unavailable, Some("a standby cancels long reads: see max_standby_streaming_delay"))
        }
        "57P03" => (Unavailable, Some("the server is starting up or shutting down")),
        _ => match code.get(..2).unwrap_or_default() {
            "08" | "53" | "57" | "58" | "25" => (Unavailable, None),
            "22" | "XX" => (Format, None),
            "28" => (Denied, None),
            _ => (Config, None),
        },
    }
}
