//! `If-Match`: a change or a delete that is only wanted if the connector is still as the caller saw it.

use axum::extract::FromRequestParts;
use axum::http::header::IF_MATCH;
use axum::http::request::Parts;

use crate::app::Api;
use crate::codes::Code;
use crate::problem::Problem;

/// The versions that the caller would accept.
#[derive(Debug)]
pub(crate) enum Precondition {
    /// Any: there is no `If-Match`, or it is `*`.
    Any,
    /// One of these entity tags, quotes included.
    OneOf(Vec<String>),
}

impl Precondition {
    /// Refuses a version that the caller did not name.
    pub(crate) fn check(&self, version: u64) -> Result<(), Problem> {
        let tag = format!("\"{version}\"");
        match self {
            Self::OneOf(tags) if !tags.contains(&tag) => {
                let detail = format!(
                    "The connector is now at version {version}, which `If-Match` does not name. Read it again, and \
                     decide whether your change still fits."
                );
                Err(Problem::new(Code::ConnectorChanged, detail))
            }
            _ => Ok(()),
        }
    }

    fn parse(text: &str) -> Option<Self> {
        if text.trim() == "*" {
            return Some(Self::Any);
        }
        let tags: Vec<String> = text.split(',').map(|tag| tag.trim().to_owned()).collect();
        let is_tag = |tag: &String| {
            let opaque = tag.strip_prefix("W/").unwrap_or(tag);
            opaque.len() >= 2 && opaque.starts_with('"') && opaque.ends_with('"')
        };
        tags.iter().all(is_tag).then_some(Self::OneOf(tags))
    }
}

impl FromRequestParts<Api> for Precondition {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &Api) -> Result<Self, Problem> {
        if !parts.headers.contains_key(IF_MATCH) {
            return Ok(Self::Any);
        }
        // A list may be sent in several lines.
        let lines: Option<Vec<&str>> =
            parts.headers.get_all(IF_MATCH).iter().map(|line| line.to_str().ok()).collect();
        let parsed = lines.and_then(|lines| Self::parse(&lines.join(",")));
        parsed.ok_or_else(|| {
            let detail = "`If-Match` is the `ETag` of a connector with its quotes, such as `\"3\"`, or `*`.";
            Problem::new(Code::InvalidHeader, detail)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passes(if_match: &str, version: u64) -> Option<bool> {
        Precondition::parse(if_match).map(|precondition| precondition.check(version).is_ok())
    }

    #[test]
    fn only_a_named_version_passes() {
        assert_eq!(passes("\"3\"", 3), Some(true));
        assert_eq!(passes("\"1\", \"3\"", 3), Some(true));
        assert_eq!(passes("*", 3), Some(true));
        assert_eq!(passes("\"2\"", 3), Some(false));
        assert_eq!(passes("W/\"3\"", 3), Some(false), "a weak tag never matches");
        for bad in ["", "3", "\"3", "\"3\",", "**"] {
            assert_eq!(passes(bad, 3), None, "{bad}");
        }
    }
}
