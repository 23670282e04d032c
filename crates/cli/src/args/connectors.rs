//! The arguments of `inlet connectors`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::{ApiArgs, LimitArgs, OrderArg};

/// Make, change and delete connectors, look at their sources, and push records
///
/// A connector links a collection to a source. Where one is asked for, say its id (`con_…`) or its name, if no other
/// connector of the collection has it.
#[derive(Debug, Args)]
pub(crate) struct ConnectorsArgs {
    /// The collection they are in, as `collection` or `space/collection`
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
    pub(crate) command: ConnectorsCommand,
}

/// What is done with connectors.
#[derive(Debug, Subcommand)]
pub(crate) enum ConnectorsCommand {
    List(ListConnectors),
    /// Show a connector
    Get(ConnectorArg),
    Create(CreateConnector),
    Update(UpdateConnector),
    Delete(DeleteConnector),
    /// Test a connector's connection to its source
    ///
    /// The exit code is 0 only if the test succeeded.
    Check(ConnectorArg),
    /// List the streams of a connector's source, and which of them it reads
    Streams(ConnectorArg),
    Schemas(ConnectorSchemas),
    Push(PushArgs),
    /// Let a connector start no more syncs
    Pause(ConnectorArg),
    /// Let a paused connector start syncs again
    Resume(ConnectorArg),
    /// Let signed messages trigger a connector, without an API key
    TriggerSecret {
        #[command(subcommand)]
        command: TriggerSecretCommand,
    },
    /// Show, replace or reset how far a connector has read
    State {
        #[command(subcommand)]
        command: StateCommand,
    },
}

/// A connector.
#[derive(Debug, Args)]
pub(crate) struct ConnectorArg {
    /// The connector's id, or its name
    #[arg(value_name = "CONNECTOR")]
    pub(crate) connector: String,
}

/// Show the fields that the records of each stream have had
///
/// With --stream every version of that stream's schema, the newest first.
#[derive(Debug, Args)]
pub(crate) struct ConnectorSchemas {
    #[command(flatten)]
    pub(crate) connector: ConnectorArg,
    /// All versions of this stream
    #[arg(long, value_name = "STREAM", env = "INLET_STREAM")]
    pub(crate) stream: Option<String>,
    #[command(flatten)]
    pub(crate) limit: LimitArgs,
}

/// List the connectors of a collection, the newest first
#[derive(Debug, Args)]
pub(crate) struct ListConnectors {
    /// Only connectors that are active, or paused
    #[arg(long, value_name = "STATUS", env = "INLET_STATUS")]
    pub(crate) status: Option<String>,
    /// Only connectors of this type
    #[arg(long = "type", value_name = "TYPE", env = "INLET_TYPE")]
    pub(crate) kind: Option<String>,
    /// Which end comes first
    #[arg(long, value_name = "ORDER", env = "INLET_ORDER")]
    pub(crate) order: Option<OrderArg>,
    #[command(flatten)]
    pub(crate) limit: LimitArgs,
}

const CREATE_EXAMPLES: &str = "\
Examples:
  inlet connectors create --name Sign-ups --type external_source
  inlet connectors create --name Orders --type files --set path=orders.csv --collection shop
  inlet connectors create --name Orders --type files --config @orders.json --collection shop

`inlet types get TYPE` shows what the config of a type holds.";

/// Make a connector
#[derive(Debug, Args)]
#[command(after_help = CREATE_EXAMPLES)]
pub(crate) struct CreateConnector {
    /// Its name, for people
    #[arg(long, value_name = "NAME", env = "INLET_NAME")]
    pub(crate) name: String,
    /// Its connector type: `inlet types list` has them
    #[arg(long = "type", value_name = "TYPE", env = "INLET_TYPE")]
    pub(crate) kind: String,
    #[command(flatten)]
    pub(crate) settings: SettingsArgs,
}

const UPDATE_EXAMPLES: &str = "\
Examples:
  inlet connectors update Orders --name 'All orders' --collection shop
  inlet connectors update Orders --set path='orders-*.csv' --unset format --collection shop";

/// Change a connector
///
/// What is not named stays as it is. A sync that runs keeps the settings it started with.
#[derive(Debug, Args)]
#[command(after_help = UPDATE_EXAMPLES)]
pub(crate) struct UpdateConnector {
    #[command(flatten)]
    pub(crate) connector: ConnectorArg,
    /// Its new name
    #[arg(long, value_name = "NAME", env = "INLET_NAME")]
    pub(crate) name: Option<String>,
    /// A field of the config that goes back to its default; several times for several
    #[arg(long, value_name = "FIELD", env = "INLET_UNSET")]
    pub(crate) unset: Vec<String>,
    #[command(flatten)]
    pub(crate) settings: SettingsArgs,
}

/// What can be said of a connector when it is made and when it is changed.
#[derive(Debug, Args)]
pub(crate) struct SettingsArgs {
    /// Its config: a JSON object, `@FILE` for a file that holds one, or `-` for standard input
    #[arg(long, value_name = "JSON", env = "INLET_CONFIG")]
    pub(crate) config: Option<String>,
    /// A field of the config, as `FIELD=VALUE`; `a.b=VALUE` for a field within a field; several times for several
    ///
    /// A value that is JSON is taken as JSON (`5`, `true`, `["a"]`), everything else as a text. To have a text that looks
    /// like JSON, quote it: `'zip="01234"'`. Secrets are better given by --config, where `ps` does not show them.
    #[arg(long, value_name = "FIELD=VALUE", env = "INLET_SET")]
    pub(crate) set: Vec<String>,
    /// The streams it reads: a JSON array of objects with `name`, `primary_key` and more, `@FILE` or `-`; `null` for all
    #[arg(long, value_name = "JSON", env = "INLET_STREAMS")]
    pub(crate) streams: Option<String>,
    /// When it syncs by itself: a JSON object, `@FILE` or `-`; `null` for never
    #[arg(long, value_name = "JSON", env = "INLET_SCHEDULE")]
    pub(crate) schedule: Option<String>,
    /// What its syncs may do: a JSON object, `@FILE` or `-`; `null` for the defaults
    #[arg(long, value_name = "JSON", env = "INLET_POLICY")]
    pub(crate) policy: Option<String>,
}

/// Delete a connector
///
/// Its running sync is stopped, and pushed records that wait are dropped.
#[derive(Debug, Args)]
pub(crate) struct DeleteConnector {
    #[command(flatten)]
    pub(crate) connector: ConnectorArg,
    /// What becomes of the records it has brought
    #[arg(long, value_name = "WHAT", env = "INLET_RECORDS", default_value = "keep")]
    pub(crate) records: KeptRecords,
}

/// What becomes of a deleted connector's records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum KeptRecords {
    /// They stay in the collection
    Keep,
    /// They go too
    Delete,
}

const PUSH_EXAMPLES: &str = "\
Examples:
  inlet connectors push Sign-ups people.ndjson --stream people --key-field id
  printf '{\"id\": 1}' | inlet connectors push Sign-ups --key-field id";

/// Push records to a connector whose type takes them
///
/// They are durable when the command ends, and come into the collection with the connector's next sync. Of two records of one key
/// the later wins. Much is sent in parts of some megabytes: if one of them is refused, those before it stay.
#[derive(Debug, Args)]
#[command(after_help = PUSH_EXAMPLES)]
pub(crate) struct PushArgs {
    #[command(flatten)]
    pub(crate) connector: ConnectorArg,
    /// A file of JSON objects, one after the other or in one array; if not said, or `-`, standard input
    #[arg(value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,
    /// The stream they belong to
    #[arg(long, value_name = "NAME", env = "INLET_STREAM")]
    pub(crate) stream: Option<String>,
    /// The field whose value identifies a record; several times for a key of several fields
    #[arg(long = "key-field", value_name = "FIELD", env = "INLET_KEY_FIELD")]
    pub(crate) key_fields: Vec<String>,
    /// Each object says what is to be done: `{"op": "upsert", "data": {…}}` or `{"op": "delete", "key": …}`
    #[arg(long, env = "INLET_ENVELOPE")]
    pub(crate) envelope: bool,
}

/// What is done with a connector's trigger secret.
#[derive(Debug, Subcommand)]
pub(crate) enum TriggerSecretCommand {
    /// Make a secret, which is shown this once, in the place of the one there may be
    New {
        #[command(flatten)]
        connector: ConnectorArg,
        /// For how long messages may be signed with the secret before as well; `0s` ends it at once
        #[arg(long, value_name = "TIME", env = "INLET_OVERLAP", default_value = "24h")]
        overlap: String,
    },
    /// Show where messages are sent to, and until when the secret before is good
    Get(ConnectorArg),
    /// Delete the secret: messages trigger the connector no more
    Delete(ConnectorArg),
}

/// What is done with a connector's state.
#[derive(Debug, Subcommand)]
pub(crate) enum StateCommand {
    /// Show how far each stream has been read
    Get(ConnectorArg),
    /// Replace how far each stream has been read
    Set {
        #[command(flatten)]
        connector: ConnectorArg,
        /// The state, as `state get --output json` gives it: JSON, `@FILE` or `-`
        #[arg(value_name = "JSON")]
        state: String,
    },
    /// Forget how far each stream has been read: the next sync reads everything again
    Reset(ConnectorArg),
}
