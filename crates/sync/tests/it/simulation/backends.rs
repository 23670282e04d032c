//! The real stores under a simulation, on a file system in memory where there is one, and how they are called.
//!
//! They have threads of their own, which no seed governs. So every call blocks the one thread of the simulation until it is
//! answered: nothing else happens meanwhile, no time goes by, and the order of all that happens follows from the seed.

use std::path::{Path, PathBuf};
use std::pin::pin;
use std::sync::{Arc, Mutex, OnceLock};
use std::task::{Context, Poll, Wake, Waker};

use inlet_model::{ManualClock, SeededEntropy, StoreId, Timestamp};
use inlet_store::SqlCatalog;
use inlet_store::catalog::{Collection, Effect};
use inlet_store::sqlite::{CollectionOptions, SqliteCollections, open_catalog};
use inlet_store::{Catalog, CollectionStores};
use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};

/// Collections of every simulation.
pub(crate) const COLLECTIONS: [&str; 2] = ["default", "second"];

/// The catalog and the collections of one simulation.
pub(crate) struct Backends {
    folder: TempDir,
    open: Mutex<Option<(Arc<SqlCatalog>, Arc<SqliteCollections>)>>,
    /// Lends its threads to those who read on one that may block; nothing else runs in it.
    runtime: Runtime,
}

impl Backends {
    /// Stores that hold nothing but empty collections.
    pub(crate) fn new() -> Self {
        let folder = temporary();
        for (name, bytes) in &template().files {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, bytes).unwrap();
        }
        let runtime = Builder::new_current_thread().build().unwrap();
        let backends = Self { folder, open: Mutex::new(None), runtime };
        backends.reopen();
        backends
    }

    /// Closes the files and opens them again, as a new process does.
    pub(crate) fn reopen(&self) {
        let mut open = self.open.lock().unwrap();
        drop(open.take());
        *open = Some(open_in(self.folder.path()));
    }

    pub(crate) fn catalog(&self) -> Arc<SqlCatalog> {
        Arc::clone(&self.open.lock().unwrap().as_ref().unwrap().0)
    }

    pub(crate) fn stores(&self) -> Arc<SqliteCollections> {
        Arc::clone(&self.open.lock().unwrap().as_ref().unwrap().1)
    }

    /// The stores of [`COLLECTIONS`].
    pub(crate) fn store_ids() -> [StoreId; 2] {
        template().stores
    }

    pub(crate) fn catalog_path(&self) -> PathBuf {
        self.folder.path().join("catalog.db")
    }

    /// Does `work` on the spot: the thread waits.
    pub(crate) fn block_on<F: Future>(&self, work: F) -> F::Output {
        struct Unpark(std::thread::Thread);
        impl Wake for Unpark {
            fn wake(self: Arc<Self>) {
                self.0.unpark();
            }
        }
        let _inside = self.runtime.enter();
        // A task that has had its share of turns would be told to wait, and nobody would wake it.
        let mut work = pin!(tokio::task::unconstrained(work));
        let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
        let mut context = Context::from_waker(&waker);
        loop {
            match work.as_mut().poll(&mut context) {
                Poll::Ready(answer) => return answer,
                Poll::Pending => std::thread::park(),
            }
        }
    }
}

/// The files that every simulation begins with, made once.
struct Template {
    files: Vec<(String, Vec<u8>)>,
    stores: [StoreId; 2],
}

fn template() -> &'static Template {
    static TEMPLATE: OnceLock<Template> = OnceLock::new();
    // In a thread of its own: the first to ask may be in a runtime.
    TEMPLATE.get_or_init(|| std::thread::spawn(make_template).join().unwrap())
}

fn make_template() -> Template {
    let folder = temporary();
    let runtime = Builder::new_current_thread().build().unwrap();
    let (catalog, collections) = open_in(folder.path());
    let stores = runtime.block_on(async {
        let space = "default".parse().unwrap();
        let (first_id, second_id) = (COLLECTIONS[0].parse().unwrap(), COLLECTIONS[1].parse().unwrap());
        let first = catalog_of(&catalog).collection_get(&space, &first_id).await.unwrap().unwrap();
        let second = Collection {
            id: second_id,
            store_id: StoreId::new(first.created_at, &SeededEntropy::new(2)),
            ..first.clone()
        };
        let created = catalog_of(&catalog).collection_create(second.clone(), None).await.unwrap();
        assert_eq!(created, Effect::Done);
        let stores = [first.store_id, second.store_id];
        for id in stores {
            drop(collections.open(id).await.unwrap());
        }
        stores
    });
    drop((catalog, collections));
    let names = ["catalog.db".to_owned()].into_iter().chain(stores.map(|id| format!("collections/{id}.db")));
    let files = names.map(|name| (name.clone(), std::fs::read(folder.path().join(name)).unwrap())).collect();
    Template { files, stores }
}

fn catalog_of(catalog: &Arc<SqlCatalog>) -> &dyn Catalog {
    &**catalog
}

fn open_in(folder: &Path) -> (Arc<SqlCatalog>, Arc<SqliteCollections>) {
    let clock = ManualClock::new(Timestamp::from_micros(0));
    let catalog = open_catalog(&folder.join("catalog.db"), &clock, &SeededEntropy::new(1)).unwrap();
    // So small that a few records already go by way of the key log.
    let options = CollectionOptions {
        writer_cache_bytes: 1 << 20,
        reader_cache_bytes: 1 << 18,
        logged_rows: 4,
        scattered_rows: 2,
        key_log_rows: 16,
        ..CollectionOptions::default()
    };
    let entropy = Arc::new(SeededEntropy::new(3));
    let collections = SqliteCollections::new(&folder.join("collections"), entropy, options).unwrap();
    (Arc::new(catalog), Arc::new(collections))
}

fn temporary() -> TempDir {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() { tempfile::tempdir_in(memory).unwrap() } else { tempfile::tempdir().unwrap() }
}
