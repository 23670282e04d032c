//! Moving everything from a data directory into a PostgreSQL database, and back.

mod layouts;
mod list;
mod moves;
mod refusals;
mod scene;
mod servers;
mod stops;

use std::ops::ControlFlow;
use std::path::Path;

use inlet_model::{SeededEntropy, SystemClock};
use inlet_store::postgres::Postgres;
use inlet_store::sqlite::DataDir;
use inlet_store::transfer::{TransferError, TransferOptions, TransferReport, into_database, into_directory};

/// Pages so small that every table has several.
const SMALL: TransferOptions = TransferOptions { page_rows: 3, page_bytes: 600 };

fn parts() -> (SystemClock, SeededEntropy) {
    (SystemClock, SeededEntropy::new(99))
}

/// Moves a directory into a database; stops after so many pages.
async fn up_to(
    dir: &Path,
    url: &str,
    options: TransferOptions,
    pages: usize,
) -> Result<TransferReport, TransferError> {
    let (dir, database) = (DataDir::lock(dir).unwrap(), Postgres::new(url).unwrap());
    into_database(dir, &database, parts(), options, stopping(pages)).await
}

/// Moves a database into a directory; stops after so many pages.
async fn down_to(
    url: &str,
    dir: &Path,
    options: TransferOptions,
    pages: usize,
) -> Result<TransferReport, TransferError> {
    let (dir, database) = (DataDir::lock(dir).unwrap(), Postgres::new(url).unwrap());
    into_directory(&database, dir, parts(), options, stopping(pages)).await
}

fn stopping<P>(mut pages: usize) -> impl FnMut(&P) -> ControlFlow<()> + Send + 'static {
    move |_| {
        pages = pages.saturating_sub(1);
        if pages == 0 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}

async fn up(dir: &Path, url: &str) -> Result<TransferReport, TransferError> {
    up_to(dir, url, TransferOptions::default(), usize::MAX).await
}

async fn down(url: &str, dir: &Path) -> Result<TransferReport, TransferError> {
    down_to(url, dir, TransferOptions::default(), usize::MAX).await
}
