//! `inlet sync`: brings a source into a collection, once.

pub(crate) mod connector;
pub(crate) mod follow;
mod rejected;
mod source;
pub(crate) mod summary;
pub(crate) mod told;

use inlet_model::sync::SyncStatus;
use serde_json::json;

use crate::args::{ModeArg, SyncArgs};
use crate::client::objects::Sync;
use crate::client::{CallError, Client};
use crate::collection_name::CollectionName;
use crate::errors::CommandError;
use crate::output::progress::Progress;
use crate::output::table::terminal_width;
use crate::output::{OutputFormat, print, say};
use crate::session::{Need, Session};
use crate::signals::StopRequests;
use connector::ConnectorPlan;
use follow::{Ended, Interrupt};

/// Runs the command.
pub(crate) async fn run(args: &SyncArgs) -> Result<(), CommandError> {
    let mut stop = StopRequests::listen()?;
    let into = CollectionName::parse(&args.into)?;
    let ready = async {
        let plan = source::read(args).await?;
        let session = Session::open(&args.api.server, Need::NewSyncs).await?;
        Ok::<_, CommandError>((plan, session))
    };
    let (plan, session) = tokio::select! {
        ready = ready => ready?,
        signal = stop.next() => {
            return Err(CommandError::failure("interrupted", format!("{signal}: nothing was begun")).into());
        }
    };
    let result = sync(&session, &into, &plan, args, &mut stop).await;
    session.close().await;
    result
}

async fn sync(
    session: &Session,
    into: &CollectionName,
    plan: &ConnectorPlan,
    args: &SyncArgs,
    stop: &mut StopRequests,
) -> Result<(), CommandError> {
    let client = session.client();
    let output = args.api.output.output;
    let progress = Progress::start(plan.name(), output);
    connector::ensure_collection(client, into).await?;
    let connector = connector::find_or_create(client, into, plan).await?;
    let mut waiting = Waiting { client, progress: &progress, stop, approves: args.approve_deletes };
    let sync = trigger(&mut waiting, &connector, args.mode).await?;
    let ended = waiting.follow(&sync, Interrupt::Cancels).await?;
    progress.end();
    let shown = show(client, &sync, into, &ended, output).await;
    // How the sync ended counts for more than whether anybody read it.
    outcome(&ended).and(shown)
}

/// How this command waits for syncs.
struct Waiting<'a> {
    client: &'a Client,
    progress: &'a Progress,
    stop: &'a mut StopRequests,
    /// Whether whatever they ask to delete is approved.
    approves: bool,
}

impl Waiting<'_> {
    async fn follow(&mut self, path: &str, interrupt: Interrupt) -> Result<Ended, CommandError> {
        loop {
            let ended = follow::to_the_end(self.client, path, self.progress, self.stop, interrupt).await?;
            if ended.sync.status != SyncStatus::NeedsApproval || !self.approves {
                return Ok(ended);
            }
            self.client.post(&format!("{path}/approve"), &json!({})).await?;
        }
    }
}

/// Shows how a sync ended.
pub(super) async fn show(
    client: &Client,
    path: &str,
    into: &CollectionName,
    ended: &Ended,
    output: OutputFormat,
) -> Result<(), CommandError> {
    if output == OutputFormat::Json {
        return Ok(print(&format!("{}\n", ended.text))?);
    }
    print(&summary::table(&ended.sync, into, terminal_width()))?;
    if ended.sync.counts.rejected > 0 {
        print(&rejected::table(client, path, &ended.sync).await?)?;
    }
    Ok(())
}

/// Triggers a sync, and gives its path. One that somebody began before is waited for first: only a sync that begins now has
/// seen what the source holds now.
async fn trigger(waiting: &mut Waiting<'_>, connector: &str, mode: ModeArg) -> Result<String, CommandError> {
    let mode = mode.as_str();
    loop {
        let in_the_way = match waiting.client.post(&format!("{connector}/sync"), &json!({"mode": mode})).await
        {
            Ok(body) => return Ok(sync_path(connector, &body.read::<follow::SyncId>()?.id)),
            Err(CallError::Problem(problem)) if problem.code == "sync.already_running" => {
                let id =
                    problem.resource.as_ref().and_then(|sync| sync.get("id")?.as_str().map(str::to_owned));
                match id {
                    Some(id) => id,
                    None => return Err(CallError::Problem(problem).into()),
                }
            }
            Err(error) => return Err(error.into()),
        };
        waiting.progress.say(&format!("{in_the_way} has not ended: waiting for it before this sync begins"));
        let path = sync_path(connector, &in_the_way);
        let earlier = waiting.follow(&path, Interrupt::Leaves(follow::LATER)).await?;
        if earlier.sync.status == SyncStatus::NeedsApproval {
            return Err(needs_approval(&earlier.sync));
        }
        waiting.progress.say(&format!(
            "{in_the_way} {}: {}",
            earlier.sync.status,
            summary::line(&earlier.sync)
        ));
    }
}

/// The path of a sync of this connector.
pub(crate) fn sync_path(connector: &str, sync_id: &str) -> String {
    format!("{connector}/sync/{}", crate::client::segment(sync_id))
}

/// The sync waits for a decision, which is nothing to wait for.
fn needs_approval(sync: &Sync) -> CommandError {
    let of = sync.pending_deletes.as_ref().map_or((0, 0), |deletes| (deletes.records, deletes.of));
    let message =
        format!("{} would delete {} of {} records, and nobody has approved that", sync.id, of.0, of.1);
    let hint = format!(
        "`inlet syncs deletes CONNECTOR {id}` shows them, `inlet syncs approve CONNECTOR {id}` deletes them, and \
         `inlet syncs discard CONNECTOR {id}` keeps them",
        id = sync.id
    );
    CommandError::failure("sync.needs_approval", message).hint(&hint).into()
}

/// Success only if the sync succeeded.
pub(crate) fn outcome(ended: &Ended) -> Result<(), CommandError> {
    let sync = &ended.sync;
    match sync.status {
        SyncStatus::Succeeded => Ok(()),
        SyncStatus::NeedsApproval => Err(needs_approval(sync)),
        SyncStatus::Cancelled => Err(CommandError::failure("sync.cancelled", "the sync was cancelled")
            .hint("what was committed stays, and the same command goes on from there")
            .into()),
        _ => {
            // What ended several streams at once is said once, as the error of the sync.
            let ended_with_sync = sync.streams.iter().filter(|stream| stream.error == sync.error).count();
            for stream in sync.streams.iter().filter(|it| ended_with_sync < 2 || it.error != sync.error) {
                if let Some(error) = &stream.error {
                    say(&format!("stream {}: {} ({})", stream.name, error.message, error.code));
                }
            }
            let (code, message, hint) = match &sync.error {
                Some(error) => (error.code.as_str(), error.message.as_str(), error.hint.as_deref()),
                None => ("sync.failed", "the sync failed", None),
            };
            let hint = hint.unwrap_or("what was committed stays, and the same command goes on from there");
            Err(CommandError::failure(code, message).hint(hint).into())
        }
    }
}
