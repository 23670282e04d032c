//! The connector types there are: the only list.

use std::sync::Arc;

use inlet_source::{ConnectorType, Registry};

use crate::external_source::ExternalSource;
use crate::files::Files;

/// Every connector type of this build.
#[must_use]
pub fn registry() -> Registry {
    let types: [Arc<dyn ConnectorType>; 2] = [
        // One line each, in the order of their names.
        Arc::new(ExternalSource),
        Arc::new(Files::default()),
    ];
    Registry::new(types)
}
