//! Who calls.

use std::fmt;

use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use inlet_model::{Entropy, KeyId};
use inlet_store::catalog::KeyHash;

use crate::app::Api;
use crate::codes::Code;
use crate::host;
use crate::problem::Problem;

const X_API_KEY: HeaderName = HeaderName::from_static("x-api-key");
const BEARER: &str = "Bearer ";

/// Who may call the API.
#[derive(Clone)]
pub enum Auth {
    /// Whoever has an API key: one of the catalog's, or one of these.
    Key {
        /// The key that the operator set for this run of the server.
        environment_key: Option<KeyHash>,
        /// The token by which a command on the same machine reaches the server, from the data directory's lock file.
        local_token: Option<KeyHash>,
    },
    /// Everybody who reaches a loopback address, if no web page sent them: for a server on one's own machine.
    None,
}

impl fmt::Debug for Auth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Key { .. } => "Key",
            Self::None => "None",
        })
    }
}

/// An API key as it is made: the only time that its text is known.
pub struct NewKey {
    /// What the caller sends. A secret.
    pub text: String,
    /// What is stored.
    pub hash: KeyHash,
}

impl fmt::Debug for NewKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NewKey")
    }
}

/// Makes an API key: `inlet_` and 256 random bits.
#[must_use]
pub fn first_key(entropy: &dyn Entropy) -> NewKey {
    let text = format!("inlet_{}", base32(&entropy.bytes()));
    NewKey { hash: key_hash(&text), text }
}

/// The hash under which a key is stored and looked up. A key has 256 random bits, so that a fast hash is enough; and as
/// only hashes are compared, the time it takes tells nothing about a key.
#[must_use]
pub fn key_hash(text: &str) -> KeyHash {
    KeyHash(*blake3::hash(text.as_bytes()).as_bytes())
}

/// 32 bytes as 52 letters and digits that are not mistaken for each other.
fn base32(bytes: &[u8; 32]) -> String {
    const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
    let bit = |index: usize| bytes.get(index / 8).map_or(0, |byte| (byte >> (7 - index % 8)) & 1);
    let digit = |place: usize| (0..5).fold(0, |digit, step| (digit << 1) | bit(place * 5 + step));
    (0..52).map(|place| char::from(ALPHABET[usize::from(digit(place))])).collect()
}

/// Who sent a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Caller {
    /// The holder of a key of the catalog.
    Key(KeyId),
    /// The holder of the key that the operator set.
    Environment,
    /// A command on the same machine.
    Local,
    /// Anybody: no key is asked for.
    Anybody,
}

impl fmt::Display for Caller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key(id) => id.fmt(f),
            Self::Environment => f.write_str("environment"),
            Self::Local => f.write_str("local"),
            Self::Anybody => f.write_str("none"),
        }
    }
}

/// Lets a request through if its caller may call, and notes who it is: for the handlers and for the log.
pub(crate) async fn check(State(api): State<Api>, request: Request, next: Next) -> Response {
    let (mut parts, body) = request.into_parts();
    let caller = match caller(&api, &parts).await {
        Ok(caller) => caller,
        Err(problem) => return problem.into_response(),
    };
    parts.extensions.insert(caller);
    let mut response = next.run(Request::from_parts(parts, body)).await;
    response.extensions_mut().insert(caller);
    response
}

async fn caller(api: &Api, parts: &Parts) -> Result<Caller, Problem> {
    let Auth::Key { environment_key, local_token } = &api.auth else {
        return host::check(parts).map(|()| Caller::Anybody);
    };
    let key = sent_key(&parts.headers)?;
    let hash = key_hash(key);
    if is(*environment_key, hash) {
        return Ok(Caller::Environment);
    }
    if is(*local_token, hash) {
        return Ok(Caller::Local);
    }
    match api.catalog.key_by_hash(hash).await? {
        Some(found) => Ok(Caller::Key(found.key.id)),
        None => {
            Err(unauthorized(Code::KeyInvalid, "The API key is not known. Check it, or ask for a new one."))
        }
    }
}

/// Whether a key's hash is this one, in a time that does not depend on either.
fn is(known: Option<KeyHash>, sent: KeyHash) -> bool {
    known.is_some_and(|known| blake3::Hash::from(known.0) == blake3::Hash::from(sent.0))
}

/// The key from `X-API-Key`, else from `Authorization: Bearer`.
fn sent_key(headers: &HeaderMap) -> Result<&str, Problem> {
    const HOW: &str = "Send your API key in the header `X-API-Key`, or as `Authorization: Bearer`.";
    let key = headers.get(X_API_KEY).map(HeaderValue::to_str);
    let key =
        key.or_else(|| headers.get(header::AUTHORIZATION).map(|value| value.to_str().map(bearer_token)));
    match key {
        Some(Ok(key)) if !key.trim().is_empty() => Ok(key.trim()),
        Some(Err(_)) => Err(unauthorized(Code::KeyInvalid, "The API key holds characters that no key has.")),
        _ => Err(unauthorized(Code::KeyRequired, HOW)),
    }
}

/// The token after `Bearer`; empty for any other scheme.
fn bearer_token(value: &str) -> &str {
    match value.split_at_checked(BEARER.len()) {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case(BEARER) => token,
        _ => "",
    }
}

fn unauthorized(code: Code, detail: &str) -> Problem {
    let challenge = match code {
        Code::KeyInvalid => "Bearer realm=\"inlet\", error=\"invalid_token\"",
        _ => "Bearer realm=\"inlet\"",
    };
    Problem::new(code, detail).header(header::WWW_AUTHENTICATE, HeaderValue::from_static(challenge))
}

#[cfg(test)]
mod tests {
    use inlet_model::SeededEntropy;

    use super::*;

    #[test]
    fn a_key_has_all_256_bits_and_is_found_by_its_hash() {
        let key = first_key(&SeededEntropy::new(1));
        assert_eq!(key.text.len(), "inlet_".len() + 52);
        assert_eq!(key.hash, key_hash(&key.text));
        assert_ne!(first_key(&SeededEntropy::new(2)).text, key.text);
        assert_eq!(base32(&[0; 32]), "0".repeat(52));
        assert_eq!(base32(&[0xff; 32]), format!("{}g", "z".repeat(51)));
    }

    #[test]
    fn a_key_is_taken_from_either_header() {
        let of = |name: HeaderName, value: &'static str| {
            let headers = HeaderMap::from_iter([(name, HeaderValue::from_static(value))]);
            sent_key(&headers).map(str::to_owned).ok()
        };
        assert_eq!(of(X_API_KEY, "secret").as_deref(), Some("secret"));
        assert_eq!(of(header::AUTHORIZATION, "bearer secret").as_deref(), Some("secret"));
        assert_eq!(of(header::AUTHORIZATION, "Basic c2VjcmV0"), None);
        assert_eq!(of(header::AUTHORIZATION, "Bearer "), None);
        assert_eq!(of(X_API_KEY, ""), None);
    }

    #[test]
    fn nothing_secret_is_shown() {
        let key = first_key(&SeededEntropy::new(1));
        let auth = Auth::Key { environment_key: Some(key.hash), local_token: None };
        assert_eq!(format!("{key:?} {auth:?}"), "NewKey Key");
    }
}
