//! All collections of a directory, one file each.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use inlet_model::{Entropy, StoreId};

use super::keys::KeyLogRoom;
use super::readers::Readers;
use super::schema;
use super::transactions::FileTransactions;
use crate::collection::{CollectionStore, CollectionStores};
use crate::sql::collection::{OpenCollections, SqlCollection};
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
    open: OpenCollections,
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
        let open = OpenCollections::new(options.max_open);
        Ok(Self { dir: dir.to_owned(), options, entropy, key_logs: KeyLogRoom::default(), open })
    }

    fn path(&self, id: StoreId) -> PathBuf {
        self.dir.join(format!("{id}{FILE_SUFFIX}"))
    }

    /// Opens a file, made if it is not there.
    async fn start(&self, id: StoreId) -> StoreResult<SqlCollection> {
        let (path, options, entropy) = (self.path(id), self.options.clone(), Arc::clone(&self.entropy));
        let room = self.key_logs.clone();
        blocking("open a collection", move || start(id, &path, &options, &room, &*entropy)).await?
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
        let opening = async { self.start(id).await.map(Some) };
        let opened = self.open.get(id, opening).await?;
        opened.ok_or(StoreError::new(StoreErrorKind::Internal, "open a collection"))
    }

    async fn find(&self, id: StoreId) -> StoreResult<Option<Arc<dyn CollectionStore>>> {
        const OPERATION: &str = "find a collection";
        let opening = async {
            let path = self.path(id);
            let is_there = blocking(OPERATION, move || path.try_exists()).await?;
            if is_there.map_err(unavailable(OPERATION))? { self.start(id).await.map(Some) } else { Ok(None) }
        };
        self.open.get(id, opening).await
    }

    async fn remove(&self, id: StoreId) -> StoreResult<()> {
        const OPERATION: &str = "remove a collection";
        let path = self.path(id);
        let removing =
            async { blocking(OPERATION, move || remove_files(&path)).await?.map_err(unavailable(OPERATION)) };
        self.open.remove(id, OPERATION, removing).await
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

/// Opens a file, made if it is not there. Blocks the thread.
fn start(
    id: StoreId,
    path: &Path,
    options: &Options,
    room: &KeyLogRoom,
    entropy: &dyn Entropy,
) -> StoreResult<SqlCollection> {
    let (connection, seed) = schema::open(path, options, entropy)?;
    let reads = Readers::new(path.to_owned(), options.reader_cache_bytes);
    let transactions = FileTransactions::new(connection, path, options, room)
        .map_err(|trouble| trouble.during("open a collection"))?;
    SqlCollection::start(id, seed, Arc::new(reads), Box::new(transactions))
}

/// The transactions of a file of its own, with a seed that is always the same.
#[cfg(test)]
pub(crate) fn open_transactions(path: &Path) -> Box<dyn crate::sql::collection::Transactions> {
    let options = Options::default();
    let (connection, _) = schema::open(path, &options, &inlet_model::SeededEntropy::new(1)).unwrap();
    Box::new(FileTransactions::new(connection, path, &options, &KeyLogRoom::default()).unwrap())
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
