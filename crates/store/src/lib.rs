//! The catalog and the collection store.
