//! `inlet keys`: the keys of a data directory.

mod rotate_encryption;

use crate::args::{KeysArgs, KeysCommand};
use crate::errors::CommandError;

/// Runs the command.
pub(crate) async fn run(args: &KeysArgs) -> Result<(), CommandError> {
    match &args.command {
        KeysCommand::RotateEncryption(args) => rotate_encryption::run(args).await,
    }
}
