//! How far a running sync has come, for those who watch it: made of the receipts of its commits, once for all of them.

use std::sync::{Arc, Mutex};

use inlet_model::{Counts, StreamName};
use inlet_store::collection::{Receipt, Run, StreamProgress};
use tokio::sync::watch;
use tokio::time::Instant;

/// How far a run had come at some moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Progress {
    /// The moment.
    pub at: Instant,
    /// The counters of the run.
    pub counts: Counts,
    /// Its streams, in the order they are read.
    pub streams: Vec<StreamProgress>,
}

/// Where it is shown: `None` until the first commit that somebody watches.
pub(crate) type Shown = watch::Sender<Option<Arc<Progress>>>;

/// Keeps the progress of a run, and shows it to those who watch. Nobody watching, it costs next to nothing.
#[derive(Debug)]
pub(crate) struct Tracker {
    now: Mutex<(Counts, Vec<StreamProgress>)>,
    shown: Shown,
}

impl Tracker {
    pub(crate) fn new(shown: Shown) -> Self {
        Self { now: Mutex::default(), shown }
    }

    /// The run stands so.
    pub(crate) fn stands(&self, run: &Run) {
        *self.now.lock().expect("no holder panics") = (run.counts, run.streams.clone());
        self.show();
    }

    /// A commit is durable.
    pub(crate) fn committed(&self, receipt: &Receipt) {
        let mut now = self.now.lock().expect("no holder panics");
        now.0 = receipt.counts;
        for changed in &receipt.streams {
            if let Some(stream) = now.1.iter_mut().find(|stream| stream.name == changed.name) {
                stream.clone_from(changed);
            }
        }
        drop(now);
        self.show();
    }

    /// A step of the delete phase is durable.
    pub(crate) fn swept(&self, stream: &StreamName, deleted: u64) {
        let mut now = self.now.lock().expect("no holder panics");
        now.0.deleted += deleted;
        if let Some(stream) = now.1.iter_mut().find(|known| known.name == *stream) {
            stream.counts.deleted += deleted;
        }
        drop(now);
        self.show();
    }

    /// The counters of the run.
    pub(crate) fn counts(&self) -> Counts {
        self.now.lock().expect("no holder panics").0
    }

    fn show(&self) {
        if self.shown.receiver_count() > 0 {
            let (counts, streams) = self.now.lock().expect("no holder panics").clone();
            self.shown.send_replace(Some(Arc::new(Progress { at: Instant::now(), counts, streams })));
        }
    }
}
