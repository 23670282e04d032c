//! Who calls, and whether they may.

mod access;
mod keyring;
mod secret;

use std::fmt;
use std::sync::Arc;

use axum::extract::{FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use inlet_model::{AuditId, KeyId, SpaceId, Timestamp};
use inlet_store::Catalog;
use inlet_store::catalog::{Actor, ApiKey, Cause, KeyHash, KeyMatch, Role};

pub(crate) use self::access::Gate;
pub(crate) use self::keyring::Keyring;
pub use self::secret::{NewKey, key_hash, new_key};

use crate::app::Api;
use crate::codes::Code;
use crate::host;
use crate::problem::Problem;
use crate::rate_limit::Limited;
use crate::request_id::Id;
use crate::serve::Peer;

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
    None {
        /// As above: it opens nothing here, but tells a command on the same machine from other callers.
        local_token: Option<KeyHash>,
    },
    /// The commands of this very process, and nobody else: for a router that no socket leads to.
    OwnProcess,
}

impl fmt::Debug for Auth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Key { .. } => "Key",
            Self::None { .. } => "None",
            Self::OwnProcess => "OwnProcess",
        })
    }
}

/// Who sent a request, and what they may do.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    pub(crate) actor: Actor,
    pub(crate) role: Role,
    /// The one space that there is for them; `None`: all of them.
    pub(crate) space_id: Option<SpaceId>,
}

impl Caller {
    /// Somebody who may do everything.
    const fn admin(actor: Actor) -> Self {
        Self { actor, role: Role::Admin, space_id: None }
    }

    /// Whether what belongs to `space_id`, or with `None` to no one space, is there for them.
    pub(crate) fn sees(&self, space_id: Option<&SpaceId>) -> bool {
        self.space_id.is_none() || self.space_id.as_ref() == space_id
    }

    /// The name by which the cursors of a list go that shows each caller only what is theirs.
    pub(crate) fn list_name(&self, list: &str) -> String {
        match &self.space_id {
            Some(space_id) => format!("{list} of the space {space_id}"),
            None => list.to_owned(),
        }
    }
}

impl fmt::Display for Caller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.actor.fmt(f)
    }
}

impl FromRequestParts<Api> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &Api) -> Result<Self, Problem> {
        let caller = parts.extensions.get().cloned();
        caller.ok_or_else(|| Problem::internal().because("nobody asked who calls"))
    }
}

/// Lets a request through if its caller is known, and notes who it is: for the handlers, the audit log and the log.
pub(crate) async fn check(State(api): State<Api>, request: Request, next: Next) -> Response {
    let (mut parts, body) = request.into_parts();
    let now = api.clock.now();
    let peer = parts.extensions.get().copied();
    let (caller, credential) = match caller(&api, &parts, now).await {
        Ok(known) => known,
        Err(problem) => return refuse(&api, problem, peer, now).into_response(),
    };
    let turn = api.rates.take(Limited::of(&caller.actor), now);
    if let Some(refused) = turn.refusal() {
        return refused.into_response();
    }
    let cause = (!parts.method.is_safe()).then(|| {
        let request_id = parts.extensions.get().map_or_else(Arc::default, |Id(id)| Arc::clone(id));
        Cause::new(AuditId::new(now, &*api.entropy), now, caller.actor, request_id)
    });
    parts.extensions.insert(caller.clone());
    parts.extensions.insert(credential);
    let work = next.run(Request::from_parts(parts, body));
    let mut response = match cause {
        Some(cause) => cause.run(work).await,
        None => work.await,
    };
    turn.tell(response.headers_mut());
    response.extensions_mut().insert(caller);
    response
}

/// What somebody without a good key gets: the reason, unless their address has tried too often.
fn refuse(api: &Api, problem: Problem, peer: Option<Peer>, now: Timestamp) -> Problem {
    if problem.code().status() != StatusCode::UNAUTHORIZED {
        return problem;
    }
    let turn = api.rates.take(peer.map(|Peer(address)| Limited::address(address)), now);
    turn.refusal().unwrap_or(problem)
}

/// By what a caller was known who was let in: the hash of a key of the catalog. Everybody else is known for as long as the
/// server runs.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Credential(Option<KeyHash>);

/// Whether a caller who was let in would be let in again. That the catalog cannot be asked just now is held against nobody.
pub(crate) async fn is_still_good(api: &Api, Credential(hash): Credential) -> bool {
    let Some(hash) = hash else { return true };
    let now = api.clock.now();
    match api.keyring.find(&*api.catalog, hash, now).await {
        Ok(found) => found.is_some_and(|found| refuse_ended(&found, now).is_ok()),
        Err(_) => true,
    }
}

async fn caller(api: &Api, parts: &Parts, now: Timestamp) -> Result<(Caller, Credential), Problem> {
    let admin = |actor| Ok((Caller::admin(actor), Credential(None)));
    let (environment_key, local_token) = match &api.auth {
        Auth::Key { environment_key, local_token } => (environment_key, local_token),
        Auth::None { local_token } => {
            host::check(parts)?;
            let is_local = sent_key(&parts.headers).is_ok_and(|key| is(*local_token, key_hash(key)));
            return admin(if is_local { Actor::Local } else { Actor::Anybody });
        }
        Auth::OwnProcess => return admin(Actor::Local),
    };
    let hash = key_hash(sent_key(&parts.headers)?);
    if is(*environment_key, hash) {
        return admin(Actor::Environment);
    }
    if is(*local_token, hash) {
        return admin(Actor::Local);
    }
    let Some(found) = api.keyring.find(&*api.catalog, hash, now).await? else {
        let detail = "The API key is not known. Check it, or ask for a new one.";
        return Err(unauthorized(Code::KeyInvalid, detail));
    };
    refuse_ended(&found, now)?;
    let ApiKey { id, role, space_id, .. } = &found.key;
    if let Some(uses) = api.keyring.note_use(*id, now) {
        write_down(Arc::clone(&api.catalog), uses);
    }
    let caller = Caller { actor: Actor::Key(*id), role: *role, space_id: space_id.clone() };
    Ok((caller, Credential(Some(hash))))
}

fn refuse_ended(found: &KeyMatch, now: Timestamp) -> Result<(), Problem> {
    let has_ended = |end: Option<Timestamp>| end.is_some_and(|end| end <= now);
    if has_ended(found.key.expires_at) {
        let detail = "The API key has expired. Ask for a new one, or have its `expires_at` changed.";
        return Err(unauthorized(Code::KeyExpired, detail));
    }
    if has_ended(found.secret_ends_at) {
        let detail = "The API key was rotated, and this secret of it is over. Use the new one.";
        return Err(unauthorized(Code::KeyInvalid, detail));
    }
    Ok(())
}

/// Writes uses down beside the request, which does not wait for it.
fn write_down(catalog: Arc<dyn Catalog>, uses: Vec<(KeyId, Timestamp)>) {
    tokio::spawn(async move {
        if let Err(error) = catalog.key_used(&uses).await {
            error.complain("the last uses of keys could not be written down");
        }
    });
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
        Code::KeyInvalid | Code::KeyExpired => "Bearer realm=\"inlet\", error=\"invalid_token\"",
        _ => "Bearer realm=\"inlet\"",
    };
    Problem::new(code, detail).header(header::WWW_AUTHENTICATE, HeaderValue::from_static(challenge))
}

#[cfg(test)]
mod tests {
    use inlet_model::SeededEntropy;

    use super::*;

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
        let key = new_key(&SeededEntropy::new(1));
        let auth = Auth::Key { environment_key: Some(key.hash), local_token: None };
        assert_eq!(format!("{key:?} {auth:?}"), "NewKey Key");
    }
}
