//! `inlet audit`: who changed what.

use super::listing::Listing;
use crate::args::{AuditArgs, AuditCommand};
use crate::client::Query;
use crate::errors::CommandError;
use crate::output::object::Column;
use crate::session::{Need, Session};

const COLUMNS: &[Column] = &[
    Column::text("at", "/at"),
    Column::text("actor", "/actor"),
    Column::text("action", "/action"),
    Column::text("space", "/target/space_id"),
    Column::text("collection", "/target/collection_id"),
    Column::text("connector", "/target/connector_id"),
    Column::text("sync", "/target/sync_id"),
    Column::text("key", "/target/key_id"),
    Column::text("fields", "/fields"),
];

/// Runs the command.
pub(crate) async fn run(args: &AuditArgs) -> Result<(), CommandError> {
    let AuditCommand::List { actor, action, limit } = &args.command;
    let session = Session::open(&args.api.server, Need::Present).await?;
    let filter = Query::default().with("actor", actor.as_deref()).with("action", action.as_deref());
    let if_empty = "nothing has been changed over the API".to_owned();
    let listing = Listing { path: "/v1/audit".to_owned(), filter, columns: COLUMNS, if_empty };
    let result = listing.print(session.client(), limit, args.api.output.output).await;
    session.close().await;
    result
}
