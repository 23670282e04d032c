//! `inlet nodes`: the processes that share the catalog.

use super::listing::Listing;
use crate::args::{NodesArgs, NodesCommand};
use crate::client::Query;
use crate::errors::CommandError;
use crate::output::object::Column;
use crate::session::{Need, Session};

const COLUMNS: &[Column] = &[
    Column::text("id", "/id"),
    Column::text("name", "/name"),
    Column::text("version", "/version"),
    Column::text("roles", "/roles"),
    Column::text("status", "/status"),
    Column::text("last seen", "/last_seen_at"),
    Column::count("syncs", "/sync_count"),
];

/// Runs the command.
pub(crate) async fn run(args: &NodesArgs) -> Result<(), CommandError> {
    let (None | Some(NodesCommand::List)) = args.command;
    let session = Session::open(&args.api.server, Need::Present).await?;
    let if_empty = "no node is there; `inlet serve` starts one".to_owned();
    let listing =
        Listing { path: "/v1/nodes".to_owned(), filter: Query::default(), columns: COLUMNS, if_empty };
    let result = listing.print(session.client(), &args.limit, args.api.output.output).await;
    session.close().await;
    result
}
