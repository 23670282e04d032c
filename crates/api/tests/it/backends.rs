//! What the server under test keeps everything in: files in its folder, or a schema of the database that `INLET_TEST_DATABASE_URL`
//! names, one for each folder.

use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;

use inlet_model::{Entropy, ManualClock};
use inlet_store::postgres::{Postgres, PostgresCollections};
use inlet_store::sqlite::{CollectionOptions, SqliteCollections, open_catalog};
use inlet_store::{Catalog, CollectionStores};

/// Where there is a database.
const DATABASE: &str = "INLET_TEST_DATABASE_URL";

/// The backends of a server in this folder.
pub(crate) async fn open(
    folder: &Path,
    clock: &ManualClock,
    entropy: &Arc<dyn Entropy>,
) -> (Arc<dyn Catalog>, Arc<dyn CollectionStores>) {
    match std::env::var(DATABASE) {
        Ok(url) => in_database(&url, folder, clock, entropy).await,
        Err(_) => in_folder(folder, clock, entropy),
    }
}

/// Whether what is stored lies in files of the folder.
pub(crate) fn are_files() -> bool {
    std::env::var_os(DATABASE).is_none()
}

fn in_folder(
    folder: &Path,
    clock: &ManualClock,
    entropy: &Arc<dyn Entropy>,
) -> (Arc<dyn Catalog>, Arc<dyn CollectionStores>) {
    let catalog = open_catalog(&folder.join("catalog.db"), clock, &**entropy).unwrap();
    let stores = SqliteCollections::new(
        &folder.join("collections"),
        Arc::clone(entropy),
        CollectionOptions::default(),
    );
    (Arc::new(catalog), Arc::new(stores.unwrap()))
}

async fn in_database(
    url: &str,
    folder: &Path,
    clock: &ManualClock,
    entropy: &Arc<dyn Entropy>,
) -> (Arc<dyn Catalog>, Arc<dyn CollectionStores>) {
    let mut schema = "of_".to_owned();
    for byte in folder.file_name().unwrap().as_encoded_bytes() {
        write!(schema, "{byte:02x}").unwrap();
    }
    let (admin, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls).await.unwrap();
    tokio::spawn(connection);
    admin.batch_execute(&format!("CREATE SCHEMA IF NOT EXISTS {schema}")).await.unwrap();
    let url = format!("{url}?options=-csearch_path%3D{schema}");
    let database = Postgres::new(&url).unwrap();
    let catalog = database.catalog(clock, &**entropy).await.unwrap();
    (Arc::new(catalog), Arc::new(PostgresCollections::new(&database, Arc::clone(entropy))))
}
