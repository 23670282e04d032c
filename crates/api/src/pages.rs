//! Lists page by page: `limit`, `cursor`, and the `next_cursor` that leads on.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use inlet_model::{StreamName, Timestamp};
use inlet_store::catalog::{Order, PageCursor, PageQuery};
use schemars::JsonSchema;
use serde::Serialize;

use crate::codes::Code;
use crate::problem::Problem;
use crate::query::Query;

/// The longest page of things that the catalog holds.
pub(crate) const CATALOG_MAX: usize = 200;
/// The longest page of records and changes.
pub(crate) const DATA_MAX: usize = 1000;
const DEFAULT: usize = 50;

/// A page as it is answered.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "{T}Page")]
pub(crate) struct PageView<T> {
    /// The items.
    pub(crate) data: Vec<T>,
    /// Where the next page begins; `null` at the end.
    pub(crate) next_cursor: Option<String>,
}

/// Between a stream and a place in it. No stream has it in its name.
const SEPARATOR: char = '\0';

/// A place in a list of several streams, for a cursor.
pub(crate) fn in_stream(stream: &StreamName, place: &str) -> String {
    format!("{stream}{SEPARATOR}{place}")
}

/// The stream and the place in it that [`in_stream`] wrote.
pub(crate) fn of_stream(place: &[u8]) -> Result<(StreamName, &str), Problem> {
    let text = std::str::from_utf8(place).map_err(|_| invalid())?;
    let (stream, place) = text.split_once(SEPARATOR).ok_or_else(invalid)?;
    Ok((StreamName::new(stream).map_err(|_| invalid())?, place))
}

/// Takes `limit` from the query.
pub(crate) fn take_limit(query: &mut Query, max: usize) -> Result<usize, Problem> {
    let Some(text) = query.take("limit") else { return Ok(DEFAULT) };
    let limit = text.parse().ok().filter(|limit| (1..=max).contains(limit));
    limit.ok_or_else(|| {
        let detail =
            format!("`limit` is a whole number between 1 and {max}; it is {DEFAULT} if it is not given.");
        Problem::new(Code::LimitInvalid, detail)
    })
}

/// Which list of the catalog is asked for, what it is narrowed to included, and which part of it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Listed {
    list: String,
    /// The part.
    pub(crate) query: PageQuery,
}

impl Listed {
    /// Takes `order`, `limit` and `cursor` of the list at `path`; every other parameter must have been taken by then.
    pub(crate) fn take(signer: &Signer, path: &str, mut query: Query) -> Result<Self, Problem> {
        let order = match query.narrow("order").as_deref() {
            None | Some("desc") => Order::NewestFirst,
            Some("asc") => Order::OldestFirst,
            Some(_) => {
                return Err(Query::invalid("order", "is `desc` (newest first) or `asc` (oldest first)"));
            }
        };
        let limit = take_limit(&mut query, CATALOG_MAX)?;
        let cursor = query.take("cursor");
        let list = format!("{path}{}", query.narrowed());
        query.finish()?;
        let place = |token: String| page_cursor(&signer.open(&list, &token)?).ok_or_else(invalid);
        let after = cursor.map(place).transpose()?;
        Ok(Self { list, query: PageQuery { after, limit, order } })
    }

    /// The token that leads on from a place in the list.
    pub(crate) fn token(&self, signer: &Signer, place: &PageCursor) -> String {
        let mut bytes = place.created_at.as_micros().to_be_bytes().to_vec();
        bytes.extend_from_slice(place.id.as_bytes());
        signer.sign(&self.list, &bytes)
    }
}

fn page_cursor(place: &[u8]) -> Option<PageCursor> {
    let (micros, id) = place.split_first_chunk()?;
    let created_at = Timestamp::from_micros(i64::from_be_bytes(*micros));
    Some(PageCursor { created_at, id: String::from_utf8(id.to_vec()).ok()? })
}

/// The cursor cannot be used here.
pub(crate) fn invalid() -> Problem {
    let detail = "The cursor is damaged, or of another list. Use `next_cursor` of the page before, with the same path \
                  and filters; or leave it out to begin from the start.";
    Problem::new(Code::CursorInvalid, detail)
}

/// Makes cursors that nobody else can make: a place in a list, signed together with the list it belongs to.
pub(crate) struct Signer([u8; 32]);

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Signer")
    }
}

const VERSION: u8 = 1;
const TAG_LEN: usize = 16;

impl Signer {
    /// A signer whose key comes of the catalog's secret.
    pub(crate) fn new(secret: &[u8; 32]) -> Self {
        Self(blake3::derive_key("inlet 2026 cursors of the HTTP API", secret))
    }

    /// The token for a place in a list; `list` says which list, filters included.
    pub(crate) fn sign(&self, list: &str, place: &[u8]) -> String {
        let mut token = vec![VERSION];
        token.extend_from_slice(place);
        token.extend_from_slice(&self.tag(list, place));
        URL_SAFE_NO_PAD.encode(token)
    }

    /// The place that a token of this list names.
    pub(crate) fn open(&self, list: &str, token: &str) -> Result<Vec<u8>, Problem> {
        let bytes = URL_SAFE_NO_PAD.decode(token).map_err(|_| invalid())?;
        let (place, tag) = bytes
            .strip_prefix(&[VERSION])
            .and_then(<[u8]>::split_last_chunk::<TAG_LEN>)
            .ok_or_else(invalid)?;
        if self.tag(list, place) == *tag { Ok(place.to_vec()) } else { Err(invalid()) }
    }

    fn tag(&self, list: &str, place: &[u8]) -> [u8; TAG_LEN] {
        let mut hasher = blake3::Hasher::new_keyed(&self.0);
        hasher
            .update(&[VERSION])
            .update(&(list.len() as u64).to_be_bytes())
            .update(list.as_bytes())
            .update(place);
        let mut tag = [0; TAG_LEN];
        hasher.finalize_xof().fill(&mut tag);
        tag
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_token_leads_to_its_place_in_its_list_only(list: String, other: String, place: Vec<u8>) {
            let signer = Signer::new(&[7; 32]);
            let token = signer.sign(&list, &place);
            prop_assert_eq!(signer.open(&list, &token).unwrap(), place);
            if other != list {
                prop_assert!(signer.open(&other, &token).is_err());
            }
            prop_assert!(Signer::new(&[8; 32]).open(&list, &token).is_err());
        }

        #[test]
        fn no_changed_token_is_taken(place: Vec<u8>, at: prop::sample::Index, letter in "[A-Za-z0-9_-]") {
            let signer = Signer::new(&[7; 32]);
            let token = signer.sign("list", &place);
            let at = at.index(token.len());
            let changed = format!("{}{letter}{}", &token[..at], &token[at + 1..]);
            prop_assume!(changed != token);
            prop_assert!(signer.open("list", &changed).is_err());
        }

        #[test]
        fn no_text_is_a_token_by_chance(text: String) {
            prop_assert!(Signer::new(&[7; 32]).open("list", &text).is_err());
        }
    }

    #[test]
    fn a_place_in_the_catalog_survives_its_token() {
        let signer = Signer::new(&[7; 32]);
        let place = PageCursor { created_at: Timestamp::from_micros(-5), id: "default".to_owned() };
        let listed = |text: &str| Listed::take(&signer, "spaces", Query::parse(text).unwrap());
        let token = listed("order=asc").unwrap().token(&signer, &place);
        let again = listed(&format!("limit=7&order=asc&cursor={token}")).unwrap();
        let expected = PageQuery { after: Some(place), limit: 7, order: Order::OldestFirst };
        assert_eq!(again.query, expected);
        for other in ["", "order=desc&"] {
            assert_eq!(listed(&format!("{other}cursor={token}")).unwrap_err().code(), Code::CursorInvalid);
        }
    }

    #[test]
    fn a_limit_lies_within_its_bounds() {
        let limit =
            |text: &str| take_limit(&mut Query::parse(text).unwrap(), 200).map_err(|problem| problem.code());
        assert_eq!(limit(""), Ok(DEFAULT));
        assert_eq!(limit("limit=200"), Ok(200));
        for bad in ["limit=0", "limit=201", "limit=", "limit=-1", "limit=1.5", "limit=ten"] {
            assert_eq!(limit(bad), Err(Code::LimitInvalid), "{bad}");
        }
    }
}
