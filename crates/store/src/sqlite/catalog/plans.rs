//! How the lists are read: by an index that has their order, so that no page costs more than the rows it goes through.

use std::num::NonZeroU32;

use inlet_model::sync::SyncStatus;
use inlet_model::{ConnectorId, ManualClock, SeededEntropy, Timestamp, WebhookId};
use rusqlite::{Connection, params_from_iter};

use super::schema;
use crate::catalog::{
    ConnectorFilter, ConnectorStatus, Created, DeliveryState, NameFilter, Order, PageCursor, PageQuery,
    SyncLimits,
};
use crate::sql::Dialect;
use crate::sql::catalog::page::Listing;
use crate::sql::catalog::syncs::{claim, room, sync_row, tally::TALLY, turn};
use crate::sql::catalog::{collections, connectors, deliveries, nodes, spaces, webhooks};

fn plan(db: &Connection, listing: &Listing, select: &str) -> String {
    let sql = listing.sql(select);
    let mut statement = db.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
    let values = vec![None::<i64>; statement.parameter_count()];
    let rows = statement.query_map(params_from_iter(values), |row| row.get::<_, String>(3)).unwrap();
    rows.map(Result::unwrap).collect::<Vec<_>>().join("; ")
}

#[test]
fn every_list_is_read_in_the_order_of_an_index() {
    let directory = tempfile::tempdir().unwrap();
    let clock = ManualClock::new(Timestamp::from_millis(1));
    let (db, _) = schema::open(&directory.path().join("c.db"), &clock, &SeededEntropy::new(1)).unwrap();
    let after = Some(PageCursor { created_at: Timestamp::from_millis(1), id: "a".to_owned() });
    let created = Created { after: Some(Timestamp::from_millis(1)), before: Some(Timestamp::from_millis(9)) };
    let name = || Some("n".to_owned());
    let (space, collection) = ("s".parse().unwrap(), "c".parse().unwrap());
    let connector = ConnectorId::from_u128(1);
    for order in [Order::NewestFirst, Order::OldestFirst] {
        let query = || PageQuery { after: after.clone(), limit: 10, order };
        let any = NameFilter { name: None, created };
        let named = NameFilter { name: name(), created: Created::default() };
        let kind = Some("files".to_owned());
        let of_kind = ConnectorFilter { kind, created, ..ConnectorFilter::default() };
        let paused =
            ConnectorFilter { status: Some(ConnectorStatus::Paused), created, ..ConnectorFilter::default() };
        let connectors_named = ConnectorFilter { name: name(), ..ConnectorFilter::default() };
        let sync = |status| sync_row::listing(connector, status, created, query());
        let of = |filter| connectors::listing(&space, &collection, filter, query()).unwrap();
        let delivery = |state| deliveries::listing(WebhookId::from_u128(1), state, query());
        for (index, listing, select) in [
            ("spaces_newest", spaces::listing(any.clone(), query()), spaces::SELECT),
            ("spaces_by_name", spaces::listing(named.clone(), query()), spaces::SELECT),
            ("collections_newest", collections::listing(&space, any, query()), collections::SELECT),
            ("collections_by_name", collections::listing(&space, named, query()), collections::SELECT),
            ("connectors_newest", of(ConnectorFilter::default()), connectors::SELECT),
            ("connectors_by_kind", of(of_kind), connectors::SELECT),
            ("connectors_by_status", of(paused), connectors::SELECT),
            ("connectors_by_name", of(connectors_named), connectors::SELECT),
            ("webhooks_newest", webhooks::listing(&space, query()), webhooks::row::SELECT),
            ("deliveries_newest", delivery(None), deliveries::row::SELECT),
            ("deliveries_newest", delivery(Some(DeliveryState::Waiting)), deliveries::row::SELECT),
            ("nodes_newest", nodes::listing(query()), nodes::SELECT),
            ("syncs_newest", sync(None), sync_row::SELECT),
            ("syncs_by_status", sync(Some(SyncStatus::Failed)), &sync_row::select_by_status(Dialect::Sqlite)),
        ] {
            let plan = plan(&db, &listing, select);
            assert!(plan.contains(&format!("INDEX {index} (")), "{plan}");
            assert!(!plan.contains("TEMP B-TREE") && !plan.contains("SCAN"), "{plan}");
        }
    }
}

/// With a million ended syncs in the table, a look at every row would take seconds.
#[test]
fn no_sync_that_has_ended_is_looked_at() {
    let directory = tempfile::tempdir().unwrap();
    let clock = ManualClock::new(Timestamp::from_millis(1));
    let (db, _) = schema::open(&directory.path().join("catalog.db"), &clock, &SeededEntropy::new(1)).unwrap();
    // A table that has never been analysed is planned by guesses; so is one that is always analysed.
    for analyze in ["", "ANALYZE"] {
        db.execute_batch(analyze).unwrap();
        let mut statement = db.prepare(&format!("EXPLAIN QUERY PLAN {TALLY}")).unwrap();
        let steps = statement.query_map([], |row| row.get::<_, String>("detail")).unwrap();
        let steps: Vec<String> = steps.map(Result::unwrap).collect();
        let on_syncs = steps.iter().filter(|step| step.starts_with("SCAN s") || step.starts_with("SEARCH s"));
        let on_syncs: Vec<&str> = on_syncs.map(String::as_str).collect();
        assert_eq!(on_syncs.len(), 2, "{steps:?}");
        assert!(on_syncs[0].contains("USING INDEX syncs_one_active"), "{steps:?}");
        assert!(on_syncs[1].contains("USING INDEX syncs_"), "{steps:?}");
        assert!(!on_syncs[1].contains("syncs_newest"), "{steps:?}");
    }
}

/// With a million queued syncs, a sort of them would take seconds.
#[test]
fn a_claim_reads_the_queue_in_order_and_counts_by_indexes() {
    let directory = tempfile::tempdir().unwrap();
    let clock = ManualClock::new(Timestamp::from_millis(1));
    let (db, _) = schema::open(&directory.path().join("catalog.db"), &clock, &SeededEntropy::new(1)).unwrap();
    let limits = SyncLimits {
        per_space: NonZeroU32::new(2),
        per_kind: [("files".to_owned(), NonZeroU32::MIN)].into(),
    };
    let (room, params) = room::condition(&limits, 1);
    let next = format!("{} {}", sync_row::SELECT, claim::next_where(&room));
    for analyze in ["", "ANALYZE"] {
        db.execute_batch(analyze).unwrap();
        for (sql, values, indexes) in [
            (
                next.as_str(),
                params.len(),
                &["syncs_queue", "syncs_running (space_id=?)", "syncs_running_of_kind"][..],
            ),
            (turn::NEXT, 1, &["syncs_queue", "syncs_queue_of_space (space_id=?)", "syncs_running_turn"]),
        ] {
            let mut statement = db.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
            let steps = statement
                .query_map(params_from_iter(vec![None::<i64>; values]), |row| row.get::<_, String>("detail"));
            let plan = steps.unwrap().map(Result::unwrap).collect::<Vec<_>>().join("; ");
            assert!(!plan.contains("TEMP B-TREE"), "{plan}");
            for index in indexes {
                assert!(plan.contains(&format!("INDEX {index}")), "{index}: {plan}");
            }
        }
    }
}

#[test]
fn what_a_node_runs_is_found_by_its_index_in_order() {
    let directory = tempfile::tempdir().unwrap();
    let clock = ManualClock::new(Timestamp::from_millis(1));
    let (db, _) = schema::open(&directory.path().join("catalog.db"), &clock, &SeededEntropy::new(1)).unwrap();
    for analyze in ["", "ANALYZE"] {
        db.execute_batch(analyze).unwrap();
        let mut statement = db.prepare(&format!("EXPLAIN QUERY PLAN {}", nodes::SYNCS)).unwrap();
        let steps = statement.query_map([None::<i64>; 2], |row| row.get::<_, String>("detail")).unwrap();
        let steps: Vec<String> = steps.map(Result::unwrap).collect();
        assert!(steps.iter().any(|step| step.contains("INDEX syncs_of_node (node=?)")), "{steps:?}");
    }
}
