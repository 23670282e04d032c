//! What a sync did, for people.

use std::time::Duration;

use inlet_model::Counts;

use crate::client::objects::Sync;
use crate::collection_name::CollectionName;
use crate::output::numbers;
use crate::output::table::{Align, Table};

/// A table of the sync's streams, and how it ended. Unless all is well, it says of each stream how it stands.
pub(crate) fn table(sync: &Sync, into: &CollectionName, width: Option<usize>) -> String {
    if sync.streams.is_empty() {
        return format!("{} {} into {into}: {}\n", sync.id, sync.status, line(sync));
    }
    let all_well = sync.streams.iter().all(|stream| stream.status == "succeeded");
    let mut table = if all_well { columns() } else { columns_with_status() };
    let mut add = |name: &str, status: &str, counts: &Counts| {
        let mut cells = row(name, counts);
        if !all_well {
            cells.insert(1, status.to_owned());
        }
        table.row(cells);
    };
    for stream in &sync.streams {
        add(stream.name.as_str(), &stream.status, &stream.counts);
    }
    if sync.streams.len() > 1 {
        add("all", sync.status.as_str(), &sync.counts);
    }
    let speed = sync.duration().map(|duration| speed(sync.counts.read, duration)).unwrap_or_default();
    let dry = if sync.dry_run { "; a dry run: nothing was written" } else { "" };
    format!("{}{} {} into {into}{speed}{dry}\n", table.render(width), sync.id, sync.status)
}

/// A table of several syncs of one stream each, and how long they took together.
pub(crate) fn of_several(syncs: &[Sync], width: Option<usize>) -> String {
    let mut table = columns();
    for sync in syncs {
        let name = sync.streams.first().map_or(sync.id.as_str(), |stream| stream.name.as_str());
        table.row(row(name, &sync.counts));
    }
    let read = syncs.iter().map(|sync| sync.counts.read).sum();
    let duration = syncs.iter().filter_map(Sync::duration).sum();
    format!("{}{} syncs{}\n", table.render(width), syncs.len(), speed(read, duration))
}

/// Narrow enough for a terminal of 80 columns.
fn columns() -> Table {
    Table::new([("stream", Align::Left)].into_iter().chain(number_columns()))
}

fn columns_with_status() -> Table {
    Table::new([("stream", Align::Left), ("status", Align::Left)].into_iter().chain(number_columns()))
}

fn number_columns() -> impl Iterator<Item = (&'static str, Align)> {
    let names = ["read", "created", "updated", "unchanged", "deleted", "rejected", "bytes"];
    names.into_iter().map(|name| (name, Align::Right))
}

/// The sync in a line.
pub(crate) fn line(sync: &Sync) -> String {
    let counts = &sync.counts;
    let parts = [
        (counts.created, "created"),
        (counts.updated, "updated"),
        (counts.unchanged, "unchanged"),
        (counts.deleted, "deleted"),
        (counts.rejected, "rejected"),
    ];
    let named = parts.iter().filter(|(number, _)| *number > 0);
    let named: Vec<String> =
        named.map(|(number, what)| format!("{} {what}", numbers::count(*number))).collect();
    let read = format!("{} read", numbers::counted(counts.read, "record"));
    if named.is_empty() { read } else { format!("{read}, {}", named.join(", ")) }
}

fn row(name: &str, counts: &Counts) -> Vec<String> {
    let numbers =
        [counts.read, counts.created, counts.updated, counts.unchanged, counts.deleted, counts.rejected];
    let mut cells = vec![name.to_owned()];
    cells.extend(numbers.map(numbers::count));
    cells.push(numbers::bytes(counts.bytes));
    cells
}

/// ` in 0.052 s, 28,038 records/s`
fn speed(read: u64, duration: Duration) -> String {
    let time = numbers::duration(duration);
    match numbers::per_second(read, duration) {
        Some(rate) if read > 0 => format!(" in {time}, {} records/s", numbers::count(rate)),
        _ => format!(" in {time}"),
    }
}

#[cfg(test)]
mod tests {
    use inlet_model::sync::SyncStatus;
    use serde_json::json;

    use super::*;

    fn sync(streams: serde_json::Value) -> Sync {
        serde_json::from_value(json!({
            "id": "syn_1", "status": "succeeded", "error": null, "streams": streams,
            "started_at": "2026-11-23T22:00:00.000Z", "finished_at": "2026-11-23T22:00:00.050Z",
            "counts": {"read": 1474, "created": 1470, "updated": 1, "unchanged": 1, "deleted": 3, "rejected": 2, "bytes": 104296},
        }))
        .unwrap()
    }

    fn into(name: &str) -> CollectionName {
        CollectionName::parse(name).unwrap()
    }

    #[test]
    fn several_streams_are_summed_up() {
        let streams = json!([
            {"name": "airports", "status": "succeeded", "counts": {"read": 1458, "created": 1458, "bytes": 104000}},
            {"name": "airlines", "status": "succeeded", "counts": {"read": 16, "created": 12, "updated": 1, "unchanged": 1, "deleted": 3, "rejected": 2, "bytes": 296}},
        ]);
        insta::assert_snapshot!(table(&sync(streams), &into("nyc"), None), @r"
        stream     read  created  updated  unchanged  deleted  rejected     bytes
        airports  1,458    1,458        0          0        0         0  104.0 kB
        airlines     16       12        1          1        3         2     296 B
        all       1,474    1,470        1          1        3         2  104.3 kB
        syn_1 succeeded into nyc in 0.050 s, 29,480 records/s
        ");
    }

    #[test]
    fn unless_all_is_well_each_stream_says_how_it_stands() {
        let streams = json!([
            {"name": "airports", "status": "succeeded", "counts": {"read": 1458, "created": 1458, "bytes": 104000}},
            {"name": "airlines", "status": "cancelled", "counts": {"read": 16, "created": 12, "bytes": 296}},
        ]);
        let mut sync = sync(streams);
        sync.status = SyncStatus::Cancelled;
        insta::assert_snapshot!(table(&sync, &into("nyc"), None), @r"
        stream    status      read  created  updated  unchanged  deleted  rejected     bytes
        airports  succeeded  1,458    1,458        0          0        0         0  104.0 kB
        airlines  cancelled     16       12        0          0        0         0     296 B
        all       cancelled  1,474    1,470        1          1        3         2  104.3 kB
        syn_1 cancelled into nyc in 0.050 s, 29,480 records/s
        ");
    }

    #[test]
    fn a_sync_without_streams_is_a_line() {
        assert_eq!(
            table(&sync(json!([])), &into("eu/nyc"), None),
            "syn_1 succeeded into eu/nyc: 1,474 records read, 1,470 created, 1 updated, 1 unchanged, 3 deleted, 2 rejected\n"
        );
    }
}
