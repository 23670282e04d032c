//! The arguments of `inlet demo`.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args;

/// See it work: a server with real sample data and its first syncs
///
/// Brings the airlines, airports, planes and weather of New York's flights of 2013 into a collection, shows what landed,
/// and goes on serving until Ctrl-C. Starts afresh each time.
#[derive(Debug, Args)]
pub(crate) struct DemoArgs {
    /// The directory of the demo: made, or emptied if an earlier demo made it
    #[arg(long, value_name = "DIR", env = "INLET_DEMO_DATA_DIR", default_value = "./inlet-demo")]
    pub(crate) data_dir: PathBuf,

    /// The address to listen on; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS:PORT", env = "INLET_DEMO_LISTEN", default_value = "127.0.0.1:8080")]
    pub(crate) listen: SocketAddr,

    /// End after the syncs
    #[arg(long, env = "INLET_DEMO_NO_SERVE")]
    pub(crate) no_serve: bool,
}
