//! The simulated sources: each reads its truth as its character is, page by page, and errs as the weather is.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use inlet_model::fields::FieldErrors;
use inlet_model::{Batch, HashSeed, Scope, StreamName};
use inlet_source::{
    Capabilities, ConnectorType, Environment, ErrorKind, Message, Outlet, ReadRequest, Source, SourceError,
    StreamRequest, StreamSpec,
};
use serde_json::{Value, json};

use super::mutants::Mutant;
use super::truth::{Character, Row, Truth, decoded, encoded, stream_named};
use super::world::World;
use super::writes::{Reading, Sent};

/// The connector type of all simulated sources; the config says which.
#[derive(Debug, Clone)]
pub(crate) struct SimulatedType(pub(crate) Arc<World>);

impl SimulatedType {
    pub(crate) const NAME: &'static str = "simulated";
}

impl ConnectorType for SimulatedType {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    fn summary(&self) -> &'static str {
        "Reads what a simulation holds."
    }

    fn config_schema(&self) -> Value {
        json!({"type": "object"})
    }

    fn docs(&self) -> &'static str {
        ""
    }

    fn build(&self, config: Value, _environment: &Environment) -> Result<Box<dyn Source>, FieldErrors> {
        let source = usize::try_from(config["source"].as_u64().unwrap()).unwrap();
        Ok(Box::new(Simulated { world: Arc::clone(&self.0), source }))
    }
}

/// One source.
#[derive(Debug)]
struct Simulated {
    world: Arc<World>,
    /// Its place among the truths.
    source: usize,
}

#[async_trait]
impl Source for Simulated {
    fn capabilities(&self) -> Capabilities {
        let character = self.character();
        Capabilities {
            resumable_listing: matches!(character, Character::Certified | Character::Cursor),
            incremental: matches!(character, Character::Cursor | Character::Scoped),
            tells_unchanged: character == Character::Scoped,
            certified_listing: !matches!(character, Character::Drifting | Character::Asking),
            verify_absent: character == Character::Asking,
        }
    }

    async fn check(&self) -> Result<(), SourceError> {
        Ok(())
    }

    async fn discover(&self) -> Result<Vec<StreamSpec>, SourceError> {
        let streams = self.world.state().truths[self.source].streams.len();
        let spec = |index| StreamSpec {
            name: stream_named(index),
            schema: json!({}),
            primary_key: vec!["id".to_owned()],
            cursor_field: Some("updated".to_owned()),
            estimated_records: None,
        };
        match self.mishap().await {
            Ok(()) => Ok((0..streams).map(spec).collect()),
            Err(Mishap::Stream(error) | Mishap::All(error)) => Err(error),
            Err(Mishap::Silence) => Err(SourceError::new(ErrorKind::Format, "discover", "nothing is said")),
        }
    }

    async fn read(&self, request: ReadRequest, out: Outlet) -> Result<(), SourceError> {
        for stream in &request.streams {
            let reader =
                Reader { source: self, seed: request.seed, generation: request.generation, out: &out };
            let name = stream.name.clone();
            let last = match reader.stream(stream).await {
                Ok(()) => Message::StreamEnd { stream: name },
                Err(Mishap::Stream(error)) => Message::StreamFailed { stream: name, error },
                Err(Mishap::All(error)) => return Err(error),
                Err(Mishap::Silence) => return Ok(()),
            };
            if out.send(last).await.is_err() {
                return Ok(());
            }
        }
        Ok(())
    }

    async fn verify_absent(
        &self,
        stream: &StreamRequest,
        keys: Vec<Vec<u8>>,
    ) -> Result<BTreeSet<Vec<u8>>, SourceError> {
        match self.mishap().await {
            Ok(()) => Ok(self.truth(|truth| {
                let rows = &truth.stream(&stream.name).rows;
                keys.into_iter().filter(|key| rows.contains_key(&decoded(key))).collect()
            })),
            Err(Mishap::Stream(error) | Mishap::All(error)) => Err(error),
            Err(Mishap::Silence) => Ok(keys.into_iter().collect()),
        }
    }
}

/// What ends a read before its time.
enum Mishap {
    /// The stream fails; others go on.
    Stream(SourceError),
    /// All fail.
    All(SourceError),
    /// Nothing more is said.
    Silence,
}

impl Simulated {
    fn truth<T>(&self, look: impl FnOnce(&Truth) -> T) -> T {
        look(&self.world.state().truths[self.source])
    }

    fn character(&self) -> Character {
        self.truth(|truth| truth.character)
    }

    /// Time goes by, and something may go wrong.
    async fn mishap(&self) -> Result<(), Mishap> {
        let dice = &self.world.dice;
        if !dice.chance(self.world.weather().source_fails) {
            tokio::time::sleep(dice.millis(dice.pick(&[1, 1, 300, 2_000]))).await;
            if dice.chance(self.world.weather().truth_changes) {
                self.world.change_truth(self.source);
            }
            return Ok(());
        }
        let mishap = dice.below(9);
        self.world.say(format_args!("source {}: mishap {mishap}", self.source));
        match mishap {
            0 | 1 => Err(Mishap::All(self.error())),
            2 | 3 => Err(Mishap::Stream(self.error())),
            4 => Err(Mishap::Silence),
            5 => std::future::pending().await,
            // As a panic ends it, without the noise of one.
            6 => std::panic::resume_unwind(Box::new("a bug in a source")),
            _ => {
                tokio::time::sleep(dice.millis(10_000)).await;
                Ok(())
            }
        }
    }

    fn error(&self) -> SourceError {
        let dice = &self.world.dice;
        let error = SourceError::new(dice.pick(&ErrorKind::ALL), "read", "the dice say so");
        if error.kind() == ErrorKind::RateLimited {
            error.retry_after(Duration::from_secs(dice.below(8)))
        } else {
            error
        }
    }
}

/// Sends what it reads of one stream.
pub(super) struct Reader<'a> {
    source: &'a Simulated,
    seed: HashSeed,
    /// The number of the listings that this read opens.
    pub(super) generation: u64,
    out: &'a Outlet,
}

/// How a page of rows is read: those behind a place.
pub(super) type Page = Vec<(i64, Row)>;

mod reading;

impl Reader<'_> {
    async fn say(&self, message: Message) -> Result<(), Mishap> {
        self.out.send(message).await.map_err(|_| Mishap::Silence)
    }

    /// What goes wrong while a listing is read; a planted bug takes a listing that was cut for a whole one.
    async fn listing_mishap(&self) -> Result<bool, Mishap> {
        match self.source.mishap().await {
            Err(_) if self.source.world.has(Mutant::CutListingComplete) => Ok(true),
            other => other.map(|()| false),
        }
    }

    /// A read of a scope, with a number of its own.
    fn reading(&self, stream: &StreamName, scope: &Scope) -> Reading {
        let number = self.source.world.state().writes.next_number();
        Reading { number, stream: stream.clone(), scope: scope.clone() }
    }

    /// A checkpoint that covers these records, and everything that was sent before in this reading.
    fn checkpoint(&self, reading: &Reading, records: Sent, mut place: Value) -> Value {
        let number = self.source.world.state().writes.cover(reading.clone(), records);
        place["n"] = number.into();
        place
    }

    /// Sends a page. Gives what was sent.
    async fn send(&self, reading: &Reading, page: &Page, place: Option<Value>) -> Result<Sent, Mishap> {
        let mut batch = Batch::new(reading.stream.clone(), reading.scope.clone(), self.seed);
        let mut sent = Sent::new();
        for (id, row) in page {
            let number = self.source.world.state().writes.next_number();
            let (key, data) = (encoded(*id), row.data(*id));
            batch.upsert(number, &key, &data);
            sent.push((key, data));
        }
        let checkpoint = place.map(|place| self.checkpoint(reading, sent.clone(), place));
        let ids = page.iter().map(|(id, _)| id).collect::<Vec<_>>();
        self.source.world.say(format_args!("source {}: sends {ids:?}, {checkpoint:?}", self.source.source));
        self.say(Message::Batch { batch, checkpoint }).await?;
        Ok(sent)
    }

    fn page_size(&self) -> usize {
        1 + self.source.world.dice.index(6)
    }
}
