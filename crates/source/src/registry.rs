//! The connector types there are, without saying which.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use inlet_model::fields::FieldErrors;
use serde_json::Value;

use crate::{CallBudgets, Capabilities, Egress, Source};

/// What the operator allows sources to touch.
#[derive(Debug, Clone, Default)]
pub struct Environment {
    /// The directories under which local files may be read, made canonical. None: no file may be read.
    pub files_roots: Vec<PathBuf>,
    /// Where sources may connect to.
    pub egress: Egress,
    /// How often sources may call.
    pub call_budgets: CallBudgets,
}

/// One kind of source: turns a config into a [`Source`].
pub trait ConnectorType: Send + Sync + std::fmt::Debug {
    /// The name in the API, such as `files`.
    fn name(&self) -> &'static str;

    /// One sentence: what it reads.
    fn summary(&self) -> &'static str;

    /// The JSON Schema (2020-12) of the config: a title and a description for it and for every field, whole configs as
    /// `examples`.
    ///
    /// It accepts nothing that [`build`](Self::build) refuses for its form, and the other way round. It marks secrets with
    /// `writeOnly` and the fields that say where they go with [`SECRET_DESTINATION`](crate::config_marks::SECRET_DESTINATION), none of
    /// them inside an array.
    fn config_schema(&self) -> Value;

    /// The user's page, in Markdown.
    fn docs(&self) -> &'static str;

    /// What its sources promise at best; with some configs it may be less.
    fn capabilities(&self) -> Capabilities {
        Capabilities::default()
    }

    /// Whether records are pushed to connectors of this type over the API.
    fn accepts_push(&self) -> bool {
        false
    }

    /// Checks a config without touching the source, naming every bad field, and builds the source.
    fn build(&self, config: Value, environment: &Environment) -> Result<Box<dyn Source>, FieldErrors>;
}

/// The connector type is not known; the known ones are listed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no connector type `{name}`; the types are {}", .known.join(", "))]
pub struct UnknownType {
    /// What was asked for.
    pub name: String,
    /// What there is.
    pub known: Vec<&'static str>,
}

/// The connector types of this server, by name. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Registry(Arc<BTreeMap<&'static str, Arc<dyn ConnectorType>>>);

impl Registry {
    /// A registry of these types; of two with one name the later counts.
    #[must_use]
    pub fn new(types: impl IntoIterator<Item = Arc<dyn ConnectorType>>) -> Self {
        Self(Arc::new(types.into_iter().map(|each| (each.name(), each)).collect()))
    }

    /// The type of that name.
    pub fn get(&self, name: &str) -> Result<&Arc<dyn ConnectorType>, UnknownType> {
        self.0
            .get(name)
            .ok_or_else(|| UnknownType { name: name.to_owned(), known: self.0.keys().copied().collect() })
    }

    /// All types, in the order of their names.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<dyn ConnectorType>> {
        self.0.values()
    }
}
