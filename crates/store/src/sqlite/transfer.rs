//! A data directory as one side of a move.

use std::fs;
use std::path::{Path, PathBuf};

use inlet_model::{Clock, Entropy, StoreId};
use rusqlite::{Connection, TransactionBehavior};

use super::collection::{FileTables, of_file, open_whole};
use super::{DataDir, catalog, session};
use crate::sql::Session;
use crate::transfer::{Moved, Page, Part, Place, Source, Table, Target, TransferError, is_unfinished, note};
use crate::{StoreError, StoreErrorKind, fault};

const OPERATION: &str = "open the data directory";

/// A data directory, of which this process holds the lock.
pub(crate) struct Directory<'run> {
    catalog: Connection,
    /// The store that is read or written now.
    store: Option<(StoreId, Connection)>,
    entropy: &'run dyn Entropy,
    // Given back last.
    dir: DataDir,
}

impl<'run> Directory<'run> {
    /// One from which everything is moved.
    pub(crate) fn source(dir: DataDir, clock: &dyn Clock, entropy: &'run dyn Entropy) -> Moved<Self> {
        let directory = Self::open(dir, clock, entropy)?;
        if is_unfinished(&directory.catalog)? {
            return Err(StoreError::new(StoreErrorKind::Unfinished, OPERATION).into());
        }
        Ok(directory)
    }

    /// One to which everything is moved.
    pub(crate) fn target(dir: DataDir, clock: &dyn Clock, entropy: &'run dyn Entropy) -> Moved<Self> {
        let path = dir.catalog_path();
        // What somebody named by mistake stays as it is.
        if path.exists() && catalog::is_older(&path)? {
            return Err(TransferError::NotEmpty { table: "catalog.db" });
        }
        Self::open(dir, clock, entropy)
    }

    fn open(dir: DataDir, clock: &dyn Clock, entropy: &'run dyn Entropy) -> Moved<Self> {
        let catalog = catalog::open_whole(&dir.catalog_path(), clock, entropy)?;
        Ok(Self { catalog, store: None, entropy, dir })
    }

    fn path(&self, store: StoreId) -> PathBuf {
        self.dir.collections_dir().join(format!("{store}.db"))
    }

    /// The connection to the file of a store. That to the one before is closed.
    fn store(&mut self, id: StoreId) -> Moved<&mut Connection> {
        if self.store.as_ref().is_none_or(|(open, _)| *open != id) {
            self.store = None;
            self.store = Some((id, open_whole(&self.path(id), self.entropy)?));
        }
        let (_, connection) = self.store.as_mut().expect("it was just put there");
        Ok(connection)
    }
}

impl Source for Directory<'_> {
    fn stores(&mut self) -> Moved<Vec<StoreId>> {
        let failed = |error| StoreError::new(StoreErrorKind::Unavailable, OPERATION).because(error);
        let mut stores = Vec::new();
        for entry in fs::read_dir(self.dir.collections_dir()).map_err(failed)? {
            let name = entry.map_err(failed)?.file_name();
            stores.extend(name.to_str().and_then(|name| name.strip_suffix(".db")?.parse::<StoreId>().ok()));
        }
        stores.sort_unstable();
        Ok(stores)
    }

    fn read(&mut self, part: Part, work: &mut dyn FnMut(&dyn Session) -> Moved<()>) -> Moved<()> {
        match part {
            Part::Catalog => work(&self.catalog),
            Part::Store(id) => {
                let path = self.path(id);
                work(&FileTables::new(self.store(id)?, &path))
            }
        }
    }

    fn refuse_if_in_use(&mut self) -> Moved<()> {
        // Whoever works in it would hold its lock, which is ours.
        Ok(())
    }
}

impl Target for Directory<'_> {
    fn make(&mut self, store: StoreId) -> Moved<()> {
        self.store(store).map(drop)
    }

    fn write(&mut self, part: Part, work: &mut dyn FnMut(&dyn Session) -> Moved<()>) -> Moved<()> {
        match part {
            Part::Catalog => transact(&mut self.catalog, |db| work(db)),
            Part::Store(id) => {
                let path = self.path(id);
                transact(self.store(id)?, |db| work(&FileTables::new(db, &path)))
            }
        }
    }

    /// Of a store the rows come first: written once more, they replace themselves.
    fn put(&mut self, part: Part, table: &Table, page: &Page, place: &Place) -> Moved<()> {
        match part {
            Part::Catalog => transact(&mut self.catalog, |db| {
                insert(db, table, page)?;
                note(db, part, table, place)
            }),
            Part::Store(id) => {
                let path = self.path(id);
                transact(self.store(id)?, |db| put(db, &path, table, page))?;
                fault::point("transfer.written");
                transact(&mut self.catalog, |db| note(db, part, table, place))
            }
        }
    }
}

fn transact(db: &mut Connection, work: impl FnOnce(&Connection) -> Moved<()>) -> Moved<()> {
    let tx = db.transaction_with_behavior(TransactionBehavior::Immediate).map_err(sqlite)?;
    work(&tx)?;
    fault::point("transfer.page.before");
    tx.commit().map_err(sqlite)?;
    fault::point("transfer.page.after");
    Ok(())
}

/// Writes rows into the file of a store.
fn put(db: &Connection, path: &Path, table: &Table, page: &Page) -> Moved<()> {
    if !table.is_single_row() {
        return insert(db, table, page);
    }
    for row in page.rows() {
        let params: Vec<_> = row.iter().map(|value| value as &dyn crate::sql::Bind).collect();
        Session::execute(&FileTables::new(db, path), &table.update(), &params)?;
    }
    Ok(())
}

fn insert(db: &Connection, table: &Table, page: &Page) -> Moved<()> {
    let columns = table.columns(db.dialect());
    let values: Vec<_> = (1..=columns.len()).map(|number| format!("?{number}")).collect();
    let (columns, values) = (columns.join(", "), values.join(", "));
    let sql = if table.is_of_store() {
        of_file(&format!("INSERT OR REPLACE INTO {} (store, {columns}) VALUES (?0, {values})", table.name))
    } else {
        format!("INSERT INTO {} ({columns}) VALUES ({values})", table.name)
    };
    let mut statement = db.prepare_cached(&sql).map_err(sqlite)?;
    for row in page.rows() {
        for (index, value) in (1..).zip(&row) {
            session::bind(&mut statement, index, value).map_err(sqlite)?;
        }
        statement.raw_execute().map_err(sqlite)?;
    }
    Ok(())
}

fn sqlite(error: rusqlite::Error) -> TransferError {
    crate::sql::SqlError::from(error).into()
}
