//! What a person is told of a move that was refused or given up.

use std::path::Path;

use inlet_store::transfer::TransferError;

use crate::errors::{CommandError, Complaint};
use crate::place;

/// What is told of `error`; `path` is the data directory's.
pub(super) fn told(error: TransferError, path: &Path) -> CommandError {
    let code = error.code();
    let failure = |message: &str| CommandError::failure(code, message);
    let input = |message: &str| CommandError::input(code, message);
    let complaint: Complaint = match &error {
        TransferError::Store(_) => return of_store(error, path),
        TransferError::InUse { .. } => failure("the database is in use")
            .hint("stop all its servers; of one that was killed the lease ends after half a minute"),
        TransferError::Nothing => input("there is nothing to move")
            .hint("say which database with --database-url; `?options=-csearch_path%3DNAME` chooses a schema"),
        TransferError::NotEmpty { .. } => input("everything is moved to an empty place only")
            .hint("name a new directory, or a new database or schema; what is there is left as it is"),
        TransferError::OtherSource => input("a move to there was begun and not finished, and of other data")
            .hint("give that command again, or name another place"),
        TransferError::Differs { .. } => failure("what was moved is not what was there")
            .hint("somebody has written to one of the two meanwhile: see that nobody does, and move everything to a new place"),
        TransferError::Stopped => {
            failure("it was interrupted").hint("give the same command again: it goes on where it was")
        }
    };
    complaint.because(error).into()
}

/// Either side may have failed; what it was about is in the cause.
fn of_store(error: TransferError, path: &Path) -> CommandError {
    match error {
        TransferError::Store(error) => place::unmovable(path, error),
        other => CommandError::failure(other.code(), "it cannot be moved").because(other).into(),
    }
}
