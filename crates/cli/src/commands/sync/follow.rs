//! Waiting for a sync to end.

use std::time::Duration;

use inlet_model::sync::SyncStatus;
use serde::Deserialize;
use serde_json::json;

use crate::client::{CallError, Client, objects};
use crate::errors::CommandError;
use crate::output::progress::Progress;
use crate::signals::StopRequests;

/// The first answer is asked for after this long: a small sync has ended by then …
const SHORTEST_WAIT: Duration = Duration::from_millis(5);
/// … and each next one after twice as long, up to this.
const LONGEST_WAIT: Duration = Duration::from_millis(100);

/// A sync that has ended, or asks whether it may delete.
#[derive(Debug)]
pub(crate) struct Ended {
    /// The sync.
    pub(crate) sync: objects::Sync,
    /// The sync, as the API gave it.
    pub(crate) text: String,
}

/// A sync's id, whatever else there is.
#[derive(Debug, Deserialize)]
pub(crate) struct SyncId {
    /// The id.
    pub(crate) id: String,
}

/// What Ctrl-C does to a sync that is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Interrupt {
    /// It is cancelled, and waited for still.
    Cancels,
    /// It is left alone, and waited for no more; the text says what becomes of it.
    Leaves(&'static str),
}

/// What becomes of a sync that is left alone, wherever it runs.
pub(crate) const LATER: &str = "what was committed stays; a sync that has not ended goes on later";

/// Waits until the sync at `path` has ended or needs approval, which may take a person days; shows how it comes on.
pub(crate) async fn to_the_end(
    client: &Client,
    path: &str,
    progress: &Progress,
    stop: &mut StopRequests,
    interrupt: Interrupt,
) -> Result<Ended, CommandError> {
    let mut wait = SHORTEST_WAIT;
    let mut is_cancelled = false;
    loop {
        let body = client.get(path).await?;
        let sync: objects::Sync = body.read()?;
        if sync.status.is_final() || sync.status == SyncStatus::NeedsApproval {
            return Ok(Ended { sync, text: body.text()?.to_owned() });
        }
        progress.show(sync.status.as_str(), &sync.counts);
        tokio::select! {
            () = tokio::time::sleep(wait) => wait = (wait * 2).min(LONGEST_WAIT),
            signal = stop.next() => {
                let fate = match interrupt {
                    Interrupt::Cancels => LATER,
                    Interrupt::Leaves(fate) => fate,
                };
                if interrupt != Interrupt::Cancels || is_cancelled {
                    return Err(CommandError::failure("interrupted", format!("{signal}: no longer waiting for {}", sync.id))
                        .hint(fate)
                        .into());
                }
                is_cancelled = true;
                progress.say(&format!("{signal}: cancelling {}; once more to stop waiting", sync.id));
                cancel(client, path).await?;
                wait = SHORTEST_WAIT;
            }
        }
    }
}

/// Cancels the sync at `path`. That it ended in the meantime is no error.
async fn cancel(client: &Client, path: &str) -> Result<(), CallError> {
    match client.post(&format!("{path}/cancel"), &json!({})).await {
        Err(CallError::Problem(problem)) if problem.code == "sync.already_finished" => Ok(()),
        other => other.map(drop),
    }
}
