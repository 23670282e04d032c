//! Which callers may make a call: by the role it needs, and by the space a key is bound to.

use axum::extract::{FromRequestParts, RawPathParams, Request};
use axum::http::request::Parts;
use axum::http::{HeaderValue, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use inlet_model::SpaceId;
use inlet_store::catalog::Role;

use super::Caller;
use crate::codes::Code;
use crate::find;
use crate::operation::{BoundKeys, Operation};
use crate::problem::Problem;

/// What of an operation decides who may make it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Gate {
    role: Option<Role>,
    bound_keys: BoundKeys,
}

impl Gate {
    pub(crate) fn of(operation: &Operation) -> Self {
        Self { role: operation.access.role(), bound_keys: operation.bound_keys }
    }

    /// Lets a request through if its caller may make this call.
    pub(crate) async fn pass(self, request: Request, next: Next) -> Response {
        let (mut parts, body) = request.into_parts();
        match self.allows(&mut parts).await {
            Ok(()) => next.run(Request::from_parts(parts, body)).await,
            Err(problem) => problem.into_response(),
        }
    }

    async fn allows(self, parts: &mut Parts) -> Result<(), Problem> {
        let Some(role) = self.role else { return Ok(()) };
        let Some(caller) = parts.extensions.get::<Caller>().cloned() else {
            return Err(Problem::internal().because("a call that needs a role has no caller"));
        };
        has_role(&caller, role)?;
        match caller.space_id {
            Some(bound_to) => self.is_open_to(bound_to, parts).await,
            None => Ok(()),
        }
    }

    /// A key that is bound to a space finds no other, whether or not it is there.
    async fn is_open_to(self, bound_to: SpaceId, parts: &mut Parts) -> Result<(), Problem> {
        match self.bound_keys {
            BoundKeys::KeptByTheCall => Ok(()),
            BoundKeys::Refused => {
                let detail = format!(
                    "Your key is bound to the space `{bound_to}`, and this call is about all of them."
                );
                Err(Problem::new(Code::KeyBound, detail))
            }
            BoundKeys::InTheirSpace => {
                let params = RawPathParams::from_request_parts(parts, &()).await.ok();
                let named =
                    params.as_ref().and_then(|params| params.iter().find(|(name, _)| *name == "space_id"));
                match named {
                    Some((_, space_id)) if space_id == bound_to.as_str() => Ok(()),
                    Some((_, space_id)) => Err(find::no_space(space_id)),
                    None => Err(Problem::new(
                        Code::InvalidPath,
                        "The path is not UTF-8 once its `%` escapes are resolved.",
                    )),
                }
            }
        }
    }
}

fn has_role(caller: &Caller, needed: Role) -> Result<(), Problem> {
    if caller.role >= needed {
        return Ok(());
    }
    let detail =
        format!("This call needs a key with the role `{needed}`; yours has the role `{}`.", caller.role);
    let challenge = format!("Bearer realm=\"inlet\", error=\"insufficient_scope\", scope=\"{needed}\"");
    let challenge = HeaderValue::try_from(challenge).expect("a role is a word");
    Err(Problem::new(Code::RoleInsufficient, detail).header(header::WWW_AUTHENTICATE, challenge))
}
