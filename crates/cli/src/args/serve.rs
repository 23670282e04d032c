//! The arguments of `inlet serve`.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};
use inlet_model::{NodeRoles, parse_duration};
use inlet_source::Egress;

use super::{EncryptionArgs, LimitsArgs, PlaceArgs};

/// Run the server: the HTTP API and the syncs
///
/// Prints one line with its address when it is ready. Ends within ten seconds of Ctrl-C or SIGTERM, and loses nothing: a
/// sync that was running goes on at the next start.
#[derive(Debug, Args)]
pub(crate) struct ServeArgs {
    #[command(flatten)]
    pub(crate) place: PlaceArgs,

    /// Connections that this server may have to the shared database, and one more by which it is told of news
    ///
    /// A commit has one for as long as it takes, whatever is read has one for a moment. Some are left for the leases of syncs and for the
    /// keys of callers however many syncs run.
    #[arg(long, value_name = "CONNECTIONS", env = "INLET_DATABASE_CONNECTIONS", default_value = "16",
          value_parser = clap::value_parser!(u16).range(4..=200))]
    pub(crate) database_connections: u16,

    /// What this server is for, where it shares a database: `api`, `worker`, `scheduler`, or several with commas between them
    ///
    /// One without `api` answers `/healthz`, `/readyz` and `/metrics` only. Of each role there should be one server at least.
    #[arg(long = "role", value_name = "ROLES", env = "INLET_ROLE", default_value = "api,worker,scheduler")]
    pub(crate) roles: NodeRoles,

    #[command(flatten)]
    pub(crate) limits: LimitsArgs,

    /// After how long without a sign of life other servers take the syncs of this one over, where they share a database
    ///
    /// It says that it lives three times as often. Whatever it has begun in the database is given up by then.
    #[arg(long, value_name = "TIME", env = "INLET_LEASE", default_value = "30s", value_parser = lease)]
    pub(crate) lease: Duration,

    #[command(flatten)]
    pub(crate) encryption: EncryptionArgs,

    /// The address to listen on; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS:PORT", env = "INLET_LISTEN", default_value = "127.0.0.1:8080")]
    pub(crate) listen: SocketAddr,

    /// A directory under which connectors may read local files; may be given several times
    ///
    /// Without one no local file can be read. In the environment several are separated by colons.
    #[arg(long = "files-root", value_name = "DIR", env = "INLET_FILES_ROOT")]
    pub(crate) files_roots: Vec<PathBuf>,

    /// Where connectors may connect to; link-local addresses are never among it
    #[arg(long, value_name = "WHERE", env = "INLET_EGRESS", default_value = "any")]
    pub(crate) egress: EgressArg,

    /// For how long the change feed keeps superseded versions of records, and that records were deleted
    ///
    /// A consumer of the feed that stays away for longer begins again. Not less than `--undo-for`.
    #[arg(long, value_name = "TIME", env = "INLET_HISTORY", default_value = "7d", value_parser = duration)]
    pub(crate) history: Duration,

    /// For how long after its end a sync can be undone
    #[arg(long, value_name = "TIME", env = "INLET_UNDO_FOR", default_value = "24h", value_parser = duration)]
    pub(crate) undo_for: Duration,

    /// A sync whose source has said nothing for so long fails with `sync.stalled`
    #[arg(long, value_name = "TIME", env = "INLET_STALL_LIMIT", default_value = "1h", value_parser = some_time)]
    pub(crate) stall_limit: Duration,

    /// Whether callers must show an API key
    #[arg(long, value_name = "WHO", env = "INLET_AUTH", default_value = "key")]
    pub(crate) auth: AuthArg,

    /// An API key that may do everything; set it in the environment, where `ps` does not show it
    ///
    /// Without one the first start makes a key and prints it once.
    #[arg(long, value_name = "KEY", env = "INLET_API_KEY", hide_env_values = true)]
    pub(crate) api_key: Option<String>,

    /// Requests a second that each API key may make, and ten times as many at once; 0 for as many as it likes
    ///
    /// Callers without a valid key are counted by their address. Commands on this machine are not counted, nor is anybody where no
    /// key is asked for.
    #[arg(long, value_name = "REQUESTS", env = "INLET_RATE_LIMIT", default_value = "100",
          value_parser = clap::value_parser!(u32).range(0..=1_000_000))]
    pub(crate) rate_limit: u32,
}

fn duration(text: &str) -> Result<Duration, String> {
    parse_duration(text)
        .ok_or_else(|| "it is a whole number and `s`, `m`, `h` or `d`, such as `7d`".to_owned())
}

fn some_time(text: &str) -> Result<Duration, String> {
    match duration(text)? {
        Duration::ZERO => Err("it is at least `1s`".to_owned()),
        time => Ok(time),
    }
}

fn lease(text: &str) -> Result<Duration, String> {
    let lease = duration(text)?;
    let allowed = Duration::from_secs(5)..=Duration::from_secs(600);
    if allowed.contains(&lease) { Ok(lease) } else { Err("it is between `5s` and `10m`".to_owned()) }
}

/// Where connectors may connect to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum EgressArg {
    /// Every address, also of this machine and of private networks
    Any,
    /// Addresses of the public internet only
    Public,
}

impl From<EgressArg> for Egress {
    fn from(egress: EgressArg) -> Self {
        match egress {
            EgressArg::Any => Self::Any,
            EgressArg::Public => Self::Public,
        }
    }
}

/// Whether callers must show an API key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum AuthArg {
    /// Every call needs a key
    Key,
    /// Whoever can reach the port may do everything; on loopback addresses only
    None,
}
