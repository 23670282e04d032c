//! The embedded backend: SQLite, one file for the catalog and one for each collection.
