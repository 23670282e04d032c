//! `inlet audit`: who changed what.

use super::listing::Listing;
use crate::args::{AuditArgs, AuditCommand, OrderArg};
use crate::client::Query;
use crate::errors::CommandError;
use crate::output::object::Column;
use crate::session::{Need, Session};

const COLUMNS: &[Column] = &[
    Column::text("at", "/at"),
    Column::text("actor", "/actor"),
    Column::text("action", "/action"),
    Column::text("space", "/space_id"),
    Column::text("collection", "/collection_id"),
    Column::text("connector", "/connector_id"),
    Column::text("sync", "/sync_id"),
    Column::text("key", "/key_id"),
    Column::text("fields", "/fields"),
];

/// Runs the command.
pub(crate) async fn run(args: &AuditArgs) -> Result<(), CommandError> {
    let AuditCommand::List { order, limit } = &args.command;
    let session = Session::open(&args.api.server, Need::Present).await?;
    let filter = Query::default().with("order", order.map(OrderArg::as_str));
    let if_empty = "nothing has been changed over the API".to_owned();
    let listing = Listing { path: "/v1/audit".to_owned(), filter, columns: COLUMNS, if_empty };
    let result = listing.print(session.client(), limit, args.api.output.output).await;
    session.close().await;
    result
}
