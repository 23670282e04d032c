//! The suite that every connector runs.
//!
//! A connector's tests make a [`Subject`]: a source over a data set that holds still, and what it must yield. Then
//! [`run_all`] holds the source to the contract of [`Source`]; each case can be run alone too. A case panics where the
//! contract is broken.

mod collection;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use inlet_model::key::Key;
use inlet_model::sync::SyncMode;
use inlet_model::{HashSeed, StreamName};

pub use self::collection::{Collection, Identity, StreamEnding};
use crate::{Inbox, Message, MessageReceiver, ReadRequest, Source, StreamRequest, messages};

/// How long a source may take to notice that nobody listens.
const PATIENCE: Duration = Duration::from_secs(20);
/// Batches of one record each: the most checkpoints there can be.
const SINGLE: usize = 1;
/// No record is longer than this.
const LARGEST_RECORD: usize = 1 << 20;

/// A source over data that hold still, and what it must yield.
#[derive(Debug, Clone)]
pub struct Subject {
    /// The source.
    pub source: Arc<dyn Source>,
    /// The streams to read, without scopes.
    pub streams: Vec<StreamRequest>,
    /// The pushes that wait, for a source that reads them.
    pub inbox: Option<Arc<dyn Inbox>>,
    /// How many records all streams hold together.
    pub records: usize,
    /// How many records are refused.
    pub rejected: usize,
}

impl Subject {
    /// A stream to be read incrementally, whole, from the beginning.
    #[must_use]
    pub fn stream(name: &StreamName, primary_key: &[&str]) -> StreamRequest {
        StreamRequest {
            name: name.clone(),
            mode: SyncMode::Incremental,
            primary_key: primary_key.iter().map(|field| (*field).to_owned()).collect(),
            cursor_field: None,
            fields: None,
            appends: false,
            scopes: std::collections::BTreeMap::new(),
        }
    }

    /// A request to go on from where `collection` is.
    #[must_use]
    pub fn request(&self, collection: &Collection, mode: SyncMode, batch_bytes: usize) -> ReadRequest {
        let streams = self.streams.iter().map(|stream| StreamRequest {
            mode,
            scopes: collection.scopes(&stream.name),
            ..stream.clone()
        });
        ReadRequest {
            streams: streams.collect(),
            seed: HashSeed(7),
            generation: collection.generation() + 1,
            batch_bytes,
            batch_delay: Duration::from_secs(1),
            max_record_bytes: LARGEST_RECORD,
            inbox: self.inbox.clone(),
        }
    }

    /// Reads to the end, and gives all messages.
    async fn read(&self, request: ReadRequest) -> Vec<Message> {
        // So narrow that the source must wait for us again and again.
        let (out, mut receiver) = messages(2048);
        let reading = self.source.read(request, out);
        let (result, messages) = tokio::join!(reading, take(&mut receiver, usize::MAX));
        result.expect("the data hold still, so that reading them succeeds");
        messages
    }

    /// Reads on from where `collection` is, and brings it to where the source is.
    pub async fn read_into(
        &self,
        collection: &mut Collection,
        mode: SyncMode,
        batch_bytes: usize,
    ) -> Vec<Message> {
        let request = self.request(collection, mode, batch_bytes);
        let messages = self.read(request.clone()).await;
        collection.begin(request, self.source.capabilities());
        messages.iter().for_each(|message| collection.apply(message));
        collection.end();
        messages
    }
}

async fn take(receiver: &mut MessageReceiver, most: usize) -> Vec<Message> {
    let mut taken = Vec::new();
    while taken.len() < most
        && let Some(next) = receiver.next().await
    {
        taken.push(next.message);
    }
    taken
}

/// Every case.
pub async fn run_all(subject: &Subject) {
    promises_are_constant(subject).await;
    a_first_read_yields_everything_in_order(subject).await;
    reading_goes_on_from_every_checkpoint(subject).await;
    a_second_incremental_read_yields_nothing(subject).await;
    a_full_refresh_yields_everything_again(subject).await;
    reading_ends_when_nobody_listens(subject).await;
    reading_ends_when_its_future_is_dropped(subject).await;
    two_reads_at_once_do_not_disturb_each_other(subject).await;
    an_unknown_stream_does_not_keep_the_others_from_being_read(subject).await;
    what_is_there_is_not_said_to_be_absent(subject).await;
    a_selection_keeps_no_other_field_but_those_of_the_key(subject).await;
}

/// Capabilities and streams are the same whenever they are asked for, and the source can be checked.
pub async fn promises_are_constant(subject: &Subject) {
    let source = &subject.source;
    assert_eq!(source.capabilities(), source.capabilities());
    source.check().await.expect("the data can be read");
    let found = source.discover().await.expect("the data can be read");
    assert_eq!(found, source.discover().await.expect("the data can be read"), "discovery is stable");
    for stream in &subject.streams {
        let is_found = found.iter().any(|each| each.name == stream.name);
        assert!(is_found, "discovery finds the stream `{}`", stream.name);
    }
}

/// The first read yields every record once, in messages that come in the order of the contract, however large batches
/// are.
pub async fn a_first_read_yields_everything_in_order(subject: &Subject) {
    for batch_bytes in [SINGLE, 500, 1 << 20] {
        let mut collection = Collection::default();
        let messages = subject.read_into(&mut collection, SyncMode::Incremental, batch_bytes).await;
        assert_eq!(collection.records().len(), subject.records, "records, by batches of {batch_bytes} bytes");
        assert_eq!(collection.rejections().len(), subject.rejected, "refused records");
        for stream in &subject.streams {
            assert_eq!(collection.ending(&stream.name), Some(StreamEnding::End), "stream `{}`", stream.name);
        }
        for message in &messages {
            let Message::Batch { batch, .. } = message else { continue };
            let records = batch.len() + batch.rejections().len();
            assert!(records > 0, "a batch holds something");
            let is_bounded =
                records == 1 || batch.bytes() / records * (records - 1) <= 2 * batch_bytes + 4096;
            assert!(is_bounded, "a batch of {} bytes where {batch_bytes} were asked for", batch.bytes());
        }
    }
}

/// From the state behind any message that ends with a checkpoint, reading yields what is missing, and within a listing
/// nothing twice.
pub async fn reading_goes_on_from_every_checkpoint(subject: &Subject) {
    /// The most checkpoints tried, spread evenly.
    const MOST: usize = 60;
    let mut whole = Collection::default();
    let request = subject.request(&whole, SyncMode::Incremental, SINGLE);
    let messages = subject.read_into(&mut whole, SyncMode::Incremental, SINGLE).await;
    let is_checkpoint = |message: &Message| !matches!(message, Message::Batch { checkpoint: None, .. });
    let cuts: Vec<usize> =
        (0..messages.len()).filter(|index| is_checkpoint(&messages[*index])).map(|index| index + 1).collect();
    for cut in cuts.iter().step_by(cuts.len().div_ceil(MOST).max(1)) {
        let mut collection = Collection::default();
        collection.begin(request.clone(), subject.source.capabilities());
        messages[..*cut].iter().for_each(|message| collection.apply(message));
        subject.read_into(&mut collection, SyncMode::Incremental, 500).await;
        assert_eq!(
            collection.records(),
            whole.records(),
            "cut behind message {cut}: {:?}",
            messages[*cut - 1]
        );
    }
}

/// A source that reads incrementally finds nothing new in data that hold still.
pub async fn a_second_incremental_read_yields_nothing(subject: &Subject) {
    if !subject.source.capabilities().tells_unchanged {
        return a_second_incremental_read_changes_nothing(subject).await;
    }
    let mut collection = Collection::default();
    subject.read_into(&mut collection, SyncMode::Incremental, 1 << 20).await;
    let records = collection.records().clone();
    let messages = subject.read_into(&mut collection, SyncMode::Incremental, 1 << 20).await;
    for message in &messages {
        let is_idle =
            !matches!(message, Message::Batch { .. } | Message::Listing { .. } | Message::Complete { .. });
        assert!(is_idle, "{message:?} although nothing has changed");
    }
    assert_eq!(*collection.records(), records);
}

/// Of a stream with a cursor field, a source that cannot tell that nothing has changed reads again only what the cursor
/// leaves open; no other stream holds anything else afterwards.
async fn a_second_incremental_read_changes_nothing(subject: &Subject) {
    let mut collection = Collection::default();
    subject.read_into(&mut collection, SyncMode::Incremental, 1 << 20).await;
    let records = collection.records().clone();
    for message in &subject.read_into(&mut collection, SyncMode::Incremental, 1 << 20).await {
        let Message::Listing { stream, .. } = message else { continue };
        let stream = subject.streams.iter().find(|each| each.name == *stream);
        let goes_on = subject.source.capabilities().incremental
            && stream.is_some_and(|stream| stream.cursor_field.is_some());
        assert!(!goes_on, "{message:?} although there is a cursor");
    }
    assert_eq!(*collection.records(), records);
}

/// A full refresh lists everything again, of a source that lists.
pub async fn a_full_refresh_yields_everything_again(subject: &Subject) {
    let mut collection = Collection::default();
    let first = subject.read_into(&mut collection, SyncMode::Incremental, 1 << 20).await;
    let listings = |messages: &[Message]| {
        messages.iter().filter(|message| matches!(message, Message::Listing { .. })).count()
    };
    let records = collection.records().clone();
    let again = subject.read_into(&mut collection, SyncMode::FullRefresh, 1 << 20).await;
    assert_eq!(listings(&again), listings(&first));
    assert_eq!(*collection.records(), records);
}

/// When the receiver of messages is dropped, reading ends soon, wherever it is.
pub async fn reading_ends_when_nobody_listens(subject: &Subject) {
    for most in [0, 1, 2, 5] {
        let request = subject.request(&Collection::default(), SyncMode::FullRefresh, SINGLE);
        let (out, mut receiver) = messages(1);
        let reading = subject.source.read(request, out);
        let listening = async move {
            take(&mut receiver, most).await;
        };
        let (ended, ()) = tokio::join!(tokio::time::timeout(PATIENCE, reading), listening);
        // Whether it calls that an error is its own business: nobody hears it.
        assert!(ended.is_ok(), "reading goes on although nobody listens after {most} messages");
    }
}

/// When the future of a read is dropped, its work ends, and another read can begin.
pub async fn reading_ends_when_its_future_is_dropped(subject: &Subject) {
    let request = subject.request(&Collection::default(), SyncMode::FullRefresh, SINGLE);
    let (out, mut receiver) = messages(1);
    let source = Arc::clone(&subject.source);
    let reading = tokio::spawn(async move { source.read(request, out).await });
    take(&mut receiver, 1).await;
    reading.abort();
    let ended = tokio::time::timeout(PATIENCE, take(&mut receiver, usize::MAX)).await;
    assert!(ended.is_ok(), "messages still come although the read was dropped");
    a_first_read_yields_everything_in_order(subject).await;
}

/// Several reads may run at the same time.
pub async fn two_reads_at_once_do_not_disturb_each_other(subject: &Subject) {
    let (mut one, mut other) = (Collection::default(), Collection::default());
    tokio::join!(
        subject.read_into(&mut one, SyncMode::Incremental, SINGLE),
        subject.read_into(&mut other, SyncMode::Incremental, 500),
    );
    assert_eq!(one.records(), other.records());
}

/// A stream that does not exist ends, or fails, alone.
pub async fn an_unknown_stream_does_not_keep_the_others_from_being_read(subject: &Subject) {
    let name = StreamName::new("there is no such stream").expect("a name");
    let mut wider = subject.clone();
    wider.streams.insert(0, Subject::stream(&name, &[]));
    let mut collection = Collection::default();
    wider.read_into(&mut collection, SyncMode::Incremental, 1 << 20).await;
    assert_eq!(collection.records().len(), subject.records);
}

/// Asked for records by their keys, the source names all that are there, and none that it was not asked for.
pub async fn what_is_there_is_not_said_to_be_absent(subject: &Subject) {
    let mut collection = Collection::default();
    subject.read_into(&mut collection, SyncMode::Incremental, 1 << 20).await;
    for stream in &subject.streams {
        let of_stream = collection.records().keys().filter(|(name, _)| *name == stream.name);
        let there: BTreeSet<Vec<u8>> = of_stream.map(|(_, key)| key.clone()).collect();
        let mut asked: Vec<Vec<u8>> = there.iter().cloned().collect();
        let nowhere = Key::from_json(b"\"there is no such key\"").expect("a key").as_bytes().to_vec();
        asked.push(nowhere.clone());
        let named = subject.source.verify_absent(stream, asked).await.expect("the data can be read");
        let unknown = named.difference(&there).find(|key| **key != nowhere);
        assert_eq!(unknown, None, "a key that was not asked for, in `{}`", stream.name);
        let missing = there.difference(&named).next();
        assert_eq!(missing, None, "a record of `{}` that is there", stream.name);
    }
}

/// Of a record whose stream selects fields, no others are kept, but those that its key is made of.
pub async fn a_selection_keeps_no_other_field_but_those_of_the_key(subject: &Subject) {
    let fields = Some(vec!["a field that no record has".to_owned()]);
    let select = |stream: &StreamRequest| StreamRequest { fields: fields.clone(), ..stream.clone() };
    let selecting = Subject {
        source: Arc::clone(&subject.source),
        streams: subject.streams.iter().map(select).collect(),
        inbox: subject.inbox.clone(),
        ..*subject
    };
    let mut collection = Collection::default();
    selecting.read_into(&mut collection, SyncMode::Incremental, 1 << 20).await;
    // A record that was too large may be none with what is left of it.
    let (least, most) = (subject.records, subject.records + subject.rejected);
    assert!((least..=most).contains(&collection.records().len()), "a selection refuses no record");
    for (key, data) in collection.shown() {
        let kept: serde_json::Map<String, serde_json::Value> =
            serde_json::from_str(&data).expect("a record is an object");
        let key: serde_json::Value = serde_json::from_str(&key).expect("a key is JSON");
        let parts = key.as_array().map_or(1, Vec::len);
        assert!(kept.len() <= parts, "the record {data} of key {key} was to be selected from");
    }
}
