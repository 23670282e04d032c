//! The parameters of a call: in its path, its query and its headers.

use inlet_model::{CollectionId, ConnectorId, DeliveryId, KeyId, SpaceId, StreamName, SyncId, WebhookId};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use super::SchemaOf;
use crate::codes::Code;

/// Where a parameter stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// A segment of the path.
    Path,
    /// Behind the `?`.
    Query,
    /// A header.
    Header,
}

impl Place {
    /// The word of OpenAPI.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Path => "path",
            Self::Query => "query",
            Self::Header => "header",
        }
    }
}

/// A parameter.
#[derive(Debug, Clone)]
pub(crate) struct Param {
    pub(crate) name: &'static str,
    pub(crate) place: Place,
    pub(crate) description: &'static str,
    schema: ParamSchema,
    codes: &'static [Code],
}

#[derive(Debug, Clone)]
enum ParamSchema {
    Of(SchemaOf),
    Written(Schema),
}

impl Param {
    /// A query parameter whose text is a `T`.
    pub(crate) fn query<T: JsonSchema>(name: &'static str, description: &'static str) -> Self {
        let schema = ParamSchema::Of(SchemaOf::new::<T>());
        Self { name, place: Place::Query, description, schema, codes: &[Code::InvalidParameter] }
    }

    /// A query parameter that is `true` or `false`.
    pub(crate) fn flag(name: &'static str, description: &'static str) -> Self {
        Self::query::<bool>(name, description)
    }

    /// A query parameter with this schema.
    pub(crate) fn written(name: &'static str, description: &'static str, schema: Schema) -> Self {
        let schema = ParamSchema::Written(schema);
        Self { name, place: Place::Query, description, schema, codes: &[Code::InvalidParameter] }
    }

    /// A header.
    pub(crate) fn header(name: &'static str, description: &'static str) -> Self {
        let schema = ParamSchema::Written(json_schema!({"type": "string"}));
        Self { name, place: Place::Header, description, schema, codes: &[Code::InvalidHeader] }
    }

    /// `limit`, up to `longest`.
    pub(crate) fn limit(longest: usize) -> Self {
        let schema = json_schema!({"type": "integer", "minimum": 1, "maximum": longest, "default": 50});
        let codes = &[Code::LimitInvalid];
        Self { codes, ..Self::written("limit", "How many at most.", schema) }
    }

    /// `order`.
    pub(crate) fn order() -> Self {
        let schema = json_schema!({"type": "string", "enum": ["desc", "asc"], "default": "desc"});
        Self::written(
            "order",
            "By time of creation: `desc` for newest first, `asc` for oldest first.",
            schema,
        )
    }

    /// `order`, of a list that begins with the oldest.
    pub(crate) fn order_from_oldest() -> Self {
        let schema = json_schema!({"type": "string", "enum": ["asc", "desc"], "default": "asc"});
        Self::written("order", "`asc` for oldest first, `desc` for newest first.", schema)
    }

    /// `cursor`.
    pub(crate) fn cursor() -> Self {
        let description = "Where to go on: `next_cursor` of the page before, with the same path and filters.";
        Self { codes: &[Code::CursorInvalid], ..Self::query::<String>("cursor", description) }
    }

    /// The same, explained otherwise.
    pub(crate) fn described(self, description: &'static str) -> Self {
        Self { description, ..self }
    }

    /// `If-Match`.
    pub(crate) fn if_match() -> Self {
        let schema = json_schema!({"type": "string", "examples": ["\"3\"", "*"]});
        let description =
            "The `ETag` of the connector as you know it: if it has changed since, nothing is done.";
        Self {
            schema: ParamSchema::Written(schema),
            codes: &[Code::InvalidHeader, Code::ConnectorChanged],
            ..Self::header("If-Match", description)
        }
    }

    /// What may be wrong with it.
    pub(super) fn codes(&self) -> &'static [Code] {
        self.codes
    }

    /// Whether it must be given: what stands in a path always is.
    pub(crate) fn is_required(&self) -> bool {
        self.place == Place::Path
    }

    /// The schema of its value.
    pub(crate) fn schema(&self, generator: &mut SchemaGenerator) -> Schema {
        match &self.schema {
            ParamSchema::Of(schema) => schema.generate(generator),
            ParamSchema::Written(schema) => schema.clone(),
        }
    }
}

/// The parameters that stand in a path, in their order.
pub(super) fn of_path(path: &str) -> Vec<Param> {
    let names = path.split('/').filter_map(|step| step.strip_prefix('{')?.strip_suffix('}'));
    names.map(in_path).collect()
}

fn in_path(name: &str) -> Param {
    let of = |name, schema, description| {
        let schema = ParamSchema::Of(schema);
        Param { name, place: Place::Path, description, schema, codes: &[] }
    };
    match name {
        "space_id" => of("space_id", SchemaOf::new::<SpaceId>(), "The space."),
        "collection_id" => of("collection_id", SchemaOf::new::<CollectionId>(), "The collection."),
        "connector_id" => of("connector_id", SchemaOf::new::<ConnectorId>(), "The connector."),
        "sync_id" => of("sync_id", SchemaOf::new::<SyncId>(), "The sync."),
        "stream" => of("stream", SchemaOf::new::<StreamName>(), "The name of the stream."),
        "key" => {
            let description =
                "The key as JSON, such as `42` or `[\"EWR\",7]`; a text that is no JSON stands for itself.";
            of("key", SchemaOf::new::<String>(), description)
        }
        "webhook_id" => of("webhook_id", SchemaOf::new::<WebhookId>(), "The webhook."),
        "delivery_id" => of("delivery_id", SchemaOf::new::<DeliveryId>(), "The delivery."),
        "key_id" => of("key_id", SchemaOf::new::<KeyId>(), "The API key."),
        "code" => of("code", SchemaOf::new::<Code>(), "An error code."),
        "type" => of("type", SchemaOf::new::<String>(), "The name of a connector type."),
        other => unreachable!("the path parameter `{other}` is described here"),
    }
}
