//! A process that dies between a target's answer and its note of it: the delivery is sent again, under the same id.

use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use inlet_model::{ManualClock, Timestamp};
use inlet_store::catalog::{DeliveryState, Order, PageQuery};
use prometheus_client::registry::Registry;

use crate::fixture::{Fixture, Setup, catalog, courier};
use crate::receiver::Receiver;

/// Set in the process that is to die: where its catalog is.
const CHILD: &str = "INLET_TEST_WEBHOOK_CHILD";
/// Later than everything that is queued.
const NOW: Timestamp = Timestamp::from_millis(4_102_444_900_000);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_answered_but_not_noted_is_sent_again_under_the_same_id() {
    if let Some(path) = std::env::var_os(CHILD) {
        return send_until_killed(PathBuf::from(path)).await;
    }
    let mut target = Receiver::start().await;
    let (webhook_id, folder) = Fixture::closed_over(&target.url()).await;
    let path = folder.path().join("catalog.db");
    let this = "crash::what_was_answered_but_not_noted_is_sent_again_under_the_same_id";
    let child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", this])
        .env(CHILD, &path)
        .env("INLET_FAULTS", "webhook.answered@1=kill")
        .spawn()
        .unwrap();
    let first = target.next().await;
    let child = tokio::task::spawn_blocking(move || child.wait_with_output()).await.unwrap().unwrap();
    assert!(!child.status.success(), "it was killed");

    let catalog = catalog(&path);
    let clock = Arc::new(ManualClock::new(NOW));
    let courier = courier(&catalog, clock, Setup::default(), &mut Registry::default());
    let again = target.next().await;
    assert_eq!((again.id(), &again.body), (first.id(), &first.body));
    courier.stop(Duration::from_secs(30)).await;
    let query = PageQuery { after: None, limit: 9, order: Order::NewestFirst };
    let noted = catalog.delivery_list(webhook_id, Some(DeliveryState::Delivered), query).await.unwrap().items;
    assert_eq!((noted.len(), noted[0].attempts), (1, 2));
}

async fn send_until_killed(path: PathBuf) {
    let catalog = catalog(&path);
    let clock = Arc::new(ManualClock::new(NOW));
    let _courier = courier(&catalog, clock, Setup::default(), &mut Registry::default());
    tokio::time::sleep(Duration::from_secs(60)).await;
}
