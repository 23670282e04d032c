//! The two ways: from a data directory into a database, and back.

use std::ops::ControlFlow;

use inlet_model::{Clock, Entropy};

use super::{Moved, TransferOptions, TransferProgress, TransferReport, run};
use crate::postgres::{Postgres, SharedDatabase};
use crate::sql::catalog::Start;
use crate::sqlite::{DataDir, Directory};

const OPERATION: &str = "move everything";

/// Moves all that is in a data directory into an empty database; a new one gets its tables. What was begun and not finished goes on.
///
/// The directory stays as it is, but that its files are brought to the present format. Whoever calls may go away: it goes on.
pub async fn into_database<C, E, W>(
    dir: DataDir,
    database: &Postgres,
    (clock, entropy): (C, E),
    options: TransferOptions,
    mut watch: W,
) -> Moved<TransferReport>
where
    C: Clock + 'static,
    E: Entropy + 'static,
    W: FnMut(&TransferProgress) -> ControlFlow<()> + Send + 'static,
{
    let start = Start::drawn(&clock, &entropy);
    let work = move |client: &mut _| {
        let mut target = SharedDatabase::target(client, &start)?;
        let mut source = Directory::source(dir, &clock, &entropy)?;
        run(&mut source, &mut target, options, &mut watch)
    };
    database.lend(OPERATION, work).await?
}

/// Moves all that is in a database into an empty data directory. What was begun and not finished goes on.
///
/// The database stays as it is, but that its tables are brought to the present format. Whoever calls may go away: it goes on.
pub async fn into_directory<C, E, W>(
    database: &Postgres,
    dir: DataDir,
    (clock, entropy): (C, E),
    options: TransferOptions,
    mut watch: W,
) -> Moved<TransferReport>
where
    C: Clock + 'static,
    E: Entropy + 'static,
    W: FnMut(&TransferProgress) -> ControlFlow<()> + Send + 'static,
{
    let start = Start::drawn(&clock, &entropy);
    let work = move |client: &mut _| {
        let mut source = SharedDatabase::source(client, &start)?;
        let mut target = Directory::target(dir, &clock, &entropy)?;
        run(&mut source, &mut target, options, &mut watch)
    };
    database.lend(OPERATION, work).await?
}
