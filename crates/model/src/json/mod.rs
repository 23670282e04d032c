//! JSON in one pass: from the bytes of a source to the canonical bytes that are hashed, compared and stored.
//!
//! Canonical means: no white space between tokens, the members of every object sorted by name, and every
//! number and string exactly as the source spelled it. `docs/values.md` says it in full, with examples that
//! are tested.

mod canonical;
mod error;
mod members;
mod number;
mod object;
mod order;
mod pass;
mod scan;
mod scanner;
mod string;
#[cfg(test)]
mod tests;

pub use canonical::{Canonicalizer, Limits};
pub use error::{JsonError, JsonErrorKind};
pub use members::{Members, ValueKind};
pub use number::{is_canonical_number, is_number};
pub use object::{Field, Object};
pub use scanner::{Scan, ValueScanner, find_value_end};
pub use string::{decode_string, write_string};
