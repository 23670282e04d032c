//! The arguments of `inlet webhooks`.

use clap::{Args, Subcommand, ValueEnum};

use super::{ApiArgs, LimitArgs, OrderArg};

/// Tell programs elsewhere what becomes of syncs
///
/// A webhook names a URL that is told when a sync of its space started, succeeded, failed, was cancelled or needs approval. Where one
/// is asked for, say its id (`whk_…`) or its name, if no other webhook of the space has it.
#[derive(Debug, Args)]
pub(crate) struct WebhooksArgs {
    /// The space they are in
    #[arg(long, global = true, value_name = "SPACE", env = "INLET_SPACE", default_value = "default")]
    pub(crate) space: String,
    #[command(flatten)]
    pub(crate) api: ApiArgs,
    #[command(subcommand)]
    pub(crate) command: WebhooksCommand,
}

/// What is done with webhooks.
#[derive(Debug, Subcommand)]
pub(crate) enum WebhooksCommand {
    /// List the webhooks of a space, the newest first
    List {
        /// Which end comes first
        #[arg(long, value_name = "ORDER", env = "INLET_ORDER")]
        order: Option<OrderArg>,
        #[command(flatten)]
        limit: LimitArgs,
    },
    /// Show a webhook, without its secret
    Get(WebhookArg),
    Create(CreateWebhook),
    Update(UpdateWebhook),
    /// Delete a webhook, with its deliveries
    Delete(WebhookArg),
    /// Send a test to a webhook's target, and show what it says
    ///
    /// The exit code is 0 only if the target took it.
    Test(WebhookArg),
    /// Give a webhook a new secret, and show it this once
    ///
    /// For 24 hours deliveries are signed with the secret before as well.
    RotateSecret(WebhookArg),
    Deliveries(ListDeliveries),
    /// Send a delivery again, wherever it stands
    Retry {
        #[command(flatten)]
        webhook: WebhookArg,
        /// The delivery's id
        #[arg(value_name = "DELIVERY")]
        delivery: String,
    },
}

/// A webhook.
#[derive(Debug, Args)]
pub(crate) struct WebhookArg {
    /// The webhook's id, or its name
    #[arg(value_name = "WEBHOOK")]
    pub(crate) webhook: String,
}

const CREATE_EXAMPLES: &str = "\
Examples:
  inlet webhooks create --name Alerts --target https://example.com/inlet --event sync.failed
  inlet webhooks create --name All --target http://127.0.0.1:9000/hook

Events: sync.started, sync.succeeded, sync.failed, sync.cancelled, sync.needs_approval.";

/// Make a webhook, and show its secret this once
#[derive(Debug, Args)]
#[command(after_help = CREATE_EXAMPLES)]
pub(crate) struct CreateWebhook {
    /// Its name, for people
    #[arg(long, value_name = "NAME", env = "INLET_NAME")]
    pub(crate) name: String,
    /// The URL that is told: `https`, or `http` to this machine and private networks
    #[arg(long, value_name = "URL", env = "INLET_TARGET")]
    pub(crate) target: String,
    #[command(flatten)]
    pub(crate) narrow: NarrowArgs,
}

/// What a webhook is told.
#[derive(Debug, Args)]
pub(crate) struct NarrowArgs {
    /// An event that it is told; several times for several, and if not said, all
    #[arg(long = "event", value_name = "EVENT", env = "INLET_EVENT")]
    pub(crate) events: Vec<String>,
    /// Only syncs of this collection, by its id
    #[arg(long, value_name = "COLLECTION", env = "INLET_ONLY_COLLECTION")]
    pub(crate) only_collection: Option<String>,
    /// Only syncs of this connector, by its id
    #[arg(long, value_name = "CONNECTOR", env = "INLET_ONLY_CONNECTOR")]
    pub(crate) only_connector: Option<String>,
}

/// Change a webhook
///
/// What is not named stays as it is.
#[derive(Debug, Args)]
pub(crate) struct UpdateWebhook {
    #[command(flatten)]
    pub(crate) webhook: WebhookArg,
    /// Its new name
    #[arg(long, value_name = "NAME", env = "INLET_NAME")]
    pub(crate) name: Option<String>,
    /// The URL that is told from now on
    #[arg(long, value_name = "URL", env = "INLET_TARGET")]
    pub(crate) target: Option<String>,
    #[command(flatten)]
    pub(crate) narrow: NarrowArgs,
    /// What it is narrowed to no more; several times for several
    #[arg(long, value_name = "WHAT", env = "INLET_UNSET")]
    pub(crate) unset: Vec<UnsetArg>,
    /// Whether it is told anything; what waits meanwhile goes on when it is active again
    #[arg(long, value_name = "STATUS", env = "INLET_STATUS")]
    pub(crate) status: Option<WebhookStatusArg>,
}

/// What a webhook may be narrowed to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum UnsetArg {
    /// Events: it is told all
    Events,
    /// A collection: it is told of all
    Collection,
    /// A connector: it is told of all
    Connector,
}

impl UnsetArg {
    /// The field of the API.
    pub(crate) fn field(self) -> &'static str {
        match self {
            Self::Events => "events",
            Self::Collection => "collection_id",
            Self::Connector => "connector_id",
        }
    }
}

/// Whether a webhook is told anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum WebhookStatusArg {
    /// It is
    Active,
    /// It is not
    Disabled,
}

impl WebhookStatusArg {
    /// As the API says it.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Disabled => "disabled",
        }
    }
}

/// List what a webhook was told and is to be told, the newest first
#[derive(Debug, Args)]
pub(crate) struct ListDeliveries {
    #[command(flatten)]
    pub(crate) webhook: WebhookArg,
    /// Only those that stand so: `waiting`, `delivered` or `given_up`
    #[arg(long, value_name = "STATE", env = "INLET_STATE")]
    pub(crate) state: Option<String>,
    /// Which end comes first
    #[arg(long, value_name = "ORDER", env = "INLET_ORDER")]
    pub(crate) order: Option<OrderArg>,
    #[command(flatten)]
    pub(crate) limit: LimitArgs,
}
