//! A file for whoever moves all that is in it, or into it.

use std::path::Path;

use inlet_model::Entropy;
use rusqlite::{Connection, TransactionBehavior};

use super::keys::{KeyLog, KeyLogRoom};
use super::schema;
use super::stores::Options;
use crate::StoreResult;
use crate::sql::collection::Outcome;

/// Opens the file, made if it is not there, and writes the rows of its key log into the key table.
pub(in crate::sqlite) fn open_whole(path: &Path, entropy: &dyn Entropy) -> StoreResult<Connection> {
    let options = Options::default();
    let (mut connection, _) = schema::open(path, &options, entropy)?;
    prepare(&mut connection, &options).map_err(|trouble| trouble.during("open a collection"))?;
    Ok(connection)
}

fn prepare(connection: &mut Connection, options: &Options) -> Outcome<()> {
    // There is no writer here that would see to the log.
    connection.pragma_update(None, "wal_autocheckpoint", options.wal_pages)?;
    let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    KeyLog::new(options, &KeyLogRoom::default()).merge(&tx, || Ok(()))?;
    Ok(tx.commit()?)
}
