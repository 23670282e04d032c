//! A dry run: reads as a sync does, finds out what it would do, and writes nothing to the collection.
//!
//! Nothing of it outlives a restart but that it is wanted: it then begins again.

use std::sync::Arc;

use inlet_model::key;
use inlet_model::preview::{Preview, RejectedPreview, SamplePreview, StreamPreview};
use inlet_model::schema::{FieldChanges, Observer, Schema};
use inlet_model::sync::{Failure, Outcome};
use inlet_store::catalog::Connector;
use inlet_store::collection::{
    RecordQuery, Rehearsed, RehearsedStream, Run, RunStart, Sample, SampleLimits, StreamDeletes,
    StreamProgress, StreamStatus,
};
use serde_json::value::RawValue;
use tokio::sync::Mutex;

use crate::approval;
use crate::failure::{self, Failed, Stop};
use crate::fields::{self, Fields};
use crate::run::{RunContext, retried};
use crate::sink::{Rehearsing, Sink};
use crate::source::BuiltSource;

/// How much of the records a preview shows.
const SHOWN: SampleLimits = SampleLimits { each: 10, bytes: 256 << 10, max_keys: 200_000 };

/// Bytes of stored records that are looked into for their fields.
const COMPARED_BYTES: usize = 1 << 20;

impl RunContext {
    /// Carries out a dry run, up to its end in the catalog.
    pub(crate) async fn rehearse(&self, connector: &Connector, source: BuiltSource) -> Result<(), Stop> {
        let plans = self.plan(connector, &source).await?;
        let (start, rehearsal) = self.store.rehearse(self.new_run(connector, &plans), SHOWN).await?;
        let rehearsing = Arc::new(Mutex::new(Rehearsing { rehearsal, fields: Fields::default() }));
        let mut run = start.run.clone();
        let mut failed = Vec::new();
        if !plans.is_empty() {
            let start = RunStart { unswept: Vec::new(), ..start };
            failed = self.read(source, plans, start, Sink::Rehearsal(Arc::clone(&rehearsing))).await?;
        }
        let Some(rehearsing) = Arc::into_inner(rehearsing) else {
            return Err(Stop::from(failure::broke_down()));
        };
        let Rehearsing { rehearsal, fields } = rehearsing.into_inner();
        let rehearsed = rehearsal.end().await?;
        self.end_run(&mut run, &rehearsed, failure::of_streams(&failed));
        let preview = self.preview(connector, rehearsed, &fields).await?;
        let preview = serde_json::to_string(&preview).expect("a preview is texts, numbers and JSON");
        retried(&self.shared, "record the dry run's end", || {
            self.shared.parts.catalog.sync_finish_dry(&run, self.claim.fence, preview.clone())
        })
        .await?;
        tracing::info!(read = run.counts.read, "the dry run has ended");
        Ok(())
    }

    /// The run as it would have been.
    fn end_run(&self, run: &mut Run, rehearsed: &Rehearsed, failed: Option<Failed>) {
        run.failure = failed.map(|failed| failed.failure);
        run.outcome = Some(if run.failure.is_some() { Outcome::Failed } else { Outcome::Succeeded });
        run.streams = rehearsed.streams.iter().map(|stream| progress(stream, run.failure.as_ref())).collect();
        run.streams.iter().for_each(|stream| run.counts += stream.counts);
        run.finished_at = Some(self.now());
    }

    async fn preview(
        &self,
        connector: &Connector,
        rehearsed: Rehearsed,
        fields: &Fields,
    ) -> Result<Preview, Stop> {
        let deletes: Vec<StreamDeletes> =
            rehearsed.streams.iter().map(|stream| stream.deletes.clone()).collect();
        let asks_about = approval::question(connector.policy.approve_deletes_over, deletes);
        let mut streams = Vec::with_capacity(rehearsed.streams.len());
        for stream in rehearsed.streams {
            let before = self.stored_fields(connector, &stream).await?;
            let fields = difference(&before, &fields.of(&stream.name));
            streams.push(StreamPreview {
                name: stream.name,
                counts: stream.counts,
                exact: stream.exact,
                samples: stream.samples.into_iter().filter_map(shown).collect(),
                rejected: stream.rejected.into_iter().map(rejected).collect(),
                fields,
            });
        }
        Ok(Preview { asks_about, streams })
    }

    /// The fields of records that are there.
    async fn stored_fields(&self, connector: &Connector, stream: &RehearsedStream) -> Result<Schema, Stop> {
        let query = RecordQuery {
            connector_id: Some(connector.id),
            stream: Some(stream.name.clone()),
            after: None,
            limit: fields::SAMPLES,
            max_bytes: COMPARED_BYTES,
        };
        let mut stored = Observer::default();
        let page = self.store.records(query).await?;
        page.records.iter().for_each(|record| {
            stored.take(&record.data);
        });
        Ok(stored.schema())
    }
}

/// How fields differ; not at all where there are no samples to compare.
fn difference(before: &Schema, after: &Schema) -> FieldChanges {
    if before.is_empty() || after.is_empty() { FieldChanges::default() } else { after.changes_since(before) }
}

fn progress(stream: &RehearsedStream, failure: Option<&Failure>) -> StreamProgress {
    let mut progress = StreamProgress {
        name: stream.name.clone(),
        status: StreamStatus::Succeeded,
        counts: stream.counts,
        error: None,
    };
    match &stream.end {
        Some(None) => {}
        Some(Some(error)) => progress.give_up(Some(error)),
        None => progress.give_up(failure),
    }
    progress
}

/// A sample as JSON; `None` for one that is none, which no store gives.
fn shown(sample: Sample) -> Option<SamplePreview> {
    let json = |bytes: Vec<u8>| RawValue::from_string(String::from_utf8(bytes).ok()?).ok();
    let mut name = Vec::new();
    key::to_json(&sample.key, &mut name).ok()?;
    let before = match sample.before {
        Some(before) => Some(json(before)?),
        None => None,
    };
    let after = match sample.after {
        Some(after) => Some(json(after)?),
        None => None,
    };
    Some(SamplePreview { key: json(name)?, before, after })
}

fn rejected(record: inlet_store::collection::RejectedRecord) -> RejectedPreview {
    let inlet_store::collection::RejectedRecord { position, code, reason, sample, .. } = record;
    RejectedPreview { position, code, reason, sample }
}
