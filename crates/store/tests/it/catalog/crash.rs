//! A process that dies in a write: what it was told is durable, and what it was not told is all or nothing.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use inlet_store::catalog::{NameFilter, Spaces, Tasks};
use inlet_store::conformance::catalog::given::{Given, first};

use super::open;

/// Set in the process that is to die: where its catalog is.
const CHILD: &str = "INLET_TEST_CATALOG_CHILD";

/// The writes of the child: the first opening, five spaces, and the delete of a collection.
const WRITES: usize = 7;

#[tokio::test]
async fn what_was_acknowledged_is_there_and_nothing_is_there_by_half() {
    if let Some(path) = std::env::var_os(CHILD) {
        return write_until_killed(&PathBuf::from(path)).await;
    }
    for point in ["catalog.write.before", "catalog.write.after"] {
        for passed in 1..=WRITES {
            let directory = tempfile::tempdir().unwrap();
            let path = directory.path().join("catalog.db");
            let acknowledged = killed_at(&format!("{point}@{passed}=kill"), &path);
            assert_eq!(acknowledged, passed - 1);
            let durable = if point.ends_with("after") { passed } else { passed - 1 };
            assert_eq!(written(&path).await, durable, "{point}@{passed}");
        }
    }
}

async fn write_until_killed(path: &Path) {
    let given = Given::new(Arc::new(open(path)));
    let mut file = File::create(acknowledged(path)).unwrap();
    let mut acknowledge = || file.write_all(b".").unwrap();
    acknowledge();
    for _ in 0..5 {
        given.stored_space().await;
        acknowledge();
    }
    let id = "default".parse().unwrap();
    given.catalog.space_delete(&id, true, given.now()).await.unwrap();
    acknowledge();
}

/// Where the child writes a dot for each write that returned.
fn acknowledged(path: &Path) -> PathBuf {
    path.with_extension("acknowledged")
}

/// Runs this test in another process, which dies there; how many writes returned before.
fn killed_at(faults: &str, path: &Path) -> usize {
    let this = "catalog::crash::what_was_acknowledged_is_there_and_nothing_is_there_by_half";
    let child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", this])
        .env(CHILD, path)
        .env("INLET_FAULTS", faults)
        .output()
        .unwrap();
    assert!(!child.status.success(), "{faults} killed nobody");
    fs::read(acknowledged(path)).map_or(0, |dots| dots.len())
}

/// How many of the child's writes are in the file.
async fn written(path: &Path) -> usize {
    let was_opened = has_tables(path);
    let catalog = open(path);
    let spaces = catalog.space_list(NameFilter::default(), first(10)).await.unwrap().items.len();
    let tasks = catalog.task_list(10).await.unwrap().len();
    // The delete took the space away with which the catalog began, and queued a task in its place.
    if was_opened { spaces + 2 * tasks } else { spaces + tasks - 1 }
}

fn has_tables(path: &Path) -> bool {
    let count = "SELECT count(*) FROM sqlite_schema";
    super::look_into(path).query_row(count, [], |row| row.get::<_, i64>(0)).unwrap() > 0
}
