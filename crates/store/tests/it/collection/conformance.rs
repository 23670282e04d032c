//! The suite that every collection store passes.

inlet_store::collection_tests!(crate::collection::fresh);
