//! All collections of a directory, one file each. Those in use are open; of the others only so many stay open.

use std::collections::HashMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use inlet_model::{Entropy, StoreId};

use super::keys::KeyLogRoom;
use super::store::SqliteCollection;
use crate::collection::{CollectionStore, CollectionStores};
use crate::{StoreError, StoreErrorKind, StoreResult};

/// How the files are used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// Collections that stay open though nobody uses them just now.
    pub max_open: usize,
    /// The page cache of a collection's writer.
    pub writer_cache_bytes: u32,
    /// The page cache of each of a collection's readers.
    pub reader_cache_bytes: u32,
    /// The log is moved into the file when it has this many pages; 0: only when the collection is closed.
    pub wal_pages: u32,
    /// A commit that writes so many rows of the key table, and whose keys lie scattered, writes them into the key log.
    pub logged_rows: usize,
    /// Keys lie scattered if the key table has so many rows for each of them.
    pub scattered_rows: u64,
    /// The key log is merged into the key table when it has so many rows.
    pub key_log_rows: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            max_open: 64,
            writer_cache_bytes: 8 << 20,
            reader_cache_bytes: 2 << 20,
            wal_pages: 4096,
            logged_rows: 128,
            scattered_rows: 4,
            key_log_rows: 400_000,
        }
    }
}

/// The collections of a data directory.
pub struct SqliteCollections {
    dir: PathBuf,
    options: Options,
    entropy: Arc<dyn Entropy>,
    key_logs: KeyLogRoom,
    slots: Mutex<Slots>,
}

/// A collection's place: locked while it is opened or closed, so that no file ever has two writers.
type Slot = Arc<tokio::sync::Mutex<Option<Arc<SqliteCollection>>>>;

#[derive(Default)]
struct Slots {
    by_id: HashMap<StoreId, (Slot, u64)>,
    /// Counts the uses, to tell who was used last.
    uses: u64,
}

const FILE_SUFFIX: &str = ".db";

impl SqliteCollections {
    /// The collections in `dir`, which is made, for its owner's eyes only, if it is not there.
    pub fn new(dir: &Path, entropy: Arc<dyn Entropy>, options: Options) -> StoreResult<Self> {
        let mut builder = std::fs::DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(dir).map_err(unavailable("open the collections"))?;
        Ok(Self {
            dir: dir.to_owned(),
            options,
            entropy,
            key_logs: KeyLogRoom::default(),
            slots: Mutex::default(),
        })
    }

    fn path(&self, id: StoreId) -> PathBuf {
        self.dir.join(format!("{id}{FILE_SUFFIX}"))
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

    /// Gives the store in the slot, opened if it is not.
    async fn open_in(
        &self,
        mut open: tokio::sync::MutexGuard<'_, Option<Arc<SqliteCollection>>>,
        id: StoreId,
    ) -> StoreResult<Arc<dyn CollectionStore>> {
        if let Some(store) = &*open {
            return Ok(Arc::clone(store) as Arc<dyn CollectionStore>);
        }
        let (path, options, entropy) = (self.path(id), self.options.clone(), Arc::clone(&self.entropy));
        let room = self.key_logs.clone();
        let opening = move || SqliteCollection::open(id, &path, &options, &room, &*entropy);
        let store = blocking("open a collection", opening).await??;
        let store = Arc::new(store);
        *open = Some(Arc::clone(&store));
        drop(open);
        self.close_idle().await?;
        Ok(store)
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
        let Some(mut excess) = slots.len().checked_sub(self.options.max_open) else { return Ok(()) };
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

impl fmt::Debug for SqliteCollections {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteCollections").field("dir", &self.dir).finish_non_exhaustive()
    }
}

#[async_trait]
impl CollectionStores for SqliteCollections {
    async fn open(&self, id: StoreId) -> StoreResult<Arc<dyn CollectionStore>> {
        let slot = self.slot(id);
        let open = slot.lock().await;
        self.open_in(open, id).await
    }

    async fn find(&self, id: StoreId) -> StoreResult<Option<Arc<dyn CollectionStore>>> {
        const OPERATION: &str = "find a collection";
        let slot = self.slot(id);
        let open = slot.lock().await;
        let path = self.path(id);
        // With the slot locked nobody removes it before it is open.
        let is_there = open.is_some()
            || blocking(OPERATION, move || path.try_exists()).await?.map_err(unavailable(OPERATION))?;
        if is_there { self.open_in(open, id).await.map(Some) } else { Ok(None) }
    }

    async fn remove(&self, id: StoreId) -> StoreResult<()> {
        const OPERATION: &str = "remove a collection";
        let slot = self.slot(id);
        let mut open = slot.lock().await;
        if let Some(store) = open.take() {
            close(store, OPERATION).await?;
        }
        let path = self.path(id);
        blocking(OPERATION, move || remove_files(&path)).await?.map_err(unavailable(OPERATION))
    }

    async fn list(&self) -> StoreResult<Vec<StoreId>> {
        const OPERATION: &str = "list the collections";
        let dir = self.dir.clone();
        let names = blocking(OPERATION, move || {
            std::fs::read_dir(dir)?.map(|entry| Ok(entry?.file_name())).collect::<std::io::Result<Vec<_>>>()
        });
        let names = names.await?.map_err(unavailable(OPERATION))?;
        let id_of = |name: &std::ffi::OsString| name.to_str()?.strip_suffix(FILE_SUFFIX)?.parse().ok();
        let mut ids: Vec<StoreId> = names.iter().filter_map(id_of).collect();
        ids.sort_unstable();
        Ok(ids)
    }
}

/// Closes a collection for everybody, and waits until its file is at rest.
async fn close(store: Arc<SqliteCollection>, operation: &'static str) -> StoreResult<()> {
    let runtime = tokio::runtime::Handle::current();
    blocking(operation, move || store.close(&runtime)).await
}

/// The file that says what the others mean goes first: after a crash in between, what is left is nobody's.
fn remove_files(path: &Path) -> std::io::Result<()> {
    for suffix in ["", "-wal", "-shm"] {
        let mut file = path.as_os_str().to_owned();
        file.push(suffix);
        match std::fs::remove_file(file) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(())
}

async fn blocking<T: Send + 'static>(
    operation: &'static str,
    work: impl FnOnce() -> T + Send + 'static,
) -> StoreResult<T> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|error| StoreError::new(StoreErrorKind::Internal, operation).because(error))
}

fn unavailable(operation: &'static str) -> impl FnOnce(std::io::Error) -> StoreError {
    move |error| StoreError::new(StoreErrorKind::Unavailable, operation).because(error)
}
