//! The suite that every catalog passes.

inlet_store::catalog_tests!(crate::catalog::fresh);
