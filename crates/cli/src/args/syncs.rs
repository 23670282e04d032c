//! The arguments of `inlet syncs`.

use clap::{Args, Subcommand, ValueEnum};

use super::{ApiArgs, LimitArgs, ModeArg, OrderArg};

/// Trigger, list, watch, cancel, approve and undo the syncs of a connector
///
/// A sync moves data from a connector's source into its collection. The connector is named by its id (`con_…`) or its name.
#[derive(Debug, Args)]
pub(crate) struct SyncsArgs {
    /// The collection that the connector is in, as `collection` or `space/collection`
    #[arg(
        long,
        global = true,
        value_name = "COLLECTION",
        env = "INLET_COLLECTION",
        default_value = "default"
    )]
    pub(crate) collection: String,
    #[command(flatten)]
    pub(crate) api: ApiArgs,
    #[command(subcommand)]
    pub(crate) command: SyncsCommand,
}

/// What is done with syncs.
#[derive(Debug, Subcommand)]
pub(crate) enum SyncsCommand {
    List(ListSyncs),
    /// Show a sync
    Get {
        /// The connector's id, or its name
        #[arg(value_name = "CONNECTOR")]
        connector: String,
        /// The sync's id
        #[arg(value_name = "SYNC")]
        sync: String,
    },
    Trigger(TriggerArgs),
    Logs(LogsArgs),
    Rejected(RejectedArgs),
    /// Read again what a sync refused
    ///
    /// For when the source, or how it is read, has been mended. Triggers a sync that lists those parts of the source again in which
    /// records were refused; what was pushed is pushed again. Without a server the sync runs in this command.
    Replay {
        /// The connector's id, or its name
        #[arg(value_name = "CONNECTOR")]
        connector: String,
        /// The id of the sync that refused; if not said, the newest one
        #[arg(value_name = "SYNC")]
        sync: Option<String>,
        /// Wait until the sync that reads again has ended
        #[arg(long, env = "INLET_WAIT")]
        wait: bool,
    },
    /// Cancel a sync
    ///
    /// What was committed stays, and the next sync goes on from there.
    Cancel {
        /// The connector's id, or its name
        #[arg(value_name = "CONNECTOR")]
        connector: String,
        /// The sync's id; if not said, whichever sync is running or queued
        #[arg(value_name = "SYNC")]
        sync: Option<String>,
    },
    Deletes(SyncDeletes),
    /// Let a sync delete what it asked about
    ///
    /// It deletes exactly what `inlet syncs deletes` shows. Without a server it does so in this command.
    Approve {
        /// The connector's id, or its name
        #[arg(value_name = "CONNECTOR")]
        connector: String,
        /// The sync's id
        #[arg(value_name = "SYNC")]
        sync: String,
    },
    /// End a sync instead of letting it delete what it asked about
    ///
    /// All records stay, and the next sync asks again.
    Discard {
        /// The connector's id, or its name
        #[arg(value_name = "CONNECTOR")]
        connector: String,
        /// The sync's id
        #[arg(value_name = "SYNC")]
        sync: String,
    },
    Revert(RevertArgs),
    /// Show how a sync comes on until it has ended
    ///
    /// On a terminal one line moves, elsewhere there is a line for each step. The exit code is 0 only if the sync succeeded. Ctrl-C
    /// stops following, not the sync.
    Follow {
        /// The connector's id, or its name
        #[arg(value_name = "CONNECTOR")]
        connector: String,
        /// The sync's id; if not said, the newest one
        #[arg(value_name = "SYNC")]
        sync: Option<String>,
    },
}

/// List the syncs of a connector, the newest first
#[derive(Debug, Args)]
pub(crate) struct ListSyncs {
    /// The connector's id, or its name
    #[arg(value_name = "CONNECTOR")]
    pub(crate) connector: String,
    /// Only syncs that stand so: queued, running, waiting, needs_approval, cancelling, succeeded, failed or cancelled
    #[arg(long, value_name = "STATUS", env = "INLET_STATUS")]
    pub(crate) status: Option<String>,
    /// Which end comes first
    #[arg(long, value_name = "ORDER", env = "INLET_ORDER")]
    pub(crate) order: Option<OrderArg>,
    #[command(flatten)]
    pub(crate) limit: LimitArgs,
}

/// List the records that a sync asks to delete
#[derive(Debug, Args)]
pub(crate) struct SyncDeletes {
    /// The connector's id, or its name
    #[arg(value_name = "CONNECTOR")]
    pub(crate) connector: String,
    /// The sync's id
    #[arg(value_name = "SYNC")]
    pub(crate) sync: String,
    /// Only of this stream
    #[arg(long, value_name = "STREAM", env = "INLET_STREAM")]
    pub(crate) stream: Option<String>,
    #[command(flatten)]
    pub(crate) limit: LimitArgs,
}

/// Show the log of a sync, the oldest line first
#[derive(Debug, Args)]
pub(crate) struct LogsArgs {
    /// The connector's id, or its name
    #[arg(value_name = "CONNECTOR")]
    pub(crate) connector: String,
    /// The sync's id; if not said, the newest one
    #[arg(value_name = "SYNC")]
    pub(crate) sync: Option<String>,
    /// Only lines that are so grave or graver
    #[arg(long, value_name = "LEVEL", env = "INLET_LEVEL")]
    pub(crate) level: Option<LevelArg>,
    /// Which end comes first
    #[arg(long, value_name = "ORDER", env = "INLET_ORDER")]
    pub(crate) order: Option<OrderArg>,
    #[command(flatten)]
    pub(crate) limit: LimitArgs,
}

/// Show the records that a sync refused, and why
#[derive(Debug, Args)]
pub(crate) struct RejectedArgs {
    /// The connector's id, or its name
    #[arg(value_name = "CONNECTOR")]
    pub(crate) connector: String,
    /// The sync's id; if not said, the newest one
    #[arg(value_name = "SYNC")]
    pub(crate) sync: Option<String>,
    /// Only those of this stream
    #[arg(long, value_name = "NAME", env = "INLET_STREAM")]
    pub(crate) stream: Option<String>,
    /// Only those that were refused with this code
    #[arg(long, value_name = "CODE", env = "INLET_CODE")]
    pub(crate) code: Option<String>,
    #[command(flatten)]
    pub(crate) limit: LimitArgs,
}

/// How grave a line of a log is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum LevelArg {
    /// Everything
    Info,
    /// What a person should know
    Warning,
    /// What went wrong
    Error,
}

impl LevelArg {
    /// As the API says it.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// Start a sync
///
/// Without a server the sync runs in this command, which then always waits for its end.
#[derive(Debug, Args)]
pub(crate) struct TriggerArgs {
    /// The connector's id, or its name
    #[arg(value_name = "CONNECTOR")]
    pub(crate) connector: String,
    /// Whether to read everything again
    #[arg(long, value_name = "MODE", env = "INLET_MODE", default_value = "incremental")]
    pub(crate) mode: ModeArg,
    /// A stream to read, once for each; if none is named, all that the connector reads
    #[arg(long, value_name = "NAME", env = "INLET_STREAM")]
    pub(crate) stream: Vec<String>,
    /// What becomes of it while another sync of the connector has not ended
    #[arg(long, value_name = "WHAT", env = "INLET_ON_CONFLICT", default_value = "reject")]
    pub(crate) on_conflict: OnConflictArg,
    /// Only find out what it would do: nothing is written to the collection
    #[arg(long, env = "INLET_DRY_RUN")]
    pub(crate) dry_run: bool,
    /// Wait until it has ended, as `inlet syncs follow` does
    #[arg(long, env = "INLET_WAIT")]
    pub(crate) wait: bool,
}

/// Undo a sync: its records become what they were before it
///
/// For when a source has delivered rubbish. What has changed since stays as it is. The connector is paused, so that its next sync does not
/// bring back what is undone: mend the source, then resume it with `inlet connectors resume`. Without a server it is done in this
/// command.
#[derive(Debug, Args)]
pub(crate) struct RevertArgs {
    /// The connector's id, or its name
    #[arg(value_name = "CONNECTOR")]
    pub(crate) connector: String,
    /// The id of the sync that is undone
    #[arg(value_name = "SYNC")]
    pub(crate) sync: String,
    /// Cancel what the connector is syncing, instead of being refused
    #[arg(long, env = "INLET_REPLACE")]
    pub(crate) replace: bool,
    /// Wait until it is undone, as `inlet syncs follow` does
    #[arg(long, env = "INLET_WAIT")]
    pub(crate) wait: bool,
}

/// What becomes of a sync while another one of its connector has not ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "snake_case")]
pub(crate) enum OnConflictArg {
    /// It is refused
    Reject,
    /// The other is shown instead
    Return,
    /// It waits for the other
    Queue,
    /// The other is cancelled, and this one comes next
    Replace,
}

impl OnConflictArg {
    /// As the API says it.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Reject => "reject",
            Self::Return => "return",
            Self::Queue => "queue",
            Self::Replace => "replace",
        }
    }
}
