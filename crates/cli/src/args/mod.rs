//! What can be said on the command line, and its help. One file a group of commands.

mod audit;
mod collections;
mod connection;
mod connector_types;
mod connectors;
mod demo;
mod doctor;
mod import;
mod keys;
mod limits;
mod log;
mod migrate;
mod nodes;
mod output;
mod place;
mod reading;
mod serve;
mod shell;
mod spaces;
mod sync;
mod syncs;
mod webhooks;

use clap::builder::styling::{AnsiColor, Styles};
use clap::parser::ValueSource;
use clap::{ArgMatches, CommandFactory, FromArgMatches, Parser, Subcommand};

pub(crate) use audit::{AuditArgs, AuditCommand};
pub(crate) use collections::{ClearCollection, CollectionsArgs, CollectionsCommand};
pub(crate) use connection::{ApiArgs, EncryptionArgs, ServerArgs};
pub(crate) use connector_types::{TypesArgs, TypesCommand};
pub(crate) use connectors::{
    ConnectorSchemas, ConnectorsArgs, ConnectorsCommand, CreateConnector, DeleteConnector, KeptRecords,
    ListConnectors, PushArgs, SettingsArgs, StateCommand, TriggerSecretCommand, UpdateConnector,
};
pub(crate) use demo::DemoArgs;
pub(crate) use doctor::DoctorArgs;
pub(crate) use import::ImportArgs;
pub(crate) use keys::{CreateKey, KeysArgs, KeysCommand, RotateKey, UpdateKey};
pub(crate) use limits::LimitsArgs;
pub(crate) use log::{LogArgs, LogFormat};
pub(crate) use migrate::MigrateArgs;
pub(crate) use nodes::{NodesArgs, NodesCommand};
pub(crate) use output::{LimitArgs, OrderArg, OutputArgs};
pub(crate) use place::{DatabaseArgs, PlaceArgs};
pub(crate) use reading::{ChangesArgs, ExportArgs, ExportFormat, RecordsArgs};
pub(crate) use serve::{AuthArg, ServeArgs};
pub(crate) use shell::{CompletionsArgs, ManArgs};
pub(crate) use spaces::{SpacesArgs, SpacesCommand};
pub(crate) use sync::{FormatArg, ModeArg, SyncArgs};
pub(crate) use syncs::{
    LevelArg, ListSyncs, LogsArgs, RejectedArgs, RevertArgs, SyncDeletes, SyncsArgs, SyncsCommand,
    TriggerArgs,
};
pub(crate) use webhooks::{
    CreateWebhook, ListDeliveries, NarrowArgs, UpdateWebhook, WebhooksArgs, WebhooksCommand,
};

const STYLES: Styles = Styles::styled()
    .header(AnsiColor::Green.on_default().bold())
    .usage(AnsiColor::Green.on_default().bold())
    .literal(AnsiColor::Cyan.on_default().bold())
    .placeholder(AnsiColor::Cyan.on_default());

const EXIT_CODES: &str = "\
Exit codes: 0 it worked, 1 it failed, 2 the input was not valid.
Every option can be set by the environment variable that its help names; the command line wins.";

/// Moves data from where it is into collections that survive anything.
#[derive(Debug, Parser)]
#[command(name = "inlet", version, styles = STYLES, after_help = EXIT_CODES, disable_help_subcommand = true)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) log: LogArgs,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Serve(ServeArgs),
    Migrate(MigrateArgs),
    Sync(SyncArgs),
    Records(RecordsArgs),
    Changes(ChangesArgs),
    Export(ExportArgs),
    Import(ImportArgs),
    Spaces(SpacesArgs),
    Collections(CollectionsArgs),
    Connectors(ConnectorsArgs),
    Syncs(SyncsArgs),
    Webhooks(WebhooksArgs),
    Keys(KeysArgs),
    Types(TypesArgs),
    Audit(AuditArgs),
    Nodes(NodesArgs),
    Demo(DemoArgs),
    Doctor(DoctorArgs),
    Completions(CompletionsArgs),
    Man(ManArgs),
}

/// The whole command line as a description, for help in other forms.
pub(crate) fn description() -> clap::Command {
    Cli::command()
}

/// Reads the command line. Bad arguments, `--help` and `--version` are clap's answer in `Err`.
pub(crate) fn parse(arguments: impl IntoIterator<Item = std::ffi::OsString>) -> Result<Cli, clap::Error> {
    let matches = Cli::command().try_get_matches_from(arguments)?;
    let mut cli = Cli::from_arg_matches(&matches)?;
    if let Command::Serve(serve) = &mut cli.command
        && is_from_environment(&matches, "files_roots")
    {
        // A repeated option has one environment variable: several values are written as in PATH.
        serve.files_roots = serve.files_roots.iter().flat_map(std::env::split_paths).collect();
    }
    Ok(cli)
}

fn is_from_environment(matches: &ArgMatches, id: &str) -> bool {
    matches
        .subcommand()
        .is_some_and(|(_, command)| command.value_source(id) == Some(ValueSource::EnvVariable))
}

#[cfg(test)]
mod tests;
