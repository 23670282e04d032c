//! A run asks before it deletes much, and goes on when that was approved.
//!
//! The question is in the catalog; what it is about is in the store, where nothing changes it while the sync holds its
//! connector. An approval is told to the store before anything is swept or read, so that it never covers more than was asked.

use inlet_model::StreamName;
use inlet_model::approval::Approval;
use inlet_model::sync::SyncStatus;
use inlet_source::StreamRequest;
use inlet_store::catalog::Connector;
use inlet_store::collection::{
    ApproveDeletes, FoundRecords, Item, QuestionsQuery, Run, StreamDeletes, StreamProgress, StreamStatus,
};
use inlet_store::fault;

use crate::approval;
use crate::failure::{self, Failed, Stop};
use crate::plan::StreamPlan;
use crate::run::{RunContext, retried};
use crate::source::BuiltSource;
use crate::sweep::SWEEP_KEYS;

impl RunContext {
    /// Stops the run if what the sweeps of these streams would delete is to be approved first.
    ///
    /// A source that can be asked for records has most of those, perhaps, that a listing did not see. So before a person is, it
    /// is asked: only what it does not have is worth a question.
    pub(crate) async fn ask(
        &self,
        source: &BuiltSource,
        streams: &[StreamRequest],
        after_reading: bool,
    ) -> Result<(), Stop> {
        let Some(connector) = &self.claim.connector else { return Err(Stop::Fenced) };
        let limit = connector.policy.approve_deletes_over;
        let pending = self.pending(streams).await?;
        if approval::question(limit, pending.clone()).is_none() {
            return Ok(());
        }
        for stream in streams {
            if pending.iter().any(|pending| pending.stream == stream.name && pending.if_absent > 0) {
                self.keep_what_is_there(source, stream).await?;
            }
        }
        match approval::question(limit, self.pending(streams).await?) {
            None => Ok(()),
            Some(deletes) => Err(Stop::Asks(Box::new(Approval { deletes, after_reading, approved: false }))),
        }
    }

    async fn pending(&self, streams: &[StreamRequest]) -> Result<Vec<StreamDeletes>, Stop> {
        let mut pending = self.store.pending_deletes(self.claim.sync.connector_id).await?;
        pending.retain(|pending| streams.iter().any(|stream| stream.name == pending.stream));
        Ok(pending)
    }

    /// Asks the source for what a listing of the stream did not see; what it has counts as seen.
    async fn keep_what_is_there(&self, source: &BuiltSource, stream: &StreamRequest) -> Result<(), Stop> {
        let sync = &self.claim.sync;
        let mut after = None;
        loop {
            if self.cancel.is_raised() {
                return Err(Stop::Cancelled);
            }
            let query = QuestionsQuery {
                connector_id: sync.connector_id,
                stream: stream.name.clone(),
                after,
                max_keys: SWEEP_KEYS,
            };
            let page = self.store.pending_questions(query).await?;
            if !page.keys.is_empty() {
                let there = self.those_there(source, stream, page.keys).await??;
                let found = FoundRecords {
                    sync_id: sync.id,
                    connector_id: sync.connector_id,
                    fence: self.claim.fence,
                    cancel: self.cancel.flag(),
                    stream: stream.name.clone(),
                    keys: there.into_iter().collect(),
                };
                self.store.keep_found(found).await?;
            }
            match page.next {
                Some(next) => after = Some(next),
                None => return Ok(()),
            }
        }
    }

    /// Tells the store what a person has approved, if there is anything.
    pub(crate) async fn approve(&self) -> Result<(), Stop> {
        let sync = &self.claim.sync;
        if !sync.approval.as_ref().is_some_and(|approval| approval.approved) {
            return Ok(());
        }
        let approve = ApproveDeletes {
            sync_id: sync.id,
            connector_id: sync.connector_id,
            fence: self.claim.fence,
            streams: self.asked_about(),
        };
        self.store.approve_deletes(approve).await?;
        fault::point("engine.approved");
        Ok(())
    }

    /// Goes on with a sync that had read its source to the end: nothing is read again.
    pub(crate) async fn delete_what_was_approved(
        &self,
        connector: &Connector,
        source: &BuiltSource,
    ) -> Result<Run, Stop> {
        // Without streams, so that those of the run stay as they ended.
        let run = self.begin(connector, &[]).await?.run;
        self.approve().await?;
        let (asked, others): (Vec<_>, Vec<_>) =
            run.streams.iter().partition(|stream| self.asked_about().contains(&stream.name));
        self.begin_sweeps_anew(&asked).await?;
        let mut failed: Vec<_> = others.into_iter().filter_map(failed_before).collect();
        failed.extend(self.sweep_all(source, self.questions(connector, source, &run).await?).await?);
        fault::point("engine.swept");
        self.end(&failed).await
    }

    /// The streams that the sync asked about.
    fn asked_about(&self) -> Vec<StreamName> {
        let streams = self.claim.sync.approval.iter().flat_map(|approval| &approval.deletes.streams);
        streams.map(|stream| stream.name.clone()).collect()
    }

    /// A sweep of these streams may have failed in an attempt before; they themselves were read to their end.
    async fn begin_sweeps_anew(&self, streams: &[&StreamProgress]) -> Result<(), Stop> {
        let failed = streams.iter().filter(|stream| stream.status == StreamStatus::Failed);
        let end = |stream: &&&StreamProgress| Item::StreamEnd { stream: stream.name.clone(), failure: None };
        let ends: Vec<Item> = failed.map(|stream| end(&stream)).collect();
        if !ends.is_empty() {
            self.store.commit(self.commit(ends)).await?;
        }
        Ok(())
    }

    /// The streams of the run, as the source is asked about their records.
    async fn questions(
        &self,
        connector: &Connector,
        source: &BuiltSource,
        run: &Run,
    ) -> Result<Vec<StreamRequest>, Stop> {
        // A source that is not asked anything need not even be there.
        let plans = match source.capabilities().verify_absent {
            true => self.plan(connector, source).await?,
            false => Vec::new(),
        };
        let mode = self.claim.sync.mode;
        let question = |stream: &StreamProgress| match plans.iter().find(|plan| plan.name == stream.name) {
            Some(plan) => plan.question(),
            None => StreamPlan::from_name(stream.name.clone(), mode).question(),
        };
        Ok(run.streams.iter().map(question).collect())
    }

    /// Lets the sync wait for a person; gives where it stands then.
    pub(crate) async fn wait_for_approval(&self, approval: Approval) -> Result<SyncStatus, Stop> {
        let sync_id = self.claim.sync.id;
        let run = retried(&self.shared, "read the run", || self.store.run(sync_id)).await?;
        let Some(run) = run else { return Err(Stop::Fenced) };
        let (records, of) = (approval.deletes.records, approval.deletes.of);
        // Memory is given back before anybody can decide.
        retried(&self.shared, "rest", || self.store.rest()).await?;
        let asked = retried(&self.shared, "let the sync ask", || {
            self.shared.parts.catalog.sync_ask(&run, self.claim.fence, approval.clone(), self.now())
        });
        let status = asked.await?.map_or(SyncStatus::Cancelled, |sync| sync.status);
        if status == SyncStatus::NeedsApproval {
            tracing::info!(records, of, "the sync asks whether it may delete");
            fault::point("engine.asked");
        }
        Ok(status)
    }
}

/// How a stream failed that was read to no end before the run asked.
fn failed_before(stream: &StreamProgress) -> Option<(String, Failed)> {
    let failure = match (stream.status, &stream.error) {
        (StreamStatus::Succeeded, _) => return None,
        (StreamStatus::Failed, Some(failure)) => failure.clone(),
        _ => failure::never_ended(&stream.name),
    };
    Some((stream.name.to_string(), failure.into()))
}
