//! Putting texts into paths and queries.

use std::fmt::Write as _;

/// `text` as one segment of a path, or a value of a query: everything but RFC 3986's unreserved characters is escaped.
pub(crate) fn segment(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            escaped.push(char::from(byte));
        } else {
            write!(escaped, "%{byte:02X}").expect("a string takes everything");
        }
    }
    escaped
}

/// The query of an address, parameter by parameter.
#[derive(Debug, Clone, Default)]
pub(crate) struct Query(String);

impl Query {
    /// Adds a parameter if it has a value.
    pub(crate) fn with(mut self, name: &str, value: Option<&str>) -> Self {
        if let Some(value) = value {
            let mark = if self.0.is_empty() { '?' } else { '&' };
            self.0.push(mark);
            self.0.push_str(name);
            self.0.push('=');
            self.0.push_str(&segment(value));
        }
        self
    }

    /// `path` with this query.
    pub(crate) fn of(&self, path: &str) -> String {
        format!("{path}{}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_unreserved_characters_stand_as_they_are() {
        assert_eq!(segment("a-b._~9"), "a-b._~9");
        assert_eq!(segment("[\"é/\",1]?"), "%5B%22%C3%A9%2F%22%2C1%5D%3F");
    }

    #[test]
    fn parameters_without_a_value_are_left_out() {
        let query =
            Query::default().with("stream", None).with("limit", Some("5")).with("cursor", Some("a=b&"));
        assert_eq!(query.of("/v1/x"), "/v1/x?limit=5&cursor=a%3Db%26");
        assert_eq!(Query::default().of("/v1/x"), "/v1/x");
    }
}
