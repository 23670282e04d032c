//! Reading and writing, overlapped and bounded.
//!
//! The source runs in a task of its own and waits while [`EngineOptions::sync_bytes`](crate::EngineOptions) of records are on
//! their way. One commit is under way while the next gathers.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use async_trait::async_trait;
use inlet_model::mask::{Masking, MaskingKey};
use inlet_model::{ConnectorId, Counts, StreamName};
use inlet_source::{
    Inbox, InboxEntry, InboxError, Message, MessageReceiver, ReadRequest, SourceError, Taken, mask_pushed,
    messages,
};
use inlet_store::collection::{InboxItem, Item, Receipt, Unseen};
use inlet_store::{CollectionStore, StoreResult, fault};
use tokio::sync::OwnedSemaphorePermit;
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tracing::Instrument;

use crate::engine::EngineOptions;
use crate::failure::{self, Failed, Stop};
use crate::lines;
use crate::narrator::Narrator;
use crate::run::RunContext;
use crate::shape::Shapes;
use crate::sink::Sink;
use crate::source::BuiltSource;
use crate::spans;

/// The pushes of one connector, as its source sees them.
#[derive(Debug)]
pub(crate) struct StoreInbox {
    pub(crate) store: Arc<dyn CollectionStore>,
    pub(crate) connector_id: ConnectorId,
    /// What is to be masked in pushes to each stream that masks anything, and the fields of its key. They were masked when
    /// they came, but perhaps by other settings.
    pub(crate) masking: BTreeMap<StreamName, (Masking, Vec<String>)>,
    /// What masked values are hashed under; there if anything is to be masked.
    pub(crate) masking_key: Option<MaskingKey>,
}

impl StoreInbox {
    /// Masks in a push what was not when it came.
    fn masked(&self, stream: &StreamName, item: InboxItem) -> Result<InboxItem, InboxError> {
        let (Some((wanted, key_fields)), Some(key)) = (self.masking.get(stream), &self.masking_key) else {
            return Ok(item);
        };
        let rest = wanted.beyond(&item.masking);
        if rest.is_empty() {
            return Ok(item);
        }
        let key_fields = if item.key_fields.is_empty() { key_fields } else { &item.key_fields };
        let lines = mask_pushed(&item.lines, &rest, key_fields, key.clone());
        let (lines, masking) = (lines.map_err(|error| InboxError(error.into()))?, item.masking.and(&rest));
        Ok(InboxItem { lines, masking, ..item })
    }
}

#[async_trait]
impl Inbox for StoreInbox {
    async fn after(
        &self,
        stream: &StreamName,
        after: u64,
        max_bytes: usize,
    ) -> Result<Vec<InboxEntry>, InboxError> {
        let items = self
            .store
            .inbox_after(self.connector_id, stream, after, max_bytes)
            .await
            .map_err(|error| InboxError(error.into()))?;
        let entry = |item| {
            let InboxItem { seq, key_fields, masking, lines } = self.masked(stream, item)?;
            Ok(InboxEntry { seq, key_fields, masked: masking, lines })
        };
        items.into_iter().map(entry).collect()
    }
}

/// What a read begins with.
pub(crate) struct Reading {
    /// What becomes of its records.
    pub(crate) shapes: Shapes,
    /// The streams whose records the source knows by the keys that are stored.
    pub(crate) askable: BTreeSet<StreamName>,
    /// The run's counters.
    pub(crate) counted: Counts,
    /// Where its commits go.
    pub(crate) sink: Sink,
}

/// Reads until the source has ended and everything it sent is committed. Gives the streams that failed.
pub(crate) async fn read(
    context: &RunContext,
    built: BuiltSource,
    request: ReadRequest,
    Reading { shapes, askable, counted, sink }: Reading,
) -> Result<Vec<(String, Failed)>, Stop> {
    let (out, receiver) = messages(context.shared.options.sync_bytes);
    let open = request.streams.iter().map(|stream| stream.name.clone()).collect();
    let narrator = Narrator::of(&request.streams);
    let reading = built.clone();
    let reading = tokio::spawn(async move { reading.read(request, out).await });
    let mut pump = Pump {
        context,
        built,
        receiver,
        narrator,
        gathering: Gathering::default(),
        committing: None,
        shapes,
        askable,
        open,
        counted,
        sink,
        failed: Vec::new(),
        heard: Instant::now(),
    };
    let pumped = pump.run().await;
    // However it ended, no more is taken; a source that does not notice is left to die alone.
    if pumped.is_err() {
        reading.abort();
        return pumped.map(|()| Vec::new());
    }
    let Pump { open, mut failed, built: source, .. } = pump;
    // It has said all it had to say, and may still hang.
    let abort = reading.abort_handle();
    let ended = context.unless_cancelled("it came to its end", reading).await;
    abort.abort();
    match ended? {
        Ok(Ok(())) => {
            failed.extend(
                open.into_iter().map(|stream| (stream.to_string(), failure::never_ended(&stream).into())),
            );
            Ok(failed)
        }
        Ok(Err(error)) => Err(Stop::from(error)),
        Err(panic) => {
            let error = SourceError::new(inlet_source::ErrorKind::Internal, "read", "the source broke down");
            Err(Stop::from(source.redacted(error.because(panic))))
        }
    }
}

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
struct Pump<'a> {
    context: &'a RunContext,
    built: BuiltSource,
    receiver: MessageReceiver,
    narrator: Narrator,
    gathering: Gathering,
    committing: Option<Committing>,
    shapes: Shapes,
    /// Streams whose records the source knows by the keys that are stored.
    askable: BTreeSet<StreamName>,
    /// Streams that the source has not ended yet.
    open: Vec<StreamName>,
    /// The run's counters, as far as the metrics have them.
    counted: Counts,
    sink: Sink,
    failed: Vec<(String, Failed)>,
    /// When the source last said something, or last could not because a commit was in its way.
    heard: Instant,
}

impl Pump<'_> {
    async fn run(&mut self) -> Result<(), Stop> {
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
                () = self.context.cancelled.notified() => return self.stopped(Stop::Cancelled).await,
                () = self.context.shared.stopping() => return self.stopped(Stop::Interrupted).await,
                committed = committed(&mut self.committing), if !idle => self.check(committed?)?,
                taken = self.receiver.next(), if listens => match taken {
                    Some(taken) => self.take(taken),
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
        for line in self.narrator.hear(&message) {
            self.context.note(line);
        }
        let item = match message {
            Message::Listing { stream, scope } => Item::Listing { stream, scope },
            Message::Batch { batch, checkpoint } => {
                let checkpoint = self.shapes.checkpoint(batch.stream(), checkpoint);
                Item::Batch { batch: self.shapes.batch(batch), checkpoint }
            }
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
                self.open.retain(|open| *open != stream);
                let failed = failure::told(&self.built.redacted(error));
                self.failed.push((stream.to_string(), failed.clone()));
                self.context.note(lines::stream_failed(&stream, &failed.failure));
                Item::StreamEnd { stream, failure: Some(failed.failure) }
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

    fn begin_commit(&mut self) {
        let Gathering { items, room, .. } = std::mem::take(&mut self.gathering);
        let commit = self.context.commit(items);
        let sink = self.sink.clone();
        let metrics = self.context.shared.parts.metrics.clone();
        let tells = commit.items.iter().any(|item| matches!(item, Item::Log(_)));
        let (watchers, sync_id) = (Arc::clone(&self.context.shared.watchers), commit.sync_id);
        let span = spans::commit(commit.items.len());
        let work = async move {
            let begun = Instant::now();
            let committed = sink.take(commit).await;
            match &committed {
                Ok(_) => {
                    metrics.committed(begun.elapsed());
                    if tells {
                        watchers.tell(sync_id);
                    }
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
