//! What was moved, and what whoever starts a server over it needs to know.

use std::path::Path;
use std::time::Duration;

use inlet_store::transfer::TransferReport;
use serde_json::json;

use crate::output::table::{Align, Table, terminal_width};
use crate::output::{OutputFormat, numbers};

/// A table of all that was moved, or the same as JSON.
pub(super) fn of(report: &TransferReport, took: Duration, output: OutputFormat) -> String {
    match output {
        OutputFormat::Table => table(report, took, terminal_width()),
        OutputFormat::Json => format!("{}\n", object(report, took)),
    }
}

fn table(report: &TransferReport, took: Duration, width: Option<usize>) -> String {
    let columns =
        [("table", Align::Left), ("rows", Align::Right), ("bytes", Align::Right), ("XXH3-128", Align::Left)];
    let mut table = Table::new(columns);
    for (name, sum) in report.tables.iter().filter(|(_, sum)| sum.rows > 0) {
        let hash = format!("{:032x}", sum.hash);
        table.row([(*name).to_owned(), numbers::count(sum.rows), numbers::bytes(sum.bytes), hash]);
    }
    let moved = [
        numbers::counted(report.rows("collections"), "collection"),
        numbers::counted(report.rows("connectors"), "connector"),
        numbers::counted(report.rows("store_keys"), "record"),
    ];
    let took = numbers::duration(took);
    format!("{}{} moved in {took}, and the same on both sides\n", table.render(width), moved.join(", "))
}

fn object(report: &TransferReport, took: Duration) -> serde_json::Value {
    let tables: Vec<_> = report
        .tables
        .iter()
        .map(|(name, sum)| {
            json!({"table": name, "rows": sum.rows, "bytes": sum.bytes, "xxh3_128": format!("{:032x}", sum.hash)})
        })
        .collect();
    json!({
        "collections": report.rows("collections"),
        "connectors": report.rows("connectors"),
        "records": report.rows("store_keys"),
        "duration_ms": u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
        "tables": tables,
    })
}

/// Which key the servers of the database need.
pub(super) fn key_for_servers(kept: Option<&Path>) -> String {
    match kept {
        Some(path) => {
            let path = path.display();
            format!(
                "Secrets are sealed with the encryption key in {path}. Every server of the database needs it; keep a copy in a safe place:\n\n    inlet serve --encryption-key-file {path} --database-url …\n"
            )
        }
        None => "Secrets stay sealed with the encryption key that the server of the directory was given: give the same to every server of the database."
            .to_owned(),
    }
}

/// Which key a server of the directory needs.
pub(super) fn key_for_directory(dir: &Path, key_path: &Path) -> String {
    format!(
        "Secrets stay sealed with the encryption key of the database's servers, which was not written anywhere. Give it to the server of the directory too, or put it into {}, which only its owner may read:\n\n    inlet serve --encryption-key-file FILE --data-dir {}\n",
        key_path.display(),
        dir.display()
    )
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use inlet_store::transfer::Sum;

    use super::*;

    fn report() -> TransferReport {
        let sum = |rows, bytes, hash| Sum { rows, bytes, hash };
        let tables = BTreeMap::from([
            ("collections", sum(1, 90, 0xab)),
            ("connectors", sum(2, 9_000, 0xcd)),
            ("store_keys", sum(1_000_000, 44_000_000, 0xef)),
            ("tasks", sum(0, 0, 0)),
        ]);
        TransferReport { tables, stores: 1 }
    }

    #[test]
    fn tables_with_rows_are_shown_and_what_they_hold_is_said() {
        insta::assert_snapshot!(table(&report(), Duration::from_millis(12_345), None), @r"
        table             rows    bytes  XXH3-128
        collections          1     90 B  000000000000000000000000000000ab
        connectors           2   9.0 kB  000000000000000000000000000000cd
        store_keys   1,000,000  44.0 MB  000000000000000000000000000000ef
        1 collection, 2 connectors, 1,000,000 records moved in 12.3 s, and the same on both sides
        ");
    }

    #[test]
    fn programs_get_every_table() {
        let object = object(&report(), Duration::from_millis(12_345));
        assert_eq!((&object["records"], &object["duration_ms"]), (&1_000_000.into(), &12_345.into()));
        assert_eq!(object["tables"].as_array().unwrap().len(), 4);
        assert_eq!(object["tables"][0]["xxh3_128"], "000000000000000000000000000000ab");
    }
}
