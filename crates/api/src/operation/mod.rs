//! A call of the API, declared once: the router, the check of roles, the OpenAPI document and the tests go by it.
//!
//! What follows from the shape of a call is not written again for each: a path with a `{space_id}` may answer
//! `space.not_found`, a body may be too large, every list takes a cursor.

mod errors;
mod param;
pub(crate) mod path;
mod schema;

use axum::http::{Method, StatusCode};
use axum::routing::MethodFilter;
use inlet_store::catalog::Role;
use schemars::JsonSchema;
use serde_json::{Value, json};

pub(crate) use errors::OF_SOURCES;
pub(crate) use param::Param;
pub(crate) use schema::{SchemaOf, every_member_optional};

use crate::codes::Code;
use crate::pages::{CATALOG_MAX, PageView};

/// Who may make a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Access {
    /// Everybody, without a key.
    Public,
    /// Every key: the call changes nothing.
    Read,
    /// Keys that may change data and settings.
    Write,
    /// Keys that may do everything.
    Admin,
}

impl Access {
    /// The role that a caller must have; `None`: not even a key is asked for.
    pub(crate) const fn role(self) -> Option<Role> {
        match self {
            Self::Public => None,
            Self::Read => Some(Role::Read),
            Self::Write => Some(Role::Write),
            Self::Admin => Some(Role::Admin),
        }
    }

    /// The name in the documents.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::Read => "read",
            Self::Write => "write",
            Self::Admin => "admin",
        }
    }
}

/// What becomes of a key that is bound to a space.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BoundKeys {
    /// The path names a space: it must be theirs.
    InTheirSpace,
    /// The call is about all spaces: they are refused.
    Refused,
    /// The call itself shows them only what is theirs, or what is everybody's.
    KeptByTheCall,
}

/// A call, as its callers see it.
#[derive(Debug)]
pub(crate) struct Operation {
    /// Its name in clients that are generated, such as `list_spaces`: unique and stable.
    pub(crate) id: &'static str,
    pub(crate) method: Method,
    /// The path, with its parameters in braces.
    pub(crate) path: &'static str,
    pub(crate) access: Access,
    pub(crate) bound_keys: BoundKeys,
    /// What it does, in one line.
    pub(crate) summary: &'static str,
    /// What else a caller must know, in Markdown.
    pub(crate) description: &'static str,
    pub(crate) params: Vec<Param>,
    pub(crate) body: Option<Body>,
    /// Whether an `Idempotency-Key` is taken.
    pub(crate) idempotent: bool,
    pub(crate) replies: Vec<Reply>,
    /// Every code that it may answer.
    pub(crate) codes: Vec<Code>,
}

/// What a call takes as its body.
#[derive(Debug)]
pub(crate) struct Body {
    /// Each media type that is taken, the usual one first.
    pub(crate) media_types: &'static [&'static str],
    pub(crate) schema: SchemaOf,
    /// Whether there must be one; without it an empty body is `{}`.
    pub(crate) required: bool,
    pub(crate) example: Value,
}

/// A good answer.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) description: &'static str,
    /// What its body is.
    pub(crate) content: Content,
    /// The headers it carries beside those of every answer.
    pub(crate) headers: Vec<Param>,
    /// Calls that go on from here: which, and where each of its parameters is found in this answer.
    pub(crate) links: Vec<Link>,
}

/// The body of a good answer.
#[derive(Debug)]
pub(crate) enum Content {
    /// There is none.
    Empty,
    /// JSON.
    Json { schema: SchemaOf, example: Value },
    /// Something else, of one of these media types.
    Text { media_types: Vec<&'static str> },
    /// Server-sent events.
    Events,
}

/// A call that goes on from an answer.
#[derive(Debug)]
pub(crate) struct Link {
    /// The id of that call.
    pub(crate) to: &'static str,
    /// Its parameters, by runtime expressions (OpenAPI 3.1, section 4.8.20.4).
    pub(crate) parameters: &'static [(&'static str, &'static str)],
}

const JSON: &[&str] = &["application/json"];
const PATCHES: &[&str] = &["application/json", "application/merge-patch+json"];

impl Operation {
    fn new(id: &'static str, method: Method, path: &'static str, access: Access) -> Self {
        let codes = errors::of_shape(&method, path, access);
        let params = param::of_path(path);
        let bound_keys =
            if path.contains("{space_id}") { BoundKeys::InTheirSpace } else { BoundKeys::Refused };
        let idempotent = method == Method::POST;
        Self {
            id,
            method,
            path,
            access,
            bound_keys,
            summary: "",
            description: "",
            params,
            body: None,
            idempotent,
            replies: Vec::new(),
            codes,
        }
    }

    pub(crate) fn get(id: &'static str, path: &'static str, access: Access) -> Self {
        Self::new(id, Method::GET, path, access)
    }

    pub(crate) fn post(id: &'static str, path: &'static str, access: Access) -> Self {
        Self::new(id, Method::POST, path, access)
    }

    pub(crate) fn put(id: &'static str, path: &'static str, access: Access) -> Self {
        Self::new(id, Method::PUT, path, access)
    }

    pub(crate) fn patch(id: &'static str, path: &'static str, access: Access) -> Self {
        Self::new(id, Method::PATCH, path, access)
    }

    pub(crate) fn delete(id: &'static str, path: &'static str, access: Access) -> Self {
        Self::new(id, Method::DELETE, path, access)
    }

    pub(crate) fn summary(mut self, summary: &'static str) -> Self {
        self.summary = summary;
        self
    }

    pub(crate) fn description(mut self, description: &'static str) -> Self {
        self.description = description;
        self
    }

    /// Is also for keys that are bound to a space, though its path names none: what it shows them is theirs, or everybody's.
    pub(crate) fn for_bound_keys(mut self) -> Self {
        self.bound_keys = BoundKeys::KeptByTheCall;
        self.codes.retain(|code| *code != Code::KeyBound);
        self
    }

    /// Takes a query parameter or a header.
    pub(crate) fn param(mut self, param: Param) -> Self {
        self.allow(param.codes());
        self.params.push(param);
        self
    }

    /// Takes `limit` and `cursor`.
    pub(crate) fn paged(self, longest: usize) -> Self {
        self.param(Param::limit(longest)).param(Param::cursor())
    }

    /// Takes what every list of the catalog takes: `order`, `limit` and `cursor`.
    pub(crate) fn listed(self) -> Self {
        self.param(Param::order()).paged(CATALOG_MAX)
    }

    /// Takes a JSON body that must be there.
    pub(crate) fn body<T: JsonSchema>(self, example: Value) -> Self {
        self.takes(JSON, true, SchemaOf::new::<T>(), example)
    }

    /// Takes a JSON body that may be left out.
    pub(crate) fn optional_body<T: JsonSchema>(self, example: Value) -> Self {
        self.takes(JSON, false, SchemaOf::new::<T>(), example)
    }

    /// Takes a JSON merge patch; none at all changes nothing.
    pub(crate) fn merge_patch<T: JsonSchema>(self, example: Value) -> Self {
        self.takes(PATCHES, false, SchemaOf::new::<T>(), example)
    }

    /// Takes whatever is sent, or nothing, and does not look into it.
    pub(crate) fn takes_anything(mut self, example: Value) -> Self {
        self.allow(errors::OF_BYTES);
        let schema = SchemaOf::anything();
        self.body = Some(Body { media_types: JSON, schema, required: false, example });
        self
    }

    /// The message itself says who may send it, and which it is: instead of a key, an idempotency key, and the connector in the path.
    pub(crate) fn signed_as_standard_webhook(mut self) -> Self {
        self.idempotent = false;
        self.codes.retain(|code| {
            !matches!(
                code,
                Code::ConnectorNotFound
                    | Code::IdempotencyKeyInvalid
                    | Code::IdempotencyInProgress
                    | Code::IdempotencyMismatch
            )
        });
        self
    }

    pub(crate) fn takes(
        mut self,
        media_types: &'static [&'static str],
        required: bool,
        schema: SchemaOf,
        example: Value,
    ) -> Self {
        self.allow(errors::OF_BODIES);
        self.body = Some(Body { media_types, schema, required, example });
        self
    }

    /// Answers `status` with JSON.
    pub(crate) fn answers<T: JsonSchema>(
        self,
        status: StatusCode,
        description: &'static str,
        example: Value,
    ) -> Self {
        self.replies(status, description, Content::Json { schema: SchemaOf::new::<T>(), example })
    }

    /// Answers 200 with a page of a list, which holds items like this one.
    #[expect(clippy::needless_pass_by_value, reason = "an example is written out where it is passed")]
    pub(crate) fn answers_page<T: JsonSchema>(self, description: &'static str, item: Value) -> Self {
        self.answers::<PageView<T>>(StatusCode::OK, description, json!({"data": [item], "next_cursor": null}))
    }

    /// Answers 204.
    pub(crate) fn answers_nothing(self, description: &'static str) -> Self {
        self.replies(StatusCode::NO_CONTENT, description, Content::Empty)
    }

    /// Answers 200 with a text that is not JSON.
    pub(crate) fn answers_text(self, description: &'static str, media_type: &'static str) -> Self {
        self.answers_texts(description, &[media_type])
    }

    /// Answers 200 with server-sent events.
    pub(crate) fn answers_events(self, description: &'static str) -> Self {
        self.replies(StatusCode::OK, description, Content::Events)
    }

    /// Answers 200 with a text that is not JSON, of the media type that the caller asks for.
    pub(crate) fn answers_texts(self, description: &'static str, media_types: &[&'static str]) -> Self {
        self.replies(StatusCode::OK, description, Content::Text { media_types: media_types.to_vec() })
    }

    fn replies(mut self, status: StatusCode, description: &'static str, content: Content) -> Self {
        let reply = Reply { status, description, content, headers: Vec::new(), links: Vec::new() };
        self.replies.push(reply);
        self
    }

    /// The last answer carries this header.
    pub(crate) fn with_header(mut self, header: Param) -> Self {
        if let Some(reply) = self.replies.last_mut() {
            reply.headers.push(header);
        }
        self
    }

    /// From the last answer one may go on with the call `to`.
    pub(crate) fn link(
        mut self,
        to: &'static str,
        parameters: &'static [(&'static str, &'static str)],
    ) -> Self {
        if let Some(reply) = self.replies.last_mut() {
            reply.links.push(Link { to, parameters });
        }
        self
    }

    /// May answer these codes as well, beside those that follow from its shape.
    pub(crate) fn errors(mut self, codes: &[Code]) -> Self {
        self.allow(codes);
        self
    }

    fn allow(&mut self, codes: &[Code]) {
        for code in codes {
            if !self.codes.contains(code) {
                self.codes.push(*code);
            }
        }
    }

    /// The method as the router knows it.
    pub(crate) fn filter(&self) -> MethodFilter {
        MethodFilter::try_from(self.method.clone()).expect("the builder offers no other methods")
    }
}
