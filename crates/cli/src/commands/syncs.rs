//! `inlet syncs`: the syncs of a connector.

use serde_json::json;

use super::listing::{Listing, show};
use super::{connectors, sync};
use crate::args::{
    LevelArg, ListSyncs, LogsArgs, OrderArg, RejectedArgs, RevertArgs, SyncDeletes, SyncsArgs, SyncsCommand,
    TriggerArgs,
};
use crate::client::objects::Page;
use crate::client::{Body, Client, Query};
use crate::collection_name::CollectionName;
use crate::errors::CommandError;
use crate::output::object::Column;
use crate::output::progress::Progress;
use crate::output::{OutputFormat, say};
use crate::session::{Need, Session};
use crate::signals::StopRequests;
use sync::follow::SyncId;
use sync::{outcome, sync_path, told};

const COLUMNS: &[Column] = &[
    Column::text("id", "/id"),
    Column::text("status", "/status"),
    Column::text("mode", "/mode"),
    Column::count("read", "/counts/read"),
    Column::count("created", "/counts/created"),
    Column::count("updated", "/counts/updated"),
    Column::count("deleted", "/counts/deleted"),
    Column::count("rejected", "/counts/rejected"),
    Column::text("created at", "/created_at"),
];

const DELETES: &[Column] = &[
    Column::text("stream", "/stream"),
    Column::text("key", "/key"),
    Column::text("data", "/data"),
    Column::text("updated at", "/updated_at"),
];

const LOG_COLUMNS: &[Column] = &[
    Column::text("at", "/at"),
    Column::text("level", "/level"),
    Column::text("stream", "/stream"),
    Column::text("code", "/code"),
    Column::text("message", "/message"),
];

const REJECTED_COLUMNS: &[Column] = &[
    Column::text("stream", "/stream"),
    Column::text("part", "/scope"),
    Column::count("position", "/position"),
    Column::text("code", "/code"),
    Column::text("reason", "/reason"),
    Column::text("begins", "/sample"),
];

/// Runs the command.
pub(crate) async fn run(args: &SyncsArgs) -> Result<(), CommandError> {
    let collection = CollectionName::parse(&args.collection)?;
    let need = match &args.command {
        SyncsCommand::Trigger(_)
        | SyncsCommand::Replay { .. }
        | SyncsCommand::Revert(_)
        | SyncsCommand::Follow { .. }
        | SyncsCommand::Approve { .. } => Need::Syncs,
        _ => Need::Present,
    };
    let session = Session::open(&args.api.server, need).await?;
    let syncs = Syncs { session: &session, collection: &collection, output: args.api.output.output };
    let result = syncs.perform(&args.command).await;
    session.close().await;
    result
}

/// The syncs of the connectors of one collection.
struct Syncs<'a> {
    session: &'a Session,
    collection: &'a CollectionName,
    output: OutputFormat,
}

impl Syncs<'_> {
    async fn perform(&self, command: &SyncsCommand) -> Result<(), CommandError> {
        let client = self.client();
        match command {
            SyncsCommand::List(list) => self.list(list).await,
            SyncsCommand::Get { connector, sync } => {
                show(&client.get(&sync_path(&self.connector(connector).await?, sync)).await?, self.output)
            }
            SyncsCommand::Trigger(trigger) => self.trigger(trigger).await,
            SyncsCommand::Logs(logs) => self.logs(logs).await,
            SyncsCommand::Rejected(rejected) => self.rejected(rejected).await,
            SyncsCommand::Replay { connector, sync, wait } => {
                self.replay(connector, sync.as_deref(), *wait).await
            }
            SyncsCommand::Revert(revert) => self.revert(revert).await,
            SyncsCommand::Cancel { connector, sync } => {
                let connector = self.connector(connector).await?;
                let path = match sync {
                    Some(sync) => format!("{}/cancel", sync_path(&connector, sync)),
                    None => format!("{connector}/sync/cancel"),
                };
                show(&client.post(&path, &json!({})).await?, self.output)
            }
            SyncsCommand::Deletes(deletes) => self.deletes(deletes).await,
            SyncsCommand::Approve { connector, sync } => self.approve(connector, sync).await,
            SyncsCommand::Discard { connector, sync } => {
                let path = format!("{}/discard", sync_path(&self.connector(connector).await?, sync));
                show(&client.post(&path, &json!({})).await?, self.output)
            }
            SyncsCommand::Follow { connector, sync } => {
                let mut stop = StopRequests::listen()?;
                let path = self.sync_or_newest(connector, sync.as_deref()).await?;
                self.follow(&path, &mut stop).await
            }
        }
    }

    fn client(&self) -> &Client {
        self.session.client()
    }

    async fn connector(&self, connector: &str) -> Result<String, CommandError> {
        connectors::path(self.client(), self.collection, connector).await
    }

    async fn list(&self, list: &ListSyncs) -> Result<(), CommandError> {
        let path = format!("{}/sync", self.connector(&list.connector).await?);
        let filter = Query::default()
            .with("status", list.status.as_deref())
            .with("order", list.order.map(OrderArg::as_str));
        let if_empty = format!("connector {} has no such syncs", list.connector);
        let listing = Listing { path, filter, columns: COLUMNS, if_empty };
        listing.print(self.client(), &list.limit, self.output).await
    }

    async fn deletes(&self, deletes: &SyncDeletes) -> Result<(), CommandError> {
        let path =
            format!("{}/deletes", sync_path(&self.connector(&deletes.connector).await?, &deletes.sync));
        let filter = Query::default().with("stream", deletes.stream.as_deref());
        let if_empty = format!("{} would delete no such records", deletes.sync);
        let listing = Listing { path, filter, columns: DELETES, if_empty };
        listing.print(self.client(), &deletes.limit, self.output).await
    }

    /// Without a server the sync goes on in this command, which then waits for its end.
    async fn approve(&self, connector: &str, sync: &str) -> Result<(), CommandError> {
        let mut stop = StopRequests::listen()?;
        let path = sync_path(&self.connector(connector).await?, sync);
        let approved = self.client().post(&format!("{path}/approve"), &json!({})).await?;
        match self.session.works_alone() {
            true => self.follow(&path, &mut stop).await,
            false => show(&approved, self.output),
        }
    }

    async fn logs(&self, logs: &LogsArgs) -> Result<(), CommandError> {
        let path = self.sync_or_newest(&logs.connector, logs.sync.as_deref()).await?;
        let filter = Query::default()
            .with("level", logs.level.map(LevelArg::as_str))
            .with("order", logs.order.map(OrderArg::as_str));
        let if_empty = "the sync has no such lines".to_owned();
        let listing = Listing { path: format!("{path}/logs"), filter, columns: LOG_COLUMNS, if_empty };
        listing.print(self.client(), &logs.limit, self.output).await
    }

    async fn rejected(&self, rejected: &RejectedArgs) -> Result<(), CommandError> {
        let path = self.sync_or_newest(&rejected.connector, rejected.sync.as_deref()).await?;
        let filter = Query::default()
            .with("stream", rejected.stream.as_deref())
            .with("code", rejected.code.as_deref());
        let if_empty = "the sync has refused no such records".to_owned();
        let listing =
            Listing { path: format!("{path}/rejected"), filter, columns: REJECTED_COLUMNS, if_empty };
        listing.print(self.client(), &rejected.limit, self.output).await
    }

    async fn replay(&self, connector: &str, sync: Option<&str>, wait: bool) -> Result<(), CommandError> {
        let mut stop = StopRequests::listen()?;
        let path = self.sync_or_newest(connector, sync).await?;
        let queued = self.client().post(&format!("{path}/rejected/replay"), &json!({})).await?;
        let connector = self.connector(connector).await?;
        self.triggered(&connector, &queued, wait, &mut stop).await
    }

    async fn revert(&self, revert: &RevertArgs) -> Result<(), CommandError> {
        let mut stop = StopRequests::listen()?;
        let connector = self.connector(&revert.connector).await?;
        let body = json!({"on_conflict": if revert.replace { "replace" } else { "reject" }});
        let path = format!("{}/revert", sync_path(&connector, &revert.sync));
        let queued = self.client().post(&path, &body).await?;
        let name = &revert.connector;
        say(&format!(
            "connector {name} is paused; `inlet connectors resume` goes on with it once its source is mended"
        ));
        self.triggered(&connector, &queued, revert.wait, &mut stop).await
    }

    /// The path of a sync of the connector; if none is named, of its newest.
    async fn sync_or_newest(&self, connector: &str, sync: Option<&str>) -> Result<String, CommandError> {
        let connector = self.connector(connector).await?;
        match sync {
            Some(sync) => Ok(sync_path(&connector, sync)),
            None => self.newest(&connector).await,
        }
    }

    async fn newest(&self, connector: &str) -> Result<String, CommandError> {
        let page: Page<SyncId> = self.client().get(&format!("{connector}/sync?limit=1")).await?.read()?;
        match page.data.first() {
            Some(sync) => Ok(sync_path(connector, &sync.id)),
            None => Err(CommandError::input("sync.not_found", "the connector has not had a sync yet")
                .hint("`inlet syncs trigger` starts one")
                .into()),
        }
    }

    async fn trigger(&self, trigger: &TriggerArgs) -> Result<(), CommandError> {
        let mut stop = StopRequests::listen()?;
        let connector = self.connector(&trigger.connector).await?;
        let mut body = json!({
            "mode": trigger.mode.as_str(), "on_conflict": trigger.on_conflict.as_str(), "dry_run": trigger.dry_run,
        });
        if !trigger.stream.is_empty() {
            body["streams"] = json!(trigger.stream);
        }
        let queued = self.client().post(&format!("{connector}/sync"), &body).await?;
        self.triggered(&connector, &queued, trigger.wait, &mut stop).await
    }

    /// Shows a sync that was triggered, or follows it.
    async fn triggered(
        &self,
        connector: &str,
        queued: &Body,
        wait: bool,
        stop: &mut StopRequests,
    ) -> Result<(), CommandError> {
        let is_here = self.session.works_alone();
        if is_here && !wait {
            say("no server works in the data directory: the sync runs in this command");
        }
        if is_here || wait {
            return self.follow(&sync_path(connector, &queued.read::<SyncId>()?.id), stop).await;
        }
        show(queued, self.output)
    }

    /// Follows the sync at `path` to its end, and is successful only if that is.
    async fn follow(&self, path: &str, stop: &mut StopRequests) -> Result<(), CommandError> {
        let fate = match self.session.works_alone() {
            false => "the sync goes on; `inlet syncs follow` shows it again",
            true => {
                "the sync ran in this command: it goes on when a server, or the next command that runs syncs, starts"
            }
        };
        let id = path.rsplit('/').next().unwrap_or(path);
        let progress = Progress::start_told(id, self.output);
        let ended = told::to_the_end(self.client(), path, &progress, stop, fate).await?;
        progress.end();
        let shown = sync::show(self.client(), path, self.collection, &ended, self.output).await;
        // How the sync ended counts for more than whether anybody read it.
        outcome(&ended).and(shown)
    }
}
