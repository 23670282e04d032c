//! Where a node keeps everything: in a directory of its own, or in a database that many share.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use inlet_model::secret::{Vault, VaultKey};
use inlet_model::{Clock, Entropy, SystemClock};
use inlet_store::postgres::{FoundTables, Layout, Postgres, PostgresCollections, PostgresOptions};
use inlet_store::sqlite::{CollectionOptions, DataDir, SqliteCollections, open_catalog};
use inlet_store::{Catalog, CollectionStores, NoSignals, Signals, StoreError, StoreErrorKind};

use crate::args::{DatabaseArgs, EncryptionArgs};
use crate::encryption::KeyRing;
use crate::errors::{CommandError, Complaint};

/// The longest pause between two tries to reach a database.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// Where everything is kept.
#[derive(Debug)]
pub(crate) enum Place {
    /// Ours alone.
    Directory(DataDir),
    /// Shared with other nodes.
    Database(Postgres),
}

/// What a node finds there.
pub(crate) struct Found {
    pub(crate) catalog: Arc<dyn Catalog>,
    pub(crate) stores: Arc<dyn CollectionStores>,
    pub(crate) vault: Vault,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) signals: Arc<dyn Signals>,
}

impl Place {
    /// The database of that URL.
    pub(crate) fn database(url: &str, options: PostgresOptions) -> Result<Self, CommandError> {
        database(url, options).map(Self::Database)
    }

    /// Whether no other node works there.
    pub(crate) fn is_ours_alone(&self) -> bool {
        matches!(self, Self::Directory(_))
    }

    /// Opens what is there, made if it is not. A database that does not answer is waited for.
    pub(crate) async fn open(
        &self,
        encryption: &EncryptionArgs,
        entropy: &Arc<dyn Entropy>,
    ) -> Result<Found, CommandError> {
        match self {
            Self::Directory(dir) => in_directory(dir, encryption, entropy),
            Self::Database(database) => in_database(database, encryption, entropy).await,
        }
    }

    /// Does `work`, which may be done twice; again and again while a database does not answer.
    pub(crate) async fn reached<T, F: Future<Output = Result<T, StoreError>>>(
        &self,
        work: impl Fn() -> F,
    ) -> Result<T, CommandError> {
        match self {
            Self::Directory(_) => work().await.map_err(|error| self.unusable(error)),
            Self::Database(_) => reached(work).await,
        }
    }

    /// What a person is told of something that went wrong in the store.
    pub(crate) fn unusable(&self, error: StoreError) -> CommandError {
        match self {
            Self::Directory(dir) => unusable(dir.path(), error),
            Self::Database(_) => unusable_database(error),
        }
    }
}

fn in_directory(
    dir: &DataDir,
    encryption: &EncryptionArgs,
    entropy: &Arc<dyn Entropy>,
) -> Result<Found, CommandError> {
    let failed = |error: StoreError| unusable(dir.path(), error);
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let keys = KeyRing::read(dir, encryption)?;
    let catalog = open_catalog(&dir.catalog_path(), &*clock, &**entropy).map_err(failed)?;
    // A directory that is refused gets no key.
    let vault = keys.vault(dir, &**entropy)?;
    let (dir, options) = (dir.collections_dir(), CollectionOptions::default());
    let stores = SqliteCollections::new(&dir, Arc::clone(entropy), options).map_err(failed)?;
    Ok(Found {
        catalog: Arc::new(catalog),
        stores: Arc::new(stores),
        vault,
        clock,
        signals: Arc::new(NoSignals),
    })
}

async fn in_database(
    database: &Postgres,
    encryption: &EncryptionArgs,
    entropy: &Arc<dyn Entropy>,
) -> Result<Found, CommandError> {
    let vault = shared_vault(encryption, &**entropy)?;
    let clock = reached(|| database.clock()).await?;
    let catalog = reached(|| database.catalog(&*clock, &**entropy)).await?;
    let stores = PostgresCollections::new(database, Arc::clone(entropy));
    let signals = database.signals(&**entropy);
    Ok(Found { catalog: Arc::new(catalog), stores: Arc::new(stores), vault, clock, signals })
}

/// The vault of the keys that were given: a node that made one of its own could not read what the others seal.
pub(crate) fn shared_vault(
    encryption: &EncryptionArgs,
    entropy: &dyn Entropy,
) -> Result<Vault, CommandError> {
    let mut given = KeyRing::given(encryption)?.into_iter();
    match given.next() {
        Some(current) => Ok(Vault::new(current, given)),
        None => {
            let message = "servers that share a database need the same encryption key, and none was given";
            let example = VaultKey::generate(entropy).to_text();
            Err(CommandError::input("input.encryption_key", message)
                .hint(format!(
                    "give each of them one, such as INLET_ENCRYPTION_KEY={example}, and keep it safe"
                ))
                .into())
        }
    }
}

/// The database that must be named, for a process that needs few connections, with the layout of tables that it makes. It is not
/// reached for yet.
pub(crate) fn database_of(args: &DatabaseArgs, layout: Layout) -> Result<Postgres, CommandError> {
    let Some(url) = args.url() else {
        return Err(CommandError::input("input.database_url", "the address of the database is missing")
            .hint("give it with --database-url, or in the environment as INLET_DATABASE_URL")
            .into());
    };
    database(url, PostgresOptions { layout, ..few_connections() })
}

/// The database of that URL, for a process that needs few connections. It is not reached for yet.
pub(crate) fn database_at(url: &str) -> Result<Postgres, CommandError> {
    database(url, few_connections())
}

fn few_connections() -> PostgresOptions {
    PostgresOptions { connections: Postgres::FEWEST_CONNECTIONS, ..Default::default() }
}

/// The database of that URL. It is not reached for yet.
fn database(url: &str, options: PostgresOptions) -> Result<Postgres, CommandError> {
    Postgres::with_options(url, options).map_err(|error| {
        CommandError::input("input.database_url", "the address of the database cannot be read")
            .because(error)
            .hint("write it as `postgres://user:password@host:5432/database`")
            .into()
    })
}

/// The database of that URL, for a command that looks for something in its tables. Those are made by whoever sets servers up. Nor does it wait for
/// a database that does not answer: a person at a terminal would rather know at once.
pub(crate) async fn database_with_tables(url: &str) -> Result<Postgres, CommandError> {
    let database = database_at(url)?;
    match database.examine().await.map_err(unusable_database)?.tables {
        FoundTables::Missing => {
            Err(CommandError::input("input.database_url", "there is nothing of Inlet's in the database")
                .hint("look whether it is the right one; `inlet serve` or `inlet migrate` makes the tables")
                .into())
        }
        FoundTables::Older(version) => {
            let message = format!("the tables are of version {version}, which is older than this program's");
            Err(CommandError::failure("store.older_format", message)
                .hint("`inlet migrate` brings them up to date, and so does the first server that is upgraded")
                .into())
        }
        // That is said when they are opened.
        FoundTables::Present(..) | FoundTables::TooNew(_) => Ok(database),
    }
}

/// Does `work` again until the database answers.
pub(crate) async fn reached<T, F: Future<Output = Result<T, StoreError>>>(
    work: impl Fn() -> F,
) -> Result<T, CommandError> {
    let mut pause = Duration::from_millis(100);
    loop {
        let error = match work().await {
            Ok(value) => return Ok(value),
            Err(error) => error,
        };
        if error.kind() != StoreErrorKind::Unavailable || inlet_store::postgres::is_refusal(&error) {
            return Err(unusable_database(error));
        }
        error.complain("the database does not answer; trying again");
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

fn unusable_database(error: StoreError) -> CommandError {
    let code = error.kind().code();
    let is_unfinished = error.kind() == StoreErrorKind::Unfinished;
    let complaint = CommandError::failure(code, "the database cannot be used").because(error);
    with_hint(complaint, is_unfinished).into()
}

/// The error of a data directory whose store does not open.
pub(crate) fn unusable(path: &Path, error: StoreError) -> CommandError {
    let code = error.kind().code();
    let is_unfinished = error.kind() == StoreErrorKind::Unfinished;
    let message = format!("the data directory `{}` cannot be opened", path.display());
    with_hint(CommandError::failure(code, message).because(error), is_unfinished).into()
}

/// The error of one of two places between which data are moved.
pub(crate) fn unmovable(path: &Path, error: StoreError) -> CommandError {
    let (code, is_unfinished) = (error.kind().code(), error.kind() == StoreErrorKind::Unfinished);
    let message = format!("nothing can be moved between `{}` and the database", path.display());
    with_hint(CommandError::failure(code, message).because(error), is_unfinished).into()
}

fn with_hint(complaint: Complaint, is_unfinished: bool) -> Complaint {
    if is_unfinished {
        complaint.hint("give the `inlet import` or `inlet export --all-to` again that was interrupted: it goes on where it was")
    } else {
        complaint
    }
}
