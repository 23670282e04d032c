//! Query parameters, read strictly: an unknown one is an error, not a wish that is passed over in silence.

use std::str::Utf8Error;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;

use crate::app::Api;
use crate::codes::Code;
use crate::problem::Problem;

/// The parameters of a request. Each is taken by its name; [`finish`](Query::finish) refuses those that are left.
#[derive(Debug)]
pub(crate) struct Query {
    pairs: Vec<(String, String)>,
    known: Vec<&'static str>,
    /// What a list was narrowed to so far.
    narrowed: String,
}

impl Query {
    /// Reads the text behind the `?`.
    pub(crate) fn parse(text: &str) -> Result<Self, Problem> {
        let mut pairs: Vec<(String, String)> = Vec::new();
        for part in text.split('&').filter(|part| !part.is_empty()) {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            let (Ok(name), Ok(value)) = (decode(name), decode(value)) else {
                let detail = "The query is not UTF-8 once its `%` escapes are resolved.";
                return Err(Problem::new(Code::InvalidParameter, detail));
            };
            if pairs.iter().any(|(known, _)| *known == name) {
                return Err(Self::invalid(&name, "is given twice; give it once"));
            }
            pairs.push((name, value));
        }
        Ok(Self { pairs, known: Vec::new(), narrowed: String::new() })
    }

    /// The parameter's text, if it is given.
    pub(crate) fn take(&mut self, name: &'static str) -> Option<String> {
        self.known.push(name);
        let index = self.pairs.iter().position(|(given, _)| given == name)?;
        Some(self.pairs.remove(index).1)
    }

    /// The text of a parameter that narrows a list or orders it: the list's cursors are good for no other text.
    pub(crate) fn narrow(&mut self, name: &'static str) -> Option<String> {
        let value = self.take(name)?;
        // Quoted, so that no two wishes are written alike.
        self.narrowed.push_str(&format!(" {name}={value:?}"));
        Some(value)
    }

    /// Everything that [`narrow`](Self::narrow) gave.
    pub(crate) fn narrowed(&self) -> &str {
        &self.narrowed
    }

    /// The parameter as `true` or `false`; `false` if it is not given.
    pub(crate) fn flag(&mut self, name: &'static str) -> Result<bool, Problem> {
        match self.take(name).as_deref() {
            None | Some("false") => Ok(false),
            Some("true") => Ok(true),
            Some(_) => Err(Self::invalid(name, "is `true` or `false`")),
        }
    }

    /// Refuses what nobody asked for, all of it at once.
    pub(crate) fn finish(self) -> Result<(), Problem> {
        if self.pairs.is_empty() {
            return Ok(());
        }
        let quoted =
            |names: Vec<&str>| names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
        let unknown = quoted(self.pairs.iter().map(|(name, _)| name.as_str()).collect());
        let known = match self.known.as_slice() {
            [] => "this call takes none".to_owned(),
            known => format!("this call takes {}", quoted(known.to_vec())),
        };
        Err(Problem::new(Code::UnknownParameter, format!("Not a query parameter here: {unknown}; {known}.")))
    }

    /// The parameter `name` is wrong; `what` goes on after its name.
    pub(crate) fn invalid(name: &str, what: &str) -> Problem {
        Problem::new(Code::InvalidParameter, format!("The query parameter `{name}` {what}."))
    }
}

impl FromRequestParts<Api> for Query {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &Api) -> Result<Self, Problem> {
        Self::parse(parts.uri.query().unwrap_or_default())
    }
}

/// For calls that take no parameters: refuses any.
#[derive(Debug)]
pub(crate) struct NoQuery;

impl FromRequestParts<Api> for NoQuery {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &Api) -> Result<Self, Problem> {
        Query::parse(parts.uri.query().unwrap_or_default())?.finish().map(|()| Self)
    }
}

/// Resolves `+` and `%` escapes, as HTML forms write them. A `%` that begins no escape stands for itself.
fn decode(text: &str) -> Result<String, Utf8Error> {
    let hex = |byte: Option<&u8>| byte.and_then(|byte| char::from(*byte).to_digit(16));
    let mut rest = text.as_bytes();
    let mut bytes = Vec::with_capacity(rest.len());
    while let Some((&first, after)) = rest.split_first() {
        rest = after;
        match (first, hex(after.first()), hex(after.get(1))) {
            (b'%', Some(high), Some(low)) => {
                bytes.push(u8::try_from(high << 4 | low).expect("two hexadecimal digits are a byte"));
                rest = &after[2..];
            }
            (b'+', ..) => bytes.push(b' '),
            _ => bytes.push(first),
        }
    }
    String::from_utf8(bytes).map_err(|error| error.utf8_error())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_resolved() {
        let mut query = Query::parse("stream=a%2Fb+c%C3%A9&empty=&bare&odd=%zz%4").unwrap();
        assert_eq!(query.take("stream").as_deref(), Some("a/b cé"));
        assert_eq!(query.take("empty").as_deref(), Some(""));
        assert_eq!(query.take("bare").as_deref(), Some(""));
        assert_eq!(query.take("odd").as_deref(), Some("%zz%4"));
        assert_eq!(query.take("gone"), None);
        assert!(query.finish().is_ok());
    }

    #[test]
    fn bad_utf8_repeated_and_unknown_parameters_are_refused() {
        assert_eq!(Query::parse("a=%FF").unwrap_err().code(), Code::InvalidParameter);
        assert_eq!(Query::parse("a=1&a=1").unwrap_err().code(), Code::InvalidParameter);
        let mut query = Query::parse("limit=1&color=red&size=2").unwrap();
        query.take("limit");
        assert_eq!(query.finish().unwrap_err().code(), Code::UnknownParameter);
    }

    #[test]
    fn a_flag_is_true_or_false() {
        assert!(Query::parse("cascade=true").unwrap().flag("cascade").unwrap());
        assert!(!Query::parse("").unwrap().flag("cascade").unwrap());
        assert!(Query::parse("cascade=1").unwrap().flag("cascade").is_err());
    }
}
