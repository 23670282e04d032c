//! Following a sync by the events that its server tells.

use std::time::Duration;

use inlet_model::Counts;
use inlet_model::sync::SyncStatus;
use serde::Deserialize;

use super::follow::{self, Ended, Interrupt};
use crate::client::{CallError, Client, Events};
use crate::errors::CommandError;
use crate::output::progress::Progress;
use crate::signals::StopRequests;

/// A stream of events that was lost is begun anew after this …
const LOST_WAIT: Duration = Duration::from_millis(500);
/// … and so often in a row.
const LOSSES: u32 = 10;

/// How a sync stands.
#[derive(Debug, Deserialize)]
struct Standing {
    status: SyncStatus,
    counts: Counts,
}

/// A line of a log.
#[derive(Debug, Deserialize)]
struct Line {
    level: String,
    message: String,
}

/// Waits until the sync at `path` has ended, showing each step as it happens. `fate` says what becomes of it if it is not waited
/// for any more. A server that tells of no events is asked again and again instead.
pub(crate) async fn to_the_end(
    client: &Client,
    path: &str,
    progress: &Progress,
    stop: &mut StopRequests,
    fate: &'static str,
) -> Result<Ended, CommandError> {
    let at = format!("{path}/events");
    let (mut last_id, mut losses): (Option<String>, u32) = (None, 0);
    while losses <= LOSSES {
        match client.events(&at, last_id.as_deref()).await {
            Ok(Some(mut events)) => {
                let listening = listen(&mut events, progress);
                let ended = tokio::select! {
                    ended = listening => ended?,
                    signal = stop.next() => return Err(left(path, signal, fate)),
                };
                if let Some(ended) = ended {
                    return Ok(ended);
                }
                if let Some(id) = events.last_id() {
                    last_id = Some(id.to_owned());
                    losses = 0;
                }
            }
            Ok(None) => break,
            Err(CallError::Problem(problem)) if problem.code == "request.route_not_found" => break,
            Err(error) if losses < LOSSES && error.is_lost_connection() => {}
            Err(error) => return Err(error.into()),
        }
        losses += 1;
        tokio::time::sleep(LOST_WAIT).await;
    }
    follow::to_the_end(client, path, progress, stop, Interrupt::Leaves(fate)).await
}

/// Shows what the events tell. `None`: the stream was lost before the sync had ended.
async fn listen(events: &mut Events, progress: &Progress) -> Result<Option<Ended>, CallError> {
    while let Ok(Some(event)) = events.next().await {
        match event.name.as_str() {
            "progress" => {
                let at: Standing = event.read()?;
                progress.show(at.status.as_str(), &at.counts);
            }
            "log" => warn(&event.read()?, progress),
            "end" => {
                let sync = event.read()?;
                return Ok(Some(Ended { sync, text: event.into_text() }));
            }
            _ => {}
        }
    }
    Ok(None)
}

/// Says what the source wants people to know. What went wrong is said at the end.
fn warn(line: &Line, progress: &Progress) {
    if line.level == "warning" {
        progress.say(&format!("warning: {}", line.message));
    }
}

fn left(path: &str, signal: &str, fate: &'static str) -> CommandError {
    let id = path.rsplit('/').next().unwrap_or(path);
    CommandError::failure("interrupted", format!("{signal}: no longer waiting for {id}")).hint(fate).into()
}
