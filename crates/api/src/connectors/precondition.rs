//! `If-Match`: a change or a delete that is only wanted if the connector is still as the caller saw it.

use axum::extract::FromRequestParts;
use axum::http::header::IF_MATCH;
use axum::http::request::Parts;

use inlet_store::catalog::ExpectedVersion;

use crate::app::Api;
use crate::codes::Code;
use crate::problem::Problem;

/// The versions that the caller would accept: any, if there is no `If-Match`, or it is `*`.
#[derive(Debug)]
pub(crate) struct Precondition(pub(crate) ExpectedVersion);

impl Precondition {
    /// Refuses a version that the caller did not name.
    pub(crate) fn check(&self, version: u64) -> Result<(), Problem> {
        if self.0.allows(version) { Ok(()) } else { Err(Self::refused(version)) }
    }

    /// The answer to a caller who did not name the version that the connector has.
    pub(crate) fn refused(version: u64) -> Problem {
        let detail = format!(
            "The connector is now at version {version}, which `If-Match` does not name. Read it again, and decide \
             whether your change still fits."
        );
        Problem::new(Code::ConnectorChanged, detail)
    }

    fn parse(text: &str) -> Option<Self> {
        if text.trim() == "*" {
            return Some(Self(ExpectedVersion::Any));
        }
        let tags = || text.split(',').map(str::trim);
        let is_tag = |tag: &str| {
            let opaque = tag.strip_prefix("W/").unwrap_or(tag);
            opaque.len() >= 2 && opaque.starts_with('"') && opaque.ends_with('"')
        };
        tags().all(is_tag).then(|| Self(ExpectedVersion::OneOf(tags().filter_map(version_of).collect())))
    }
}

/// The version whose tag this is; `None` if it is of none, as every weak tag.
fn version_of(tag: &str) -> Option<u64> {
    let version = tag.strip_prefix('"')?.strip_suffix('"')?.parse().ok()?;
    // Tags are compared letter by letter: `"+3"` and `"03"` are not `"3"`.
    (format!("\"{version}\"") == tag).then_some(version)
}

impl FromRequestParts<Api> for Precondition {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &Api) -> Result<Self, Problem> {
        if !parts.headers.contains_key(IF_MATCH) {
            return Ok(Self(ExpectedVersion::Any));
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
        for other in ["\"03\"", "\"+3\"", "\"\"", "\"a\"", "\"99999999999999999999\""] {
            assert_eq!(passes(other, 3), Some(false), "{other}");
        }
        for bad in ["", "3", "\"3", "\"3\",", "**"] {
            assert_eq!(passes(bad, 3), None, "{bad}");
        }
    }
}
