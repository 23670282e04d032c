//! The collections of a backend that are open. Those in use stay so; of the others only so many do.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use inlet_model::StoreId;

use super::store::SqlCollection;
use crate::collection::CollectionStore;
use crate::{StoreError, StoreErrorKind, StoreResult};

/// A collection's place: locked while it is opened or closed, so that it never has two writers in this process.
type Slot = Arc<tokio::sync::Mutex<Option<Arc<SqlCollection>>>>;

/// The collections that are open.
pub(crate) struct OpenCollections {
    /// Collections that stay open though nobody uses them just now.
    max_idle: usize,
    slots: Mutex<Slots>,
}

#[derive(Default)]
struct Slots {
    by_id: HashMap<StoreId, (Slot, u64)>,
    /// Counts the uses, to tell who was used last.
    uses: u64,
}

impl OpenCollections {
    pub(crate) fn new(max_idle: usize) -> Self {
        Self { max_idle, slots: Mutex::default() }
    }

    /// Gives the collection, which `open` opens if it is not; `None` if that finds none.
    pub(crate) async fn get(
        &self,
        id: StoreId,
        open: impl Future<Output = StoreResult<Option<SqlCollection>>>,
    ) -> StoreResult<Option<Arc<dyn CollectionStore>>> {
        let slot = self.slot(id);
        let mut place = slot.lock().await;
        if let Some(store) = &*place {
            return Ok(Some(Arc::clone(store) as Arc<dyn CollectionStore>));
        }
        // With the slot locked nobody removes it before it is open.
        let Some(store) = open.await? else { return Ok(None) };
        let store = Arc::new(store);
        *place = Some(Arc::clone(&store));
        drop(place);
        self.close_idle().await?;
        Ok(Some(store))
    }

    /// Closes the collection for everybody, and lets `remove` remove it.
    pub(crate) async fn remove<T>(
        &self,
        id: StoreId,
        operation: &'static str,
        remove: impl Future<Output = StoreResult<T>>,
    ) -> StoreResult<T> {
        let slot = self.slot(id);
        let mut place = slot.lock().await;
        if let Some(store) = place.take() {
            close(store, operation).await?;
        }
        remove.await
    }

    fn slots(&self) -> std::sync::MutexGuard<'_, Slots> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn slot(&self, id: StoreId) -> Slot {
        let mut slots = self.slots();
        slots.uses += 1;
        let used = slots.uses;
        let (slot, last_used) = slots.by_id.entry(id).or_default();
        *last_used = used;
        Arc::clone(slot)
    }

    /// Closes the longest unused collections that nobody has, until no more than allowed are open.
    async fn close_idle(&self) -> StoreResult<()> {
        let mut slots: Vec<(u64, Slot)> = {
            let slots = &mut self.slots().by_id;
            // One that only this table has, and that is empty, is of no use any more.
            slots.retain(|_, (slot, _)| {
                Arc::strong_count(slot) > 1 || slot.try_lock().is_ok_and(|open| open.is_some())
            });
            slots.values().map(|(slot, used)| (*used, Arc::clone(slot))).collect()
        };
        let Some(mut excess) = slots.len().checked_sub(self.max_idle) else { return Ok(()) };
        slots.sort_unstable_by_key(|(used, _)| *used);
        for (_, slot) in slots {
            if excess == 0 {
                break;
            }
            // One that is being opened or closed is not idle.
            let Ok(mut open) = slot.try_lock() else { continue };
            if let Some(store) = open.take_if(|store| Arc::strong_count(store) == 1) {
                close(store, "close a collection").await?;
                excess -= 1;
            }
        }
        Ok(())
    }
}

/// Closes a collection for everybody, and waits until its place is at rest.
async fn close(store: Arc<SqlCollection>, operation: &'static str) -> StoreResult<()> {
    let runtime = tokio::runtime::Handle::current();
    tokio::task::spawn_blocking(move || store.close(&runtime))
        .await
        .map_err(|error| StoreError::new(StoreErrorKind::Internal, operation).because(error))
}
