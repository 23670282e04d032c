//! Of which kind a column's values are: how they come and are read, and what becomes of them in JSON.

use serde_json::{Value, json};

/// A kind of value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Kind {
    /// Whole numbers.
    Integer,
    /// Decimals and floating point, which may also be no number or without end.
    Number,
    Boolean,
    /// What is text, and what is shown as its text.
    Text,
    Uuid,
    Bytes,
    Json,
    Date,
    TimeOfDay,
    /// Date and time, with a zone or without.
    Moment {
        is_zoned: bool,
    },
    /// Its elements, and what stands between them.
    Array(Box<Self>, u8),
    /// Its fields, in their order.
    Composite(Vec<(String, Self)>),
    Range(Box<Self>),
    Multirange(Box<Self>),
    /// Names and texts.
    Hstore,
}

impl Kind {
    /// The kind of a type that every server has.
    pub(super) fn of_builtin(oid: u32) -> Option<Self> {
        Some(match oid {
            16 => Self::Boolean,
            17 => Self::Bytes,
            // int8, int2, int4, oid, xid, cid, xid8
            20 | 21 | 23 | 26 | 28 | 29 | 5069 => Self::Integer,
            // float4, float8, numeric; money is selected as numeric
            700 | 701 | 1700 | MONEY => Self::Number,
            114 | 3802 => Self::Json,
            1082 => Self::Date,
            1083 | 1266 => Self::TimeOfDay,
            1114 => Self::Moment { is_zoned: false },
            1184 => Self::Moment { is_zoned: true },
            2950 => Self::Uuid,
            // "char", name, text, char(n), varchar
            18 | 19 | 25 | 1042 | 1043 => Self::Text,
            _ => return None,
        })
    }

    /// Whether a key made of such values can be asked for.
    pub(super) fn is_askable(&self) -> bool {
        !matches!(
            self,
            Self::Json
                | Self::Array(..)
                | Self::Composite(_)
                | Self::Range(_)
                | Self::Multirange(_)
                | Self::Hstore
        )
    }

    /// The JSON Schema of a value that is not NULL.
    pub(super) fn schema(&self) -> Value {
        match self {
            Self::Integer => json!({"type": "integer"}),
            Self::Number => json!({"type": ["number", "string"]}),
            Self::Boolean => json!({"type": "boolean"}),
            Self::Text => json!({"type": "string"}),
            Self::Uuid => json!({"type": "string", "format": "uuid"}),
            Self::Bytes => json!({"type": "string", "contentEncoding": "base64"}),
            Self::Json => json!({}),
            Self::Date => json!({"type": "string", "format": "date"}),
            Self::TimeOfDay => json!({"type": "string"}),
            Self::Moment { is_zoned: true } => json!({"type": "string", "format": "date-time"}),
            Self::Moment { is_zoned: false } => json!({"type": "string"}),
            // Arrays may be nested as deep as a row likes, whatever the column's type says.
            Self::Array(..) => json!({"type": "array"}),
            Self::Composite(fields) => {
                let properties = fields.iter().map(|(name, kind)| (name.clone(), nullable(kind.schema())));
                json!({"type": "object", "properties": Value::Object(properties.collect())})
            }
            Self::Range(_) => json!({"type": "object"}),
            Self::Multirange(_) => json!({"type": "array", "items": {"type": "object"}}),
            Self::Hstore => json!({"type": "object", "additionalProperties": {"type": ["string", "null"]}}),
        }
    }
}

/// In which form the server sends a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// As text, its own or that which stands for it.
    Text,
    Boolean,
    Integer,
    Unsigned,
    Bytes,
    Uuid,
    /// As text, behind the number of its version.
    Jsonb,
    Numeric,
    Date,
    TimeOfDay,
    Moment,
}

impl Form {
    /// The binary form of a type that every server has; `None` where its text is asked for.
    pub(super) fn of_builtin(oid: u32) -> Option<Self> {
        Some(match oid {
            16 => Self::Boolean,
            17 => Self::Bytes,
            20 | 21 | 23 => Self::Integer,
            // oid, xid, cid, xid8
            26 | 28 | 29 | 5069 => Self::Unsigned,
            // name, text, json, char(n), varchar
            19 | 25 | 114 | 1042 | 1043 => Self::Text,
            1082 => Self::Date,
            1083 => Self::TimeOfDay,
            1114 | 1184 => Self::Moment,
            // Money is selected as numeric.
            1700 | MONEY => Self::Numeric,
            2950 => Self::Uuid,
            3802 => Self::Jsonb,
            _ => return None,
        })
    }
}

/// The type of money, whose text is made for people of one country.
pub(super) const MONEY: u32 = 790;

/// The schema, with `null` allowed.
pub(super) fn nullable(mut schema: Value) -> Value {
    match schema.get_mut("type") {
        Some(Value::Array(types)) => types.push(json!("null")),
        Some(one) => *one = json!([one, "null"]),
        None => {}
    }
    schema
}
