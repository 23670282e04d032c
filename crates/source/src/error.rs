//! What goes wrong in a source, in closed kinds.

use std::fmt;
use std::time::Duration;

use inlet_model::sync::Failure;

/// What kind of thing went wrong. The kind decides whether the engine tries again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// The config asks for something that cannot be: a stream that does not exist, a path outside the roots.
    Config,
    /// The source is not there: a file or a host that does not exist.
    NotFound,
    /// The source refuses: wrong credentials, missing rights.
    Denied,
    /// The source is there and does not answer, or broke off. Passes by itself.
    Unavailable,
    /// The source took longer than allowed. Passes by itself.
    TimedOut,
    /// The source wants to be left alone for a while: too many calls. Passes by itself.
    RateLimited,
    /// The source changed while it was read. The next sync reads it again.
    Changed,
    /// What the source holds is not of the stated format.
    Format,
    /// Something beyond a stated limit.
    Limit,
    /// A mistake in Inlet.
    Internal,
}

impl ErrorKind {
    /// Every kind.
    pub const ALL: [Self; 10] = [
        Self::Config,
        Self::NotFound,
        Self::Denied,
        Self::Unavailable,
        Self::TimedOut,
        Self::RateLimited,
        Self::Changed,
        Self::Format,
        Self::Limit,
        Self::Internal,
    ];

    /// Stable and dotted: the code in a sync's `error`.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Config => "source.config",
            Self::NotFound => "source.not_found",
            Self::Denied => "source.denied",
            Self::Unavailable => "source.unavailable",
            Self::TimedOut => "source.timed_out",
            Self::RateLimited => "source.rate_limited",
            Self::Changed => "source.changed",
            Self::Format => "source.format",
            Self::Limit => "source.limit",
            Self::Internal => "source.internal",
        }
    }

    /// Whether trying again may help without anybody changing anything.
    #[must_use]
    pub fn is_temporary(self) -> bool {
        matches!(self, Self::Unavailable | Self::TimedOut | Self::RateLimited | Self::Changed)
    }
}

/// An error of a source: kind, operation, what it was about, and the cause.
#[derive(Debug)]
pub struct SourceError {
    kind: ErrorKind,
    operation: &'static str,
    message: String,
    context: Vec<(&'static str, String)>,
    hint: Option<Box<str>>,
    retry_after: Option<Duration>,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl SourceError {
    /// An error of `kind` while doing `operation` (such as `open file`); `message` is a sentence a person can act on.
    #[must_use]
    pub fn new(kind: ErrorKind, operation: &'static str, message: impl Into<String>) -> Self {
        Self {
            kind,
            operation,
            message: message.into(),
            context: Vec::new(),
            hint: None,
            retry_after: None,
            source: None,
        }
    }

    /// Adds what the operation was about. Never a secret.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl fmt::Display) -> Self {
        self.context.push((name, value.to_string()));
        self
    }

    /// Adds what a person can do about it.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into().into_boxed_str());
        self
    }

    /// Adds how long the source wants to be left alone, as it said itself.
    #[must_use]
    pub fn retry_after(mut self, duration: Duration) -> Self {
        self.retry_after = Some(duration);
        self
    }

    /// Attaches the cause.
    #[must_use]
    pub fn because(mut self, cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        self.source = Some(cause.into());
        self
    }

    /// The error with each of its texts changed, those of its causes too: for taking secrets out that a driver repeats.
    #[must_use]
    pub fn redacted(self, redact: impl Fn(String) -> String) -> Self {
        let causes = std::iter::successors(std::error::Error::source(&self), |error| error.source());
        let causes: Vec<String> = causes.map(ToString::to_string).collect();
        let cause = (!causes.is_empty()).then(|| redact(causes.join(": ")).into());
        Self {
            message: redact(self.message),
            context: self.context.into_iter().map(|(name, value)| (name, redact(value))).collect(),
            hint: self.hint.map(|hint| redact(hint.into()).into()),
            source: cause,
            ..self
        }
    }

    /// The kind.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// How long the source wants to be left alone, if it said so.
    #[must_use]
    pub fn asks_to_wait(&self) -> Option<Duration> {
        self.retry_after
    }

    /// The error as a sync shows it: without the cause, which is for the log.
    #[must_use]
    pub fn to_failure(&self) -> Failure {
        Failure {
            code: self.kind.code().to_owned(),
            message: self.to_string(),
            hint: self.hint.as_deref().map(str::to_owned),
            retryable: self.kind.is_temporary(),
        }
    }
}

impl fmt::Display for SourceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.operation, self.message)?;
        for (index, (name, value)) in self.context.iter().enumerate() {
            let opening = if index == 0 { " (" } else { ", " };
            write!(f, "{opening}{name}: {value}")?;
        }
        if !self.context.is_empty() { f.write_str(")") } else { Ok(()) }
    }
}

impl std::error::Error for SourceError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_deref().map(|cause| cause as &(dyn std::error::Error + 'static))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shows_operation_message_and_context_but_not_the_cause() {
        let error = SourceError::new(ErrorKind::NotFound, "open file", "there is no such file")
            .with("path", "a.csv")
            .because("errno 2");
        assert_eq!(error.to_string(), "open file: there is no such file (path: a.csv)");
        assert_eq!(std::error::Error::source(&error).unwrap().to_string(), "errno 2");
        assert!(!error.to_failure().retryable);
    }

    #[test]
    fn no_text_of_a_redacted_error_has_what_was_taken_out() {
        let cause = SourceError::new(ErrorKind::Denied, "log in", "u:swordfish").because("swordfish again");
        let error = SourceError::new(ErrorKind::Unavailable, "connect", "swordfish is refused")
            .with("url", "db://u:swordfish@host")
            .hint("swordfish?")
            .because(cause);
        let error = error.redacted(|text| text.replace("swordfish", "***"));
        assert_eq!(error.kind(), ErrorKind::Unavailable);
        let cause = std::error::Error::source(&error).unwrap();
        assert_eq!(
            format!("{error} | {cause} | {:?}", error.to_failure().hint),
            "connect: *** is refused (url: db://u:***@host) | log in: u:***: *** again | Some(\"***?\")"
        );
        assert!(!format!("{error:?}").contains("swordfish"));
    }

    #[test]
    fn codes_are_distinct() {
        let mut codes: Vec<_> = ErrorKind::ALL.iter().map(|kind| kind.code()).collect();
        codes.dedup();
        assert_eq!(codes.len(), ErrorKind::ALL.len());
    }
}
