//! The `inlet` binary.
fn main() {}
