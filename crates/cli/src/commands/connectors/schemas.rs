//! `inlet connectors schemas`: the fields of a connector's streams.

use super::Connectors;
use crate::args::ConnectorSchemas;
use crate::client::Query;
use crate::commands::listing::Listing;
use crate::errors::CommandError;
use crate::output::object::Column;

const COLUMNS: &[Column] = &[
    Column::text("stream", "/stream"),
    Column::count("version", "/version"),
    Column::text("since", "/created_at"),
    Column::text("fields", "/fields"),
];

/// Lists schemas.
pub(super) async fn run(connectors: &Connectors<'_>, args: &ConnectorSchemas) -> Result<(), CommandError> {
    let path = format!("{}/schemas", connectors.path(&args.connector.connector).await?);
    let listing = Listing {
        path,
        filter: Query::default().with("stream", args.stream.as_deref()),
        columns: COLUMNS,
        if_empty: "no records have been read yet".to_owned(),
    };
    listing.print(connectors.client, &args.limit, connectors.output).await
}
