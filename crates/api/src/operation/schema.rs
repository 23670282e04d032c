//! A type's JSON Schema, to be asked for later.

use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

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

    /// A schema that everything fits. Written as an object: not every reader knows that `true` says the same.
    pub(crate) fn anything() -> Self {
        Self(|_| json_schema!({}))
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
