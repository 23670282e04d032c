//! A database, as whoever starts a process names it.

use std::fmt;

use inlet_model::{Clock, Entropy};
use postgres::Config;

use super::catalog::PostgresDatabase;
use super::pool::Pool;
use super::schema;
use crate::sql::SqlCatalog;
use crate::sql::catalog::Start;
use crate::{StoreError, StoreErrorKind, StoreResult};

/// A PostgreSQL database. What Inlet has in it lies in the first schema of the search path.
#[derive(Clone)]
pub struct Postgres {
    pub(super) pool: Pool,
}

impl Postgres {
    /// The database of that URL, or of that list of settings as libpq has them. Nothing is connected yet.
    ///
    /// [`Internal`](StoreErrorKind::Internal) if it is neither.
    pub fn new(url: &str) -> StoreResult<Self> {
        let config: Config = url.parse().map_err(|error| {
            StoreError::new(StoreErrorKind::Internal, "read the database's URL").because(error)
        })?;
        Ok(Self { pool: Pool::new(config) })
    }

    /// The catalog, with the tables of the collections beside it. What is not there is made: then the secret is drawn, and it holds a space
    /// `default` with a collection `default`. An older format is brought to the present one.
    ///
    /// [`NewerFormat`](StoreErrorKind::NewerFormat) if a newer Inlet made it; then nothing is touched.
    /// [`Unavailable`](StoreErrorKind::Unavailable) while the server cannot be reached.
    pub async fn catalog(&self, clock: &dyn Clock, entropy: &dyn Entropy) -> StoreResult<SqlCatalog> {
        let start = Start::drawn(clock, entropy);
        let secret = self.pool.run(schema::OPERATION, move |client| schema::open(client, &start)).await??;
        Ok(SqlCatalog::of(PostgresDatabase::new(self.pool.clone()), secret))
    }
}

/// Without the URL, which may hold a password.
impl fmt::Debug for Postgres {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Postgres")
    }
}
