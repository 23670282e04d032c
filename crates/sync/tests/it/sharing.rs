//! Connectors that share a credential, and a service that limits its calls.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use inlet_model::sync::SyncStatus;
use inlet_source::{CallBudget, CallBudgets, CallRate, Message, SourceError};
use tokio::time::Instant;

use crate::fixture::{Fixture, batch, complete, end, listing};

const CONNECTORS: usize = 20;
const RATE: CallRate = CallRate { per_second: 200.0, burst: 5 };

/// How long the service wants to be left alone. `INLET_TEST_RETRY_AFTER_MILLIS=2000` for the real thing.
fn retry_after() -> Duration {
    let millis = std::env::var("INLET_TEST_RETRY_AFTER_MILLIS").map_or(50, |millis| millis.parse().unwrap());
    Duration::from_millis(millis)
}

/// A service that answers every other call with 429, and notes each call and each 429.
#[derive(Debug, Default)]
struct Service(Mutex<Vec<(Instant, bool)>>);

impl Service {
    fn call(&self, budget: &CallBudget) -> Result<(), SourceError> {
        let mut calls = self.0.lock().unwrap();
        let is_refused = calls.len().is_multiple_of(2);
        calls.push((Instant::now(), is_refused));
        if is_refused { Err(budget.told_to_wait(retry_after())) } else { Ok(()) }
    }
}

#[tokio::test]
async fn twenty_connectors_of_one_credential_finish_within_its_limit() {
    let fixture = Fixture::new(&["s"]).await;
    let (service, budgets) = (Arc::new(Service::default()), CallBudgets::default());
    let called = Arc::clone(&service);
    fixture.script(move |request, out| {
        let (service, budget) = (Arc::clone(&called), budgets.budget("credential", RATE));
        async move {
            budget.call().await?;
            service.call(&budget)?;
            out.send(listing("s")).await.unwrap();
            let batch = batch(&request, "s", 0..2, "a");
            out.send(Message::Batch { batch, checkpoint: Some(2.into()) }).await.unwrap();
            out.send(complete("s", true)).await.unwrap();
            out.send(end("s")).await.unwrap();
            Ok(())
        }
    });
    let engine = fixture.engine_with(Default::default()).await;
    let mut syncs = Vec::new();
    for _ in 0..CONNECTORS {
        syncs.push(fixture.queued_beside().await);
    }
    engine.wake();
    for sync in syncs {
        let ended = fixture.ended(&sync).await;
        assert_eq!((ended.status, ended.failure), (SyncStatus::Succeeded, None));
    }
    let calls = service.0.lock().unwrap();
    assert_eq!(calls.iter().filter(|(_, is_refused)| !is_refused).count(), CONNECTORS);
    for pair in calls.windows(2).filter(|pair| pair[0].1) {
        assert!(pair[1].0 - pair[0].0 >= retry_after(), "it was not left alone");
    }
}
