//! How a command says what went wrong: a sentence, a code, a hint, and an exit code.

use std::fmt;
use std::io;
use std::process::ExitCode;

use inlet_model::fields::{FieldError, FieldErrors};

/// Why a command did not succeed.
#[derive(Debug)]
pub(crate) enum CommandError {
    /// Something to tell the user.
    Complaint(Box<Complaint>),
    /// Whoever read our output has seen enough: no failure.
    OutputClosed,
}

/// Whose fault it is, as the exit code tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Blame {
    /// Exit code 1.
    Failure,
    /// Exit code 2.
    Input,
}

/// What is told the user.
#[derive(Debug)]
pub(crate) struct Complaint {
    blame: Blame,
    code: String,
    message: String,
    hint: Option<String>,
    fields: Vec<BadField>,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

/// A field of the input that is not valid.
#[derive(Debug, Clone, PartialEq, Eq, serde::Deserialize)]
pub(crate) struct BadField {
    /// Where it stands, as a JSON Pointer.
    pub(crate) pointer: String,
    /// Stable and dotted.
    pub(crate) code: String,
    /// A sentence a person can act on.
    pub(crate) detail: String,
}

impl CommandError {
    /// Something failed that was not the user's doing.
    pub(crate) fn failure(code: impl Into<String>, message: impl Into<String>) -> Complaint {
        Complaint::new(Blame::Failure, code.into(), message.into())
    }

    /// What the user asked for cannot be.
    pub(crate) fn input(code: impl Into<String>, message: impl Into<String>) -> Complaint {
        Complaint::new(Blame::Input, code.into(), message.into())
    }

    /// The exit code of the process.
    pub(crate) fn exit_code(&self) -> ExitCode {
        match self {
            Self::OutputClosed => ExitCode::SUCCESS,
            Self::Complaint(complaint) if complaint.blame == Blame::Input => ExitCode::from(2),
            Self::Complaint(_) => ExitCode::FAILURE,
        }
    }
}

impl Complaint {
    fn new(blame: Blame, code: String, message: String) -> Self {
        Self { blame, code, message, hint: None, fields: Vec::new(), source: None }
    }

    /// Adds what a person can do about it.
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Names the fields that are not valid.
    pub(crate) fn fields(mut self, fields: Vec<BadField>) -> Self {
        self.fields = fields;
        self
    }

    /// Attaches the cause.
    pub(crate) fn because(mut self, cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        self.source = Some(cause.into());
        self
    }
}

impl Complaint {
    /// What happened and why, without code and hint.
    pub(crate) fn in_a_line(&self) -> String {
        let mut line = self.message.clone();
        let mut cause = self.source.as_deref().map(|cause| cause as &dyn std::error::Error);
        while let Some(error) = cause {
            line.push_str(": ");
            line.push_str(&error.to_string());
            cause = error.source();
        }
        line
    }
}

impl fmt::Display for Complaint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "error: {}", self.message)?;
        for field in &self.fields {
            let place = if field.pointer.is_empty() { "/" } else { &field.pointer };
            writeln!(f, "  {place}: {} ({})", field.detail, field.code)?;
        }
        let mut cause = self.source.as_deref().map(|cause| cause as &dyn std::error::Error);
        while let Some(error) = cause {
            writeln!(f, "cause: {error}")?;
            cause = error.source();
        }
        write!(f, "code: {}", self.code)?;
        if let Some(hint) = &self.hint {
            write!(f, "\nhint: {hint}")?;
        }
        Ok(())
    }
}

impl From<Complaint> for CommandError {
    fn from(complaint: Complaint) -> Self {
        Self::Complaint(Box::new(complaint))
    }
}

/// An error of writing the output; every other use of the disk or the network says what it was about.
impl From<io::Error> for CommandError {
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::BrokenPipe {
            return Self::OutputClosed;
        }
        Self::failure("output.failed", "the output could not be written").because(error).into()
    }
}

impl From<FieldError> for BadField {
    fn from(error: FieldError) -> Self {
        Self { pointer: error.pointer, code: error.code.to_owned(), detail: error.detail }
    }
}

/// The fields of a list of errors.
pub(crate) fn bad_fields(errors: FieldErrors) -> Vec<BadField> {
    errors.0.into_iter().map(BadField::from).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_complaint_shows_sentence_fields_causes_code_and_hint() {
        let field = |pointer: &str, detail: &str| BadField {
            pointer: pointer.to_owned(),
            code: "field.required".to_owned(),
            detail: detail.to_owned(),
        };
        let complaint = CommandError::input("request.invalid", "the connector is not valid")
            .fields(vec![field("/config/path", "`path` is required"), field("", "it is required")])
            .because(io::Error::other("disk on fire"))
            .hint("see docs/cli.md");
        insta::assert_snapshot!(complaint.to_string(), @r"
        error: the connector is not valid
          /config/path: `path` is required (field.required)
          /: it is required (field.required)
        cause: disk on fire
        code: request.invalid
        hint: see docs/cli.md
        ");
    }

    #[test]
    fn a_reader_that_went_away_is_no_failure() {
        let gone = CommandError::from(io::Error::from(io::ErrorKind::BrokenPipe));
        assert_eq!(gone.exit_code(), ExitCode::SUCCESS);
        let full = CommandError::from(io::Error::from(io::ErrorKind::StorageFull));
        assert_eq!(full.exit_code(), ExitCode::FAILURE);
    }
}
