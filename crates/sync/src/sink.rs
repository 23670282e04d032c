//! Where a run's commits go: into the collection, or into a rehearsal that writes nothing.

use std::sync::Arc;

use inlet_store::CollectionStore;
use inlet_store::StoreResult;
use inlet_store::collection::{Commit, Receipt, Rehearsal};
use tokio::sync::Mutex;

use crate::fields::Fields;

/// Where commits go.
#[derive(Debug, Clone)]
pub(crate) enum Sink {
    /// They are written.
    Store(Arc<dyn CollectionStore>),
    /// What they would come to is found out.
    Rehearsal(Arc<Mutex<Rehearsing>>),
}

/// A rehearsal, and the fields of what it is given.
#[derive(Debug)]
pub(crate) struct Rehearsing {
    pub(crate) rehearsal: Box<dyn Rehearsal>,
    pub(crate) fields: Fields,
}

impl Sink {
    pub(crate) async fn take(&self, commit: Commit) -> StoreResult<Receipt> {
        match self {
            Self::Store(store) => store.commit(commit).await,
            Self::Rehearsal(rehearsing) => {
                let mut rehearsing = rehearsing.lock().await;
                rehearsing.fields.look_at(&commit.items);
                let counts = rehearsing.rehearsal.apply(commit.items).await?;
                Ok(Receipt { counts, streams: Vec::new(), last_change: 0 })
            }
        }
    }

    /// Whether what is counted has been done.
    pub(crate) fn is_real(&self) -> bool {
        matches!(self, Self::Store(_))
    }
}
