//! The records that a sync refused, the first of them with reasons.

use inlet_model::SyncId;
use inlet_store::collection::RejectedRecord;

use crate::client::objects::Sync;
use crate::collection_name::CollectionName;
use crate::errors::CommandError;
use crate::node::Node;
use crate::output::numbers;
use crate::output::table::{Align, Table, terminal_width};
use crate::session::Session;

/// This many are shown.
const SHOWN: usize = 5;

/// What is to be said about them; nothing if there are none.
pub(super) async fn table(
    session: &Session,
    into: &CollectionName,
    sync: &Sync,
) -> Result<String, CommandError> {
    let heading = format!("{} rejected", numbers::counted(sync.counts.rejected, "record"));
    // The API does not list them yet, so that only a sync in this process can show them.
    let first = match (session.node(), sync.id.parse()) {
        (Some(node), Ok(id)) => first_of(node, into, id).await?,
        _ => Vec::new(),
    };
    if first.is_empty() {
        return Ok(format!("{heading}\n"));
    }
    let mut table = Table::new([
        ("stream", Align::Left),
        ("file", Align::Left),
        ("position", Align::Right),
        ("code", Align::Left),
        ("reason", Align::Left),
        ("begins", Align::Left),
    ]);
    for record in &first {
        table.row([
            record.stream.as_str(),
            record.scope.as_str(),
            numbers::count(record.position).as_str(),
            record.code.as_str(),
            record.reason.as_str(),
            record.sample.as_str(),
        ]);
    }
    Ok(format!("{heading}; the first:\n{}", table.render(terminal_width())))
}

async fn first_of(
    node: &Node,
    into: &CollectionName,
    id: SyncId,
) -> Result<Vec<RejectedRecord>, CommandError> {
    let failed = |error: inlet_store::StoreError| {
        CommandError::failure(error.kind().code(), "the rejected records could not be read").because(error)
    };
    let collection = node.catalog.collection_get(&into.space, &into.collection).await.map_err(failed)?;
    let Some(collection) = collection else { return Ok(Vec::new()) };
    let store = node.stores.open(collection.store_id).await.map_err(failed)?;
    Ok(store.rejected(id, 0, SHOWN).await.map_err(failed)?)
}
