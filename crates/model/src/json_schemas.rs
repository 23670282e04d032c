//! The JSON Schemas of what is shown as text: identifiers, times and names.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use crate::{
    AuditId, CollectionId, ConnectorId, DeliveryId, KeyId, NodeId, RequestId, Scope, SpaceId, StreamName,
    SyncId, Timestamp, WebhookId,
};

macro_rules! text_schemas {
    ($($type:ident $schema:tt)*) => {
        $(
            impl JsonSchema for $type {
                fn schema_name() -> Cow<'static, str> {
                    stringify!($type).into()
                }

                fn inline_schema() -> bool {
                    true
                }

                fn json_schema(_: &mut SchemaGenerator) -> Schema {
                    json_schema!($schema)
                }
            }
        )*
    };
}

text_schemas! {
    SpaceId {"type": "string", "pattern": "^[a-z0-9][a-z0-9_-]{0,62}$"}
    CollectionId {"type": "string", "pattern": "^[a-z0-9][a-z0-9_-]{0,62}$"}
    ConnectorId {"type": "string", "pattern": "^con_[0-7][0-9a-hjkmnp-tv-z]{25}$"}
    SyncId {"type": "string", "pattern": "^syn_[0-7][0-9a-hjkmnp-tv-z]{25}$"}
    KeyId {"type": "string", "pattern": "^key_[0-7][0-9a-hjkmnp-tv-z]{25}$"}
    AuditId {"type": "string", "pattern": "^aud_[0-7][0-9a-hjkmnp-tv-z]{25}$"}
    NodeId {"type": "string", "pattern": "^nod_[0-7][0-9a-hjkmnp-tv-z]{25}$"}
    WebhookId {"type": "string", "pattern": "^whk_[0-7][0-9a-hjkmnp-tv-z]{25}$"}
    DeliveryId {"type": "string", "pattern": "^msg_[0-7][0-9a-hjkmnp-tv-z]{25}$"}
    RequestId {"type": "string", "pattern": "^req_[0-7][0-9a-hjkmnp-tv-z]{25}$"}
    Timestamp {"type": "string", "format": "date-time"}
    StreamName {"type": "string", "minLength": 1, "maxLength": StreamName::MAX_LEN}
    Scope {"type": "string"}
}
