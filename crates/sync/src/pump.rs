//! From the messages of a source to commits, overlapped and bounded.
//!
//! The source runs in a task of its own and waits while [`EngineOptions::sync_bytes`](crate::EngineOptions) of records are on
//! their way. One commit is under way while the next gathers.

use std::collections::BTreeSet;
use std::sync::Arc;

use inlet_model::{Batch, Counts, StreamName};
use inlet_source::{Message, MessageReceiver, StreamRequest, Taken};
use inlet_store::collection::{Item, Receipt, Unseen};
use inlet_store::{Signal, StoreResult, fault};
use serde_json::Value;
use tokio::sync::OwnedSemaphorePermit;
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tracing::Instrument;

use crate::engine::EngineOptions;
use crate::failure::{self, Failed, Stop};
use crate::narrator::Narrator;
use crate::read::Reading;
use crate::run::RunContext;
use crate::schemas::Schemas;
use crate::shape::Shapes;
use crate::sink::Sink;
use crate::source::BuiltSource;
use crate::{lines, spans};

/// What waits for the next commit.
#[derive(Debug, Default)]
struct Gathering {
    items: Vec<Item>,
    /// The room that the items take up; given back when they are committed.
    room: Vec<OwnedSemaphorePermit>,
    bytes: usize,
    since: Option<Instant>,
}

impl Gathering {
    fn add(&mut self, item: Item, room: OwnedSemaphorePermit) {
        self.bytes += room.num_permits();
        self.items.push(item);
        self.room.push(room);
        self.wait_for_commit();
    }

    /// Something waits for the next commit from now on.
    fn wait_for_commit(&mut self) {
        self.since.get_or_insert_with(Instant::now);
    }

    fn is_full(&self, options: &EngineOptions) -> bool {
        self.bytes >= options.commit_bytes
    }

    /// When the oldest item has waited long enough.
    fn due_at(&self, options: &EngineOptions) -> Option<Instant> {
        self.since.map(|since| since + options.commit_delay)
    }
}

type Committing = JoinHandle<(StoreResult<Receipt>, Vec<OwnedSemaphorePermit>)>;

/// Moves messages from the source into commits.
pub(crate) struct Pump<'a> {
    context: &'a RunContext,
    built: BuiltSource,
    receiver: MessageReceiver,
    narrator: Narrator,
    gathering: Gathering,
    committing: Option<Committing>,
    shapes: Shapes,
    schemas: Schemas,
    /// Streams whose records the source knows by the keys that are stored.
    askable: BTreeSet<StreamName>,
    /// Streams that the source has not ended yet.
    pub(crate) open: Vec<StreamName>,
    /// The run's counters, as far as the metrics have them.
    counted: Counts,
    sink: Sink,
    pub(crate) failed: Vec<(String, Failed)>,
    /// When the source last said something, or last could not because a commit was in its way.
    heard: Instant,
}

impl<'a> Pump<'a> {
    pub(crate) fn new(
        context: &'a RunContext,
        built: BuiltSource,
        streams: &[StreamRequest],
        receiver: MessageReceiver,
        begin: Reading,
    ) -> Self {
        let Reading { shapes, schemas, askable, counted, sink } = begin;
        Self {
            context,
            built,
            receiver,
            narrator: Narrator::of(streams),
            gathering: Gathering::default(),
            committing: None,
            shapes,
            schemas,
            askable,
            open: streams.iter().map(|stream| stream.name.clone()).collect(),
            counted,
            sink,
            failed: Vec::new(),
            heard: Instant::now(),
        }
    }

    /// Whether no stream is left that the source could say anything of, although it has not come to its end.
    pub(crate) fn is_cut_off(&self) -> bool {
        self.open.is_empty() && self.schemas.any_is_given_up()
    }

    pub(crate) async fn run(&mut self) -> Result<(), Stop> {
        let options = &self.context.shared.options;
        let mut source_ended = false;
        loop {
            let due_at = self.gathering.due_at(options);
            let idle = self.committing.is_none();
            let due = self.gathering.is_full(options)
                || source_ended
                || due_at.is_some_and(|at| at <= Instant::now());
            if idle && due && due_at.is_some() {
                self.begin_commit();
                continue;
            }
            if idle && source_ended {
                return Ok(());
            }
            let listens = !source_ended && !self.gathering.is_full(options);
            tokio::select! {
                biased;
                _ = self.context.cancel.raised() => return self.stopped(Stop::Cancelled).await,
                () = self.context.shared.stopping() => return self.stopped(Stop::Interrupted).await,
                committed = committed(&mut self.committing), if !idle => self.check(committed?)?,
                taken = self.receiver.next(), if listens => match taken {
                    Some(taken) => {
                        self.take(taken);
                        source_ended = self.is_cut_off();
                    }
                    None => source_ended = true,
                },
                () = until(due_at), if idle && due_at.is_some() => {}
                () = tokio::time::sleep_until(self.heard + options.stall_limit), if idle && listens => {
                    return Err(Stop::from(failure::stalled("it was read", options.stall_limit)));
                }
            }
        }
    }

    fn take(&mut self, taken: Taken) {
        fault::point("engine.batch");
        self.heard = Instant::now();
        let Taken { message, room } = taken;
        if message.stream().is_some_and(|stream| self.schemas.is_given_up(stream)) {
            return;
        }
        if matches!(message, Message::StreamEnd { .. }) {
            self.gather_schemas();
        }
        for line in self.narrator.hear(&message) {
            self.context.note(line);
        }
        let item = match message {
            Message::Listing { stream, scope } => Item::Listing { stream, scope },
            Message::Batch { batch, checkpoint } => self.batch(batch, checkpoint),
            Message::Complete { stream, scope, cursor, certified } => {
                let askable = self.built.capabilities().verify_absent && self.askable.contains(&stream);
                let unseen = match (certified, askable) {
                    (true, _) => Unseen::Goes,
                    (false, true) => Unseen::GoesIfAbsent,
                    (false, false) => Unseen::GoesIfApproved,
                };
                let cursor = self.shapes.checkpoint(&stream, cursor);
                Item::Complete { stream, scope, cursor, unseen }
            }
            Message::Unchanged { stream, scope } => Item::Unchanged { stream, scope },
            Message::Scopes { stream, scopes } => Item::Scopes { stream, scopes },
            Message::InboxTaken { stream, through } => Item::InboxTaken { stream, through },
            Message::StreamEnd { stream } => {
                self.open.retain(|open| *open != stream);
                Item::StreamEnd { stream, failure: None }
            }
            Message::StreamFailed { stream, error } => {
                self.give_up(stream, failure::told(&self.built.redacted(error)))
            }
            Message::Warning { text } => {
                let text = self.built.redacted_text(text);
                tracing::warn!("{text}");
                self.context.note(lines::warning(text));
                return self.gathering.wait_for_commit();
            }
        };
        self.gathering.add(item, room);
    }

    /// The item of a batch; of one that does not fit its schema, the end of its stream.
    fn batch(&mut self, batch: Batch, checkpoint: Option<Value>) -> Item {
        let checkpoint = self.shapes.checkpoint(batch.stream(), checkpoint);
        let stream = batch.stream().clone();
        match self.schemas.hold(self.shapes.batch(batch)) {
            Ok(batch) => Item::Batch { batch, checkpoint },
            Err(failure) => self.give_up(stream, Failed::from(failure)),
        }
    }

    /// The end of a stream that cannot be read on.
    fn give_up(&mut self, stream: StreamName, failed: Failed) -> Item {
        self.open.retain(|open| *open != stream);
        self.failed.push((stream.to_string(), failed.clone()));
        self.context.note(lines::stream_failed(&stream, &failed.failure));
        Item::StreamEnd { stream, failure: Some(failed.failure) }
    }

    /// What records that wait for the next commit have changed of their schemas goes with them.
    fn gather_schemas(&mut self) {
        for (item, line) in self.schemas.new_versions() {
            self.gathering.items.push(item);
            self.context.note(line);
        }
    }

    fn begin_commit(&mut self) {
        self.gather_schemas();
        let Gathering { items, room, .. } = std::mem::take(&mut self.gathering);
        let commit = self.context.commit(items);
        let sink = self.sink.clone();
        let metrics = self.context.shared.parts.metrics.clone();
        let tells = commit.items.iter().any(|item| matches!(item, Item::Log(_)));
        let (shared, sync_id) = (Arc::clone(&self.context.shared), commit.sync_id);
        let span = spans::commit(commit.items.len());
        let work = async move {
            let begun = Instant::now();
            let committed = sink.take(commit).await;
            match &committed {
                Ok(_) => {
                    metrics.committed(begun.elapsed());
                    if tells {
                        shared.watchers.tell(sync_id);
                    }
                    // Whoever listens here takes progress from the run itself.
                    shared.parts.signals.tell(Signal::Sync(sync_id));
                }
                Err(error) => spans::commit_failed(error.kind().code()),
            }
            (committed, room)
        };
        self.committing = Some(tokio::spawn(work.instrument(span)));
    }

    fn count(&mut self, receipt: &Receipt) {
        self.context.progress.committed(receipt);
        if self.sink.is_real() {
            self.context.metrics().went_on(self.counted, receipt.counts);
        }
        self.counted = receipt.counts;
    }

    fn check(&mut self, receipt: Receipt) -> Result<(), Stop> {
        self.heard = Instant::now();
        self.count(&receipt);
        let allowed = self.context.max_rejected();
        if self.sink.is_real() && receipt.counts.rejected > allowed {
            return Err(Stop::from(failure::too_many_rejected(receipt.counts.rejected, allowed)));
        }
        Ok(())
    }

    /// Stops taking messages. The commit under way ends as it may; an interrupted sync also commits what it has in hand.
    async fn stopped(&mut self, why: Stop) -> Result<(), Stop> {
        if self.committing.is_some() {
            let receipt = committed(&mut self.committing).await?;
            self.count(&receipt);
        }
        if matches!(why, Stop::Interrupted) && self.gathering.since.is_some() {
            self.begin_commit();
            let receipt = committed(&mut self.committing).await?;
            self.count(&receipt);
        }
        Err(why)
    }
}

/// Waits for the commit under way, and takes it away.
async fn committed(committing: &mut Option<Committing>) -> Result<Receipt, Stop> {
    let Some(task) = committing else { return std::future::pending().await };
    let ended = task.await;
    *committing = None;
    let (receipt, _room) =
        ended.map_err(|_| Stop::from(failure::permanent("store.internal", "the writer broke down")))?;
    Ok(receipt?)
}

async fn until(at: Option<Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at).await,
        None => std::future::pending().await,
    }
}
