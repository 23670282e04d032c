//! Records that are removed because somebody asked for it.

use std::time::Duration;

use serde::Deserialize;

use crate::collection_name::CollectionName;
use crate::errors::CommandError;
use crate::session::Session;

const BETWEEN_LOOKS: Duration = Duration::from_millis(20);

#[derive(Debug, Deserialize)]
struct Emptied {
    removing: bool,
}

/// Waits until the collection has removed what was asked for, if that is the work of this process. A server goes on by itself.
pub(super) async fn finish(session: &Session, collection: &CollectionName) -> Result<(), CommandError> {
    if !session.works_alone() {
        return Ok(());
    }
    let path = collection.path();
    while session.client().get(&path).await?.read::<Emptied>()?.removing {
        tokio::time::sleep(BETWEEN_LOOKS).await;
    }
    Ok(())
}
