//! The OpenAPI 3.1 document: made from the operations, so that it says what the server does.
//!
//! Specification: <https://spec.openapis.org/oas/v3.1.1.html>.

use std::collections::BTreeMap;

use schemars::generate::{Contract, SchemaSettings};
use schemars::transform::RecursiveTransform;
use schemars::{Schema, SchemaGenerator};
use serde_json::{Map, Value, json};

use crate::codes::Code;
use crate::operation::{Access, Content, Operation, Param, Reply, SchemaOf};
use crate::problem::ProblemView;

/// What the parts of the API are for, in the order in which the documents show them.
pub(crate) const TAGS: &[(&str, &str)] = &[
    ("spaces", "Spaces hold collections."),
    ("collections", "Collections hold data."),
    ("connectors", "Connectors link a collection to an external source."),
    ("syncs", "Syncs move data from a connector's source into its collection."),
    ("records", "What a collection holds, how it came to hold it, and what is pushed into it."),
    ("keys", "API keys open the server; the audit log says what was done with them."),
    ("server", "The server itself."),
];

const DESCRIPTION: &str = "\
Inlet brings data from where it is into collections. A space holds collections; a collection holds data; a connector links a \
collection to an external source; a sync moves data between the two.

Every error is a problem document (RFC 9457) whose `code` is stable; each has a page under `/docs/errors/`. Every POST takes an \
`Idempotency-Key`. Lists are read page by page with `limit` and `cursor`. An answer may get new fields in later versions.";

/// The document of these operations.
pub(crate) fn document(operations: &[Operation]) -> Value {
    let mut writer = Writer::new();
    let mut paths: BTreeMap<&str, Map<String, Value>> = BTreeMap::new();
    for operation in operations {
        let method = operation.method.as_str().to_ascii_lowercase();
        paths.entry(operation.path).or_default().insert(method, writer.operation(operation));
    }
    let problem = writer.answers.subschema_for::<ProblemView<'_>>();
    debug_assert!(problem.get("$ref").is_some(), "a problem is referred to by its name");
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Inlet",
            "version": env!("CARGO_PKG_VERSION"),
            "summary": "A self-hosted data-integration server",
            "description": DESCRIPTION,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "tags": TAGS.iter().map(|(name, about)| json!({"name": name, "description": about})).collect::<Vec<_>>(),
        "paths": paths,
        "components": {
            "schemas": writer.schemas(),
            "securitySchemes": {
                "apiKey": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
                "bearer": {"type": "http", "scheme": "bearer"},
            },
        },
    })
}

/// What a path is about: its tag.
pub(crate) fn tag_of(path: &str) -> &'static str {
    let has = |step: &str| path.split('/').any(|each| each == step);
    match path {
        _ if has("records") || has("changes") => "records",
        _ if has("sync") || has("hooks") => "syncs",
        _ if has("connectors") || has("connector-types") => "connectors",
        _ if has("collections") => "collections",
        _ if has("spaces") => "spaces",
        _ if has("keys") || has("audit") => "keys",
        _ => "server",
    }
}

/// Writes operations, and gathers the schemas they refer to.
struct Writer {
    /// Of bodies that are sent: a field with a default may be left out.
    bodies: SchemaGenerator,
    /// Of answers: every field is there.
    answers: SchemaGenerator,
}

impl Writer {
    fn new() -> Self {
        let generator = |contract: Contract| {
            let settings = SchemaSettings::draft2020_12().with(|settings| {
                settings.definitions_path = "/components/schemas".into();
                settings.meta_schema = None;
                settings.contract = contract;
            });
            settings.with_transform(RecursiveTransform(plain_enum)).into_generator()
        };
        Self { bodies: generator(Contract::Deserialize), answers: generator(Contract::Serialize) }
    }

    fn operation(&mut self, operation: &Operation) -> Value {
        let mut written = Map::new();
        let mut put = |name: &str, value: Value| written.insert(name.to_owned(), value);
        put("operationId", operation.id.into());
        put("tags", json!([tag_of(operation.path)]));
        put("summary", operation.summary.into());
        put("description", description(operation).into());
        put("security", security(operation.access));
        put("x-required-role", operation.access.as_str().into());
        let mut params: Vec<Value> = operation.params.iter().map(|param| self.param(param)).collect();
        if operation.idempotent {
            params.push(idempotency_key());
        }
        if !params.is_empty() {
            put("parameters", params.into());
        }
        if let Some(body) = &operation.body {
            let schema = transformed(body.schema, &mut self.bodies);
            let content: Map<String, Value> = body
                .media_types
                .iter()
                .enumerate()
                .map(|(place, media_type)| {
                    let mut content = json!({"schema": schema});
                    if place == 0 {
                        content["example"] = body.example.clone();
                    }
                    ((*media_type).to_owned(), content)
                })
                .collect();
            put("requestBody", json!({"required": body.required, "content": content}));
        }
        put("responses", self.responses(operation).into());
        written.into()
    }

    fn responses(&mut self, operation: &Operation) -> Map<String, Value> {
        let mut responses = Map::new();
        for reply in &operation.replies {
            responses.insert(reply.status.as_str().to_owned(), self.reply(reply));
        }
        let mut by_status: BTreeMap<u16, Vec<Code>> = BTreeMap::new();
        for code in &operation.codes {
            by_status.entry(code.status().as_u16()).or_default().push(*code);
        }
        for (status, codes) in by_status {
            responses.insert(status.to_string(), problem(status, &codes));
        }
        responses
    }

    fn reply(&mut self, reply: &Reply) -> Value {
        let mut written = json!({"description": reply.description});
        match &reply.content {
            Content::Empty => {}
            Content::Json { schema, example } => {
                let schema = transformed(*schema, &mut self.answers);
                written["content"] = json!({"application/json": {"schema": schema, "example": example}});
            }
            Content::Text { media_types } => {
                for media_type in media_types {
                    written["content"][media_type] = json!({"schema": {"type": "string"}});
                }
            }
            // The schema is that of each event, as readers of the document take it.
            Content::Events => {
                let text = json!({"type": "string"});
                let event = json!({
                    "type": "object", "required": ["data"],
                    "properties": {"id": text, "event": text, "data": text, "retry": {"type": "integer"}},
                });
                written["content"]["text/event-stream"] = json!({"schema": event});
            }
        }
        if !reply.headers.is_empty() {
            let header = |header: &Param| {
                let schema = header.schema(&mut self.answers);
                (header.name.to_owned(), json!({"description": header.description, "schema": schema}))
            };
            written["headers"] = reply.headers.iter().map(header).collect::<Map<_, _>>().into();
        }
        for link in &reply.links {
            let parameters: Map<String, Value> =
                link.parameters.iter().map(|(name, place)| ((*name).to_owned(), (*place).into())).collect();
            written["links"][link.to] = json!({"operationId": link.to, "parameters": parameters});
        }
        written
    }

    fn param(&mut self, param: &Param) -> Value {
        json!({
            "name": param.name,
            "in": param.place.as_str(),
            "required": param.is_required(),
            "description": param.description,
            "schema": param.schema(&mut self.bodies),
        })
    }

    /// Every schema that was referred to, by its name.
    fn schemas(mut self) -> Map<String, Value> {
        let mut schemas = self.bodies.take_definitions(true);
        schemas.extend(self.answers.take_definitions(true));
        schemas
    }
}

fn transformed(schema: SchemaOf, generator: &mut SchemaGenerator) -> Schema {
    let mut schema = schema.generate(generator);
    for transform in generator.transforms_mut() {
        transform.transform(&mut schema);
    }
    schema
}

/// An enum whose variants are texts is written as such: generated clients make an enum of it, and not a union of constants.
fn plain_enum(schema: &mut Schema) {
    let Some(Value::Array(variants)) = schema.get("oneOf") else { return };
    let of = |variant: &Value, name: &str| variant.get(name).and_then(Value::as_str).map(str::to_owned);
    let mut names: Vec<Value> = Vec::new();
    let mut lines = Vec::new();
    for variant in variants {
        if let Some(several) = variant.get("enum").and_then(Value::as_array) {
            names.extend(several.iter().cloned());
            continue;
        }
        let Some(name) = of(variant, "const") else { return };
        lines.extend(of(variant, "description").map(|about| format!("- `{name}`: {about}")));
        names.push(name.into());
    }
    let about = schema.get("description").and_then(Value::as_str).unwrap_or_default();
    let description = [about, &lines.join("\n")].join("\n\n").trim().to_owned();
    schema.remove("oneOf");
    schema.insert("type".to_owned(), "string".into());
    schema.insert("enum".to_owned(), names.into());
    if !description.is_empty() {
        schema.insert("description".to_owned(), description.into());
    }
}

fn description(operation: &Operation) -> String {
    let role = match operation.access {
        Access::Public => "Asks for no key.".to_owned(),
        access => format!("Needs a key with the role `{}`.", access.as_str()),
    };
    [operation.description, &role].join("\n\n").trim().to_owned()
}

fn security(access: Access) -> Value {
    match access {
        Access::Public => json!([]),
        _ => json!([{"apiKey": []}, {"bearer": []}]),
    }
}

fn idempotency_key() -> Value {
    json!({
        "name": "Idempotency-Key",
        "in": "header",
        "required": false,
        "description": "A text of your choice: the same request sent again with it is done once, and answered as the first time.",
        "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!#-~][ -~]*$"},
    })
}

/// The answer with this status, which any of these codes may have.
fn problem(status: u16, codes: &[Code]) -> Value {
    let lines: Vec<String> =
        codes.iter().map(|code| format!("- `{}`: {}", code.name(), code.title())).collect();
    let names: Vec<&str> = codes.iter().map(|code| code.name()).collect();
    let code = codes.first().expect("a status is listed for a code");
    let example = json!({
        "type": format!("/docs/errors/{}", code.name()),
        "title": code.title(),
        "status": status,
        "detail": format!("{}.", code.title()),
        "code": code.name(),
        "request_id": "req_01h455vb4pex5vsknk084sn02q",
        "retryable": code.retryable(),
    });
    json!({
        "description": lines.join("\n"),
        "content": {"application/problem+json": {
            "schema": {"$ref": "#/components/schemas/Problem"},
            "example": example,
        }},
        "x-codes": names,
    })
}
