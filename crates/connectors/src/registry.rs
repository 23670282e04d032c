//! The connector types there are: the only list.

use std::sync::Arc;

use inlet_source::{ConnectorType, Registry};

use crate::external_source::ExternalSource;
use crate::files::Files;
use crate::postgres::Postgres;
use crate::sqlite::Sqlite;

/// Every connector type of this build.
#[must_use]
pub fn registry() -> Registry {
    let types: [Arc<dyn ConnectorType>; 4] = [
        // One line each, in the order of their names.
        Arc::new(ExternalSource),
        Arc::new(Files::default()),
        Arc::new(Postgres::default()),
        Arc::new(Sqlite::default()),
    ];
    Registry::new(types)
}
