//! Signals by `LISTEN` and `NOTIFY`: PostgreSQL's manual, page of `NOTIFY`.
//!
//! One connection listens. A pooler that gives every transaction another connection lets it listen in vain; so it first tells
//! itself something over the pool, and if that does not come, it says that signals are not prompt.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use async_trait::async_trait;
use inlet_model::{Entropy, SyncId};
use tokio::sync::{Notify, mpsc, oneshot};
use tokio::time::{Instant, sleep, timeout};

use super::pool::{Pool, Use};
use crate::sql::SqlResult;
use crate::sql::catalog::Trouble;
use crate::{Signal, Signals};

const CHANNEL: &str = "inlet";
/// Signals that wait to be sent, or to be taken, at most. Those beyond are not sent; of those that have come one is made that says
/// [`Signal::Anything`].
const WAITING: usize = 1_024;
/// What is told within this time goes together.
const GATHERED: Duration = Duration::from_millis(10);
/// Whoever is about to end waits no longer than this for what it has told.
const LONGEST_TELLING: Duration = Duration::from_secs(1);
/// What this process tells itself comes within this time, or never will.
const ECHO: Duration = Duration::from_secs(2);
/// Even a connection that says nothing is asked so often whether it is still there.
const ASKED: Duration = Duration::from_secs(15);
/// Where it did not come, it is tried again after so long: a pooler is not taken away often.
const AGAIN: Duration = Duration::from_secs(60);
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// The signals of one process.
#[derive(Debug)]
pub(super) struct ServerSignals {
    out: mpsc::Sender<ToSend>,
    taken: Mutex<BTreeSet<Signal>>,
    arrived: Notify,
    is_prompt: AtomicBool,
}

/// What is to be sent, or somebody who is to hear once all before is.
#[derive(Debug)]
enum ToSend {
    Signal(Signal),
    Sent(oneshot::Sender<()>),
}

/// Begins to listen, and goes on as long as somebody has what this gives. Needs a Tokio runtime.
pub(super) fn start(pool: Pool, entropy: &dyn Entropy) -> Arc<ServerSignals> {
    let (out, to_send) = mpsc::channel(WAITING);
    let (taken, arrived, is_prompt) = (Mutex::default(), Notify::new(), AtomicBool::new(false));
    let signals = Arc::new(ServerSignals { out, taken, arrived, is_prompt });
    let token = u64::from_be_bytes(entropy.bytes());
    tokio::spawn(send(pool.clone(), to_send));
    tokio::spawn(listen(Arc::downgrade(&signals), pool, format!("echo:{token:016x}")));
    signals
}

#[async_trait]
impl Signals for ServerSignals {
    fn tell(&self, signal: Signal) {
        // With so many under way it is left unsaid: the others look by themselves before long.
        let _full = self.out.try_send(ToSend::Signal(signal));
    }

    async fn told(&self) {
        let (sent, is_sent) = oneshot::channel();
        let telling = async {
            if self.out.send(ToSend::Sent(sent)).await.is_ok() {
                // An error says that nobody sends any more.
                let _ended = is_sent.await;
            }
        };
        let _late = timeout(LONGEST_TELLING, telling).await;
    }

    async fn next(&self) -> Signal {
        loop {
            let arrived = self.arrived.notified();
            if let Some(signal) = self.lock().pop_first() {
                return signal;
            }
            arrived.await;
        }
    }

    fn is_prompt(&self) -> bool {
        self.is_prompt.load(Ordering::Relaxed)
    }
}

impl ServerSignals {
    fn take(&self, signal: Signal) {
        let mut taken = self.lock();
        if taken.len() >= WAITING {
            taken.clear();
            taken.insert(Signal::Anything);
        }
        taken.insert(signal);
        drop(taken);
        self.arrived.notify_one();
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeSet<Signal>> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Sends what is told, until nobody can tell anything any more.
async fn send(pool: Pool, mut to_send: mpsc::Receiver<ToSend>) {
    while let Some(first) = to_send.recv().await {
        let (mut signals, mut waiting) = (BTreeSet::new(), Vec::new());
        let mut next = Some(first);
        while let Some(each) = next {
            match each {
                ToSend::Signal(signal) => _ = signals.insert(signal),
                ToSend::Sent(sent) => waiting.push(sent),
            }
            next = to_send.try_recv().ok();
        }
        let payloads: Vec<String> = signals.into_iter().map(payload).collect();
        if !payloads.is_empty()
            && let Err(error) = notify(&pool, payloads).await
        {
            tracing::debug!(error = &error as &dyn std::error::Error, "the other processes are not told");
        }
        for sent in waiting {
            // Whoever waited may have gone.
            let _gone = sent.send(());
        }
        sleep(GATHERED).await;
    }
}

async fn notify(pool: &Pool, payloads: Vec<String>) -> crate::StoreResult<()> {
    pool.run("tell the other processes", Use::Change, move |client| -> Result<(), Trouble> {
        let sql = "SELECT pg_notify($1, payload) FROM unnest($2) AS payload";
        let params: [(&(dyn tokio_postgres::types::ToSql + Sync), _); 2] = [
            (&CHANNEL, tokio_postgres::types::Type::TEXT),
            (&payloads, tokio_postgres::types::Type::TEXT_ARRAY),
        ];
        client.query_typed(sql, &params)?;
        Ok(())
    })
    .await
}

fn payload(signal: Signal) -> String {
    match signal {
        Signal::Work => "work".to_owned(),
        Signal::Schedule => "schedule".to_owned(),
        Signal::Sync(id) => format!("sync:{id}"),
        Signal::Anything => "anything".to_owned(),
    }
}

/// What a payload says. Of one that a newer version sends, only that there is something.
fn read(payload: &str) -> Signal {
    match payload.split_once(':') {
        None if payload == "work" => Signal::Work,
        None if payload == "schedule" => Signal::Schedule,
        Some(("sync", id)) => id.parse::<SyncId>().map_or(Signal::Anything, Signal::Sync),
        _ => Signal::Anything,
    }
}

/// Listens for as long as somebody has the signals, over one connection after the other.
async fn listen(signals: Weak<ServerSignals>, pool: Pool, echo: String) {
    let mut pause = FIRST_PAUSE;
    while signals.strong_count() > 0 {
        let begun = Instant::now();
        if let Err(error) = over_one_connection(&signals, &pool, &echo).await {
            tracing::debug!(
                error = &error as &dyn std::error::Error,
                "the connection that listens has ended"
            );
        }
        if let Some(signals) = signals.upgrade() {
            signals.is_prompt.store(false, Ordering::Relaxed);
        }
        pause = if begun.elapsed() > LONGEST_PAUSE { FIRST_PAUSE } else { (pause * 2).min(LONGEST_PAUSE) };
        sleep(pause).await;
    }
}

async fn over_one_connection(signals: &Weak<ServerSignals>, pool: &Pool, echo: &str) -> SqlResult<()> {
    let (messages, mut arrived) = mpsc::channel(WAITING);
    let (client, connection) = pool.address().open(Some(messages)).await?;
    let listening = async {
        client.batch_execute(&format!("LISTEN {CHANNEL}")).await?;
        let echoed = notify(pool, vec![echo.to_owned()]);
        let _sent = echoed.await;
        let deadline = Instant::now() + ECHO;
        // What came before this process listened is not known.
        tell(signals, Signal::Anything);
        loop {
            let Some(listener) = signals.upgrade() else { return Ok(()) };
            let patience = if listener.is_prompt() {
                ASKED
            } else {
                deadline.saturating_duration_since(Instant::now()).max(FIRST_PAUSE)
            };
            drop(listener);
            match timeout(patience, arrived.recv()).await {
                Ok(Some(payload)) if payload == echo => prompt(signals, true),
                Ok(Some(payload)) if payload.starts_with("echo:") => {}
                Ok(Some(payload)) => tell(signals, read(&payload)),
                Ok(None) => return Ok(()),
                Err(_) if signals.upgrade().is_some_and(|signals| signals.is_prompt()) => {
                    client.batch_execute("").await?;
                }
                // A pooler lies between.
                Err(_) if Instant::now() >= deadline => {
                    sleep(AGAIN).await;
                    return Ok(());
                }
                Err(_) => {}
            }
        }
    };
    tokio::select! {
        ended = connection => Ok(ended?),
        ended = listening => ended,
    }
}

fn tell(signals: &Weak<ServerSignals>, signal: Signal) {
    if let Some(signals) = signals.upgrade() {
        signals.take(signal);
    }
}

fn prompt(signals: &Weak<ServerSignals>, is_prompt: bool) {
    if let Some(signals) = signals.upgrade() {
        signals.is_prompt.store(is_prompt, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_signal_is_understood_and_what_is_not_means_anything() {
        let sync = Signal::Sync(SyncId::from_u128(7));
        for signal in [Signal::Work, Signal::Schedule, sync, Signal::Anything] {
            assert_eq!(read(&payload(signal)), signal);
        }
        for unknown in ["", "later", "sync:", "sync:x", "new:1"] {
            assert_eq!(read(unknown), Signal::Anything);
        }
    }
}
