//! Hooks: where signed messages from outside trigger connectors.

pub(crate) mod trigger;
mod verify;

pub(crate) use verify::Message;
