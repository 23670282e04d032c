//! A type's JSON Schema, to be asked for later.

use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator};

/// Makes of an object's schema that of a patch: what is not changed is left out.
pub(crate) fn every_member_optional(schema: &mut Schema) {
    schema.remove("required");
}

/// Gives the schema of a type, by reference where the type has a name.
#[derive(Clone, Copy)]
pub(crate) struct SchemaOf(fn(&mut SchemaGenerator) -> Schema);

impl SchemaOf {
    /// The schema of `T`.
    pub(crate) fn new<T: JsonSchema>() -> Self {
        Self(SchemaGenerator::subschema_for::<T>)
    }

    /// The schema; what it refers to is left with the generator.
    pub(crate) fn generate(self, generator: &mut SchemaGenerator) -> Schema {
        (self.0)(generator)
    }
}

impl fmt::Debug for SchemaOf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SchemaOf")
    }
}
