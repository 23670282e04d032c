//! How many syncs run at once.

use std::num::NonZeroU32;

use clap::Args;
use inlet_store::catalog::SyncLimits;

use crate::node::registry;

/// The bounds of one server, and of all servers that share a database together.
#[derive(Debug, Args)]
pub(crate) struct LimitsArgs {
    /// Syncs that this server runs at the same time
    #[arg(long, value_name = "SYNCS", env = "INLET_MAX_SYNCS", default_value = "4",
          value_parser = clap::value_parser!(u16).range(1..=1_000))]
    pub(crate) max_syncs: u16,

    /// Syncs of one space that run at the same time, on all servers together; without it any number
    ///
    /// The others stay queued, and hold up no other space. Give all servers the same.
    #[arg(long, value_name = "SYNCS", env = "INLET_MAX_SYNCS_PER_SPACE")]
    pub(crate) max_syncs_per_space: Option<NonZeroU32>,

    /// Syncs of one connector type that run at the same time, on all servers together, such as `postgres=2`; may be given several
    /// times, or with commas between
    ///
    /// For sources that do not bear more. Give all servers the same.
    #[arg(long, value_name = "TYPE=SYNCS", env = "INLET_MAX_SYNCS_PER_TYPE", value_delimiter = ',', value_parser = type_limit)]
    pub(crate) max_syncs_per_type: Vec<(String, NonZeroU32)>,
}

impl LimitsArgs {
    /// What all servers share. Of a type that is given twice the last counts, as everywhere.
    pub(crate) fn shared(&self) -> SyncLimits {
        let per_kind = self.max_syncs_per_type.iter().cloned().collect();
        SyncLimits { per_space: self.max_syncs_per_space, per_kind }
    }
}

fn type_limit(text: &str) -> Result<(String, NonZeroU32), String> {
    let (name, syncs) = text.split_once('=').ok_or("it is a type, `=` and a number, such as `postgres=2`")?;
    registry().get(name).map_err(|unknown| {
        format!("there is no connector type `{}`; there are {}", unknown.name, unknown.known.join(", "))
    })?;
    let syncs = syncs.parse().map_err(|_| "the number is 1 at least, and no more than 4294967295")?;
    Ok((name.to_owned(), syncs))
}
