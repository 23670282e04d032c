//! The real stores under a simulation, on a file system in memory where there is one, and how they are called.
//!
//! They have threads of their own, which no seed governs. So every call blocks the one thread of the simulation until it is
//! answered: nothing else happens meanwhile, no time goes by, and the order of all that happens follows from the seed.

use std::path::Path;
use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::task::{Context, Poll, Wake, Waker};

use inlet_model::{ManualClock, SeededEntropy, StoreId, Timestamp};
use inlet_store::SqlCatalog;
use inlet_store::catalog::{Collection, Effect};
use inlet_store::postgres::{Postgres, PostgresCollections};
use inlet_store::sqlite::{CollectionOptions, SqliteCollections, open_catalog};
use inlet_store::{Catalog, CollectionStores};
use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};

/// Collections of every simulation.
pub(crate) const COLLECTIONS: [&str; 2] = ["default", "second"];

/// Names a PostgreSQL database in which each simulation is given a schema of its own.
pub(crate) const DATABASE: &str = "INLET_TEST_DATABASE_URL";

/// The catalog and the collections of one simulation.
pub(crate) struct Backends {
    place: Place,
    open: Mutex<Option<Open>>,
    /// Lends its threads to those who read on one that may block; nothing else runs in it.
    runtime: Runtime,
}

/// Where they lie.
enum Place {
    Files(TempDir),
    Schema(Schema),
}

type Open = (Arc<SqlCatalog>, Arc<dyn CollectionStores>);

impl Backends {
    /// Stores that hold nothing but empty collections.
    pub(crate) fn new() -> Self {
        let place = match Schema::new() {
            Some(schema) => Place::Schema(schema),
            None => Place::Files(template().copied()),
        };
        let runtime = Builder::new_current_thread().enable_time().build().unwrap();
        let backends = Self { place, open: Mutex::new(None), runtime };
        backends.reopen();
        backends
    }

    /// Closes everything and opens it again, as a new process does.
    pub(crate) fn reopen(&self) {
        let mut open = self.open.lock().unwrap();
        drop(open.take());
        *open = Some(match &self.place {
            Place::Files(folder) => open_in(folder.path()),
            Place::Schema(schema) => self.block_on(schema.open()),
        });
    }

    pub(crate) fn catalog(&self) -> Arc<SqlCatalog> {
        Arc::clone(&self.open.lock().unwrap().as_ref().unwrap().0)
    }

    pub(crate) fn stores(&self) -> Arc<dyn CollectionStores> {
        Arc::clone(&self.open.lock().unwrap().as_ref().unwrap().1)
    }

    /// The stores of [`COLLECTIONS`].
    pub(crate) fn store_ids() -> [StoreId; 2] {
        template().stores
    }

    /// Runs a statement in the catalog, behind the back of everybody.
    pub(crate) fn meddle(&self, sql: &str) {
        match &self.place {
            Place::Files(folder) => {
                let file = rusqlite::Connection::open(folder.path().join("catalog.db")).unwrap();
                let _meddled = file.execute(sql, []);
            }
            Place::Schema(schema) => schema.meddle(sql),
        }
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

impl Template {
    /// A folder with these files.
    fn copied(&self) -> TempDir {
        let folder = temporary();
        for (name, bytes) in &self.files {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, bytes).unwrap();
        }
        folder
    }
}

fn make_template() -> Template {
    let folder = temporary();
    let runtime = Builder::new_current_thread().build().unwrap();
    let open = open_in(folder.path());
    let stores = runtime.block_on(made_in(&open));
    drop(open);
    let names = ["catalog.db".to_owned()].into_iter().chain(stores.map(|id| format!("collections/{id}.db")));
    let files = names.map(|name| (name.clone(), std::fs::read(folder.path().join(name)).unwrap())).collect();
    Template { files, stores }
}

/// Makes [`COLLECTIONS`]; gives their stores.
async fn made_in((catalog, collections): &Open) -> [StoreId; 2] {
    let space = "default".parse().unwrap();
    let (first_id, second_id) = (COLLECTIONS[0].parse().unwrap(), COLLECTIONS[1].parse().unwrap());
    let first = catalog_of(catalog).collection_get(&space, &first_id).await.unwrap().unwrap();
    let second = Collection {
        id: second_id,
        store_id: StoreId::new(first.created_at, &SeededEntropy::new(2)),
        ..first.clone()
    };
    let created = catalog_of(catalog).collection_create(second.clone(), None).await.unwrap();
    assert_eq!(created, Effect::Done);
    let stores = [first.store_id, second.store_id];
    for id in stores {
        drop(collections.open(id).await.unwrap());
    }
    stores
}

fn catalog_of(catalog: &Arc<SqlCatalog>) -> &dyn Catalog {
    &**catalog
}

fn open_in(folder: &Path) -> Open {
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

/// A schema of the database, which goes with it.
struct Schema {
    url: String,
    name: String,
}

/// A runtime in a thread of its own, for a word with the database: whoever asks may be in a runtime.
fn ask(url: &str, sql: String) {
    let url = url.to_owned();
    let asked = std::thread::spawn(move || {
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let (client, connection) = tokio_postgres::connect(&url, tokio_postgres::NoTls).await.unwrap();
            tokio::spawn(connection);
            // What is meddled with may have no room for it.
            let _refused = client.batch_execute(&sql).await;
        });
    });
    asked.join().unwrap();
}

impl Schema {
    /// A new one with empty collections, if there is a database.
    fn new() -> Option<Self> {
        static MADE: AtomicU64 = AtomicU64::new(0);
        let url = std::env::var(DATABASE).ok()?;
        let name = format!("simulation_{}_{}", std::process::id(), MADE.fetch_add(1, Ordering::Relaxed));
        ask(&url, format!("CREATE SCHEMA {name}"));
        let schema = Self { url, name };
        std::thread::scope(|scope| {
            let making = scope.spawn(|| {
                let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
                runtime.block_on(async { made_in(&schema.open().await).await })
            });
            assert_eq!(making.join().unwrap(), Backends::store_ids());
        });
        Some(schema)
    }

    async fn open(&self) -> Open {
        let url = format!("{}?options=-csearch_path%3D{}", self.url, self.name);
        let database = Postgres::new(&url).unwrap();
        let clock = ManualClock::new(Timestamp::from_micros(0));
        let catalog = database.catalog(&clock, &SeededEntropy::new(1)).await.unwrap();
        let collections = PostgresCollections::new(&database, Arc::new(SeededEntropy::new(3)));
        (Arc::new(catalog), Arc::new(collections))
    }

    fn meddle(&self, sql: &str) {
        ask(&self.url, format!("SET search_path = {}; {sql}", self.name));
    }
}

impl Drop for Schema {
    fn drop(&mut self) {
        ask(&self.url, format!("DROP SCHEMA {} CASCADE", self.name));
    }
}

fn temporary() -> TempDir {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() { tempfile::tempdir_in(memory).unwrap() } else { tempfile::tempdir().unwrap() }
}
