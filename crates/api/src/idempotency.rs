//! Idempotency keys: a request that is sent twice is done once, and answered twice.
//!
//! The record of a key is stored in the very transaction that has the request's effect, by the catalog or the
//! collection's store, together with the answer. Here is what comes before: reading the key, saying which requests are
//! the same, and refusing the second of two at the same time.

use std::collections::HashSet;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use inlet_model::secret::Vault;
use inlet_model::{ConnectorId, Timestamp};
use inlet_store::catalog::{Actor, Effect, Idempotent};

use crate::answer::Answer;
use crate::codes::Code;
use crate::problem::Problem;

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
const MAX_LEN: usize = 255;
const KEPT: Duration = Duration::from_secs(24 * 60 * 60);

/// What makes two requests the same.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sent<'a> {
    /// Who sent it.
    pub(crate) actor: Actor,
    /// The method.
    pub(crate) method: &'a Method,
    /// The path.
    pub(crate) path: &'a str,
    /// The query, as it was sent.
    pub(crate) query: &'a str,
    /// The body's media type, if there is a body.
    pub(crate) media_type: &'a str,
    /// The body.
    pub(crate) body: &'a [u8],
}

/// The keys in use at this moment, and the secret under which requests are hashed.
pub(crate) struct Ledger {
    /// For scopes: who asked for what with which key.
    secret: [u8; 32],
    /// For fingerprints, which bodies go into. It is not in the catalog, so that nobody who has a copy of that can try out what
    /// secret a body held.
    body_secret: [u8; 32],
    running: Arc<Mutex<HashSet<[u8; 32]>>>,
}

impl fmt::Debug for Ledger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Ledger")
    }
}

impl Ledger {
    /// A ledger whose keys come of the catalog's secret and of the vault. Under another encryption key a repeated request is
    /// taken for another one, and refused.
    pub(crate) fn new(secret: &[u8; 32], vault: &Vault) -> Self {
        let secret = blake3::derive_key("inlet 2026 idempotency of the HTTP API", secret);
        let body_secret = vault.derive("inlet 2026 idempotency of the HTTP API, bodies");
        Self { secret, body_secret, running: Arc::default() }
    }

    /// The record of a signed message that triggers a connector: the same for its id, whatever else it holds and however often it comes.
    pub(crate) fn message(
        &self,
        connector_id: ConnectorId,
        id: &str,
        now: Timestamp,
        answer: &Answer,
    ) -> Idempotent {
        let scope = hash(&self.secret, &[b"message", connector_id.to_string().as_bytes(), id.as_bytes()]);
        record(scope, [0; 32], now, answer)
    }

    /// Begins a request with an idempotency key; `None` if it carries none.
    pub(crate) fn begin(
        &self,
        headers: &HeaderMap,
        sent: Sent<'_>,
        now: Timestamp,
    ) -> Result<Option<Attempt>, Problem> {
        let Some(key) = received(headers)? else { return Ok(None) };
        let caller = sent.actor.to_string();
        let scope = hash(
            &self.secret,
            &[
                b"scope",
                caller.as_bytes(),
                sent.method.as_str().as_bytes(),
                sent.path.as_bytes(),
                key.as_bytes(),
            ],
        );
        let fingerprint = hash(
            &self.body_secret,
            &[b"request", sent.query.as_bytes(), sent.media_type.as_bytes(), sent.body],
        );
        if !lock(&self.running).insert(scope) {
            return Err(in_progress());
        }
        let running = Running { scope, all: Arc::clone(&self.running) };
        Ok(Some(Attempt { fingerprint, now, running }))
    }
}

/// A keyed hash of the parts, of which none runs into the next.
fn hash(secret: &[u8; 32], parts: &[&[u8]]) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new_keyed(secret);
    for part in parts {
        hasher.update(&(part.len() as u64).to_be_bytes()).update(part);
    }
    *hasher.finalize().as_bytes()
}

/// A request with an idempotency key, while it runs.
#[derive(Debug)]
pub(crate) struct Attempt {
    fingerprint: [u8; 32],
    now: Timestamp,
    running: Running,
}

impl Attempt {
    /// What is stored with the effect, so that the request can be repeated.
    pub(crate) fn record(&self, answer: &Answer) -> Idempotent {
        record(self.running.scope, self.fingerprint, self.now, answer)
    }
}

fn record(scope: [u8; 32], fingerprint: [u8; 32], now: Timestamp, answer: &Answer) -> Idempotent {
    let kept = i64::try_from(KEPT.as_micros()).expect("a day in microseconds fits");
    let expired_before = Timestamp::from_micros(now.as_micros().saturating_sub(kept));
    Idempotent { scope, fingerprint, answer: answer.to_stored(), now, expired_before }
}

/// Marks a scope as running until it is dropped.
#[derive(Debug)]
struct Running {
    scope: [u8; 32],
    all: Arc<Mutex<HashSet<[u8; 32]>>>,
}

impl Drop for Running {
    fn drop(&mut self) {
        lock(&self.all).remove(&self.scope);
    }
}

fn lock(running: &Mutex<HashSet<[u8; 32]>>) -> MutexGuard<'_, HashSet<[u8; 32]>> {
    running.lock().expect("no holder panics")
}

/// The answer to a request, once its effect is known; or what is in the way.
pub(crate) fn settle<C>(answer: Answer, effect: Effect<C>) -> Result<Result<Answer, C>, Problem> {
    match effect {
        Effect::Done => Ok(Ok(answer)),
        Effect::Replayed(stored) => Ok(Ok(Answer::replayed(stored))),
        Effect::Conflict(other) => Ok(Err(other)),
        Effect::Mismatch => Err(mismatch()),
    }
}

/// The key was used for another request.
pub(crate) fn mismatch() -> Problem {
    let detail = "This Idempotency-Key was used for a request with another body or query. Use a new key for a new \
                  request, or repeat the first one unchanged.";
    Problem::new(Code::IdempotencyMismatch, detail)
}

fn in_progress() -> Problem {
    let detail =
        "A request with this Idempotency-Key is being worked on. Repeat yours in a moment to get its answer.";
    Problem::new(Code::IdempotencyInProgress, detail)
        .header(header::RETRY_AFTER, HeaderValue::from_static("1"))
}

/// The key that the request carries: quoted (as a string of RFC 9651) or bare.
pub(crate) fn received(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let mut values = headers.get_all(IDEMPOTENCY_KEY).iter();
    let Some(value) = values.next() else { return Ok(None) };
    let key = value.to_str().ok().and_then(unquoted).filter(|key| is_good(key));
    match key {
        Some(key) if values.next().is_none() => Ok(Some(key)),
        _ => {
            let detail =
                "Send one Idempotency-Key of 1 to 255 printable ASCII characters, in quotes or without.";
            Err(Problem::new(Code::IdempotencyKeyInvalid, detail))
        }
    }
}

fn is_good(key: &str) -> bool {
    (1..=MAX_LEN).contains(&key.len()) && key.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic())
}

/// The text between the quotes, if there are any; `None` if they are not in order.
fn unquoted(value: &str) -> Option<String> {
    let Some(rest) = value.strip_prefix('"') else { return Some(value.to_owned()) };
    let inner = rest.strip_suffix('"')?;
    let mut key = String::with_capacity(inner.len());
    let mut letters = inner.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '"' => return None,
            '\\' => key.push(letters.next().filter(|escaped| matches!(escaped, '"' | '\\'))?),
            letter => key.push(letter),
        }
    }
    Some(key)
}

#[cfg(test)]
mod tests {
    use inlet_model::SeededEntropy;
    use inlet_model::secret::VaultKey;

    use super::*;

    fn headers(value: &str) -> HeaderMap {
        HeaderMap::from_iter([(IDEMPOTENCY_KEY, HeaderValue::from_str(value).unwrap())])
    }

    fn with_vault(vault: u64) -> Ledger {
        Ledger::new(&[1; 32], &Vault::new(VaultKey::generate(&SeededEntropy::new(vault)), []))
    }

    fn sent<'a>(path: &'a str, body: &'a [u8]) -> Sent<'a> {
        let actor = Actor::Anybody;
        Sent { actor, method: &Method::POST, path, query: "", media_type: "application/json", body }
    }

    fn begin(ledger: &Ledger, value: &str, sent: Sent<'_>) -> Result<Attempt, Code> {
        let attempt = ledger.begin(&headers(value), sent, Timestamp::from_millis(0));
        attempt.map(|attempt| attempt.expect("there is a key")).map_err(|problem| problem.code())
    }

    #[test]
    fn a_key_is_read_with_and_without_quotes() {
        let of = |value: &str| received(&headers(value)).ok().flatten();
        assert_eq!(of("unique_key").as_deref(), Some("unique_key"));
        assert_eq!(of("\"unique_key\"").as_deref(), Some("unique_key"));
        assert_eq!(of(r#""a\"b\\c""#).as_deref(), Some(r#"a"b\c"#));
        assert_eq!(of(&"k".repeat(255)).map(|key| key.len()), Some(255));
        for bad in ["", "\"\"", "\"", "\"a", "\"a\"b\"", r#""a\""#, r#""\a""#, &"k".repeat(256), "tab\tin"] {
            assert_eq!(of(bad), None, "{bad}");
        }
        assert_eq!(received(&HeaderMap::new()).unwrap(), None);
    }

    #[test]
    fn two_keys_in_one_request_are_refused() {
        let mut two = headers("a");
        two.append(IDEMPOTENCY_KEY, HeaderValue::from_static("b"));
        assert!(received(&two).is_err());
    }

    #[test]
    fn the_second_of_two_at_the_same_time_is_refused_until_the_first_is_over() {
        let ledger = with_vault(1);
        let first = begin(&ledger, "k", sent("/a", b"{}")).unwrap();
        assert_eq!(begin(&ledger, "\"k\"", sent("/a", b"{}")).unwrap_err(), Code::IdempotencyInProgress);
        assert!(begin(&ledger, "k", sent("/b", b"{}")).is_ok(), "another path is another scope");
        drop(first);
        assert!(begin(&ledger, "k", sent("/a", b"{}")).is_ok());
    }

    #[test]
    fn the_scope_is_caller_method_path_and_key_and_the_fingerprint_the_rest() {
        let ledger = with_vault(1);
        let of = |key: &str, sent: Sent<'_>| {
            let record = begin(&ledger, key, sent).unwrap().record(&Answer::no_content());
            (record.scope, record.fingerprint)
        };
        let base = sent("/a", b"{}");
        let (scope, fingerprint) = of("k", base);
        for other in
            [Sent { actor: Actor::Local, ..base }, Sent { method: &Method::PUT, ..base }, sent("/b", b"{}")]
        {
            assert_ne!(of("k", other).0, scope);
            assert_eq!(of("k", other).1, fingerprint);
        }
        assert_ne!(of("l", base).0, scope);
        for other in [sent("/a", b"[]"), Sent { query: "a=1", ..base }, Sent { media_type: "", ..base }] {
            assert_eq!(of("k", other).0, scope);
            assert_ne!(of("k", other).1, fingerprint);
        }
        let another = with_vault(2);
        let elsewhere = begin(&another, "k", base).unwrap().record(&Answer::no_content());
        assert_eq!(elsewhere.scope, scope);
        assert_ne!(
            elsewhere.fingerprint, fingerprint,
            "a copy of the catalog is not enough to try bodies out"
        );
    }
}
