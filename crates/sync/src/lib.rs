//! The engine: source to batch to writer to collection.
