//! What waits to be deleted, and dry runs, as a node sees them.

use std::sync::Arc;

use async_trait::async_trait;
use inlet_model::{ConnectorId, Counts};
use inlet_store::StoreResult;
use inlet_store::collection::{
    ApproveDeletes, DeletesQuery, DropDeletes, FoundRecords, Item, NewRun, PendingDeletes, QuestionPage,
    QuestionsQuery, RecordPage, Rehearsal, Rehearsals, Rehearsed, RunStart, SampleLimits, StreamDeletes,
};

use super::mutants::Mutant;
use super::node::Node;
use super::stores::NodeStore;

#[async_trait]
impl PendingDeletes for NodeStore {
    async fn pending_deletes(&self, connector_id: ConnectorId) -> StoreResult<Vec<StreamDeletes>> {
        let pending = self.node.call("pending_deletes", self.inner.pending_deletes(connector_id)).await?;
        Ok(if self.node.world.has(Mutant::UnaskedDelete) { Vec::new() } else { pending })
    }

    async fn pending_records(&self, query: DeletesQuery) -> StoreResult<RecordPage> {
        self.node.call("pending_records", self.inner.pending_records(query)).await
    }

    async fn pending_questions(&self, query: QuestionsQuery) -> StoreResult<QuestionPage> {
        self.node.call("pending_questions", self.inner.pending_questions(query)).await
    }

    async fn keep_found(&self, found: FoundRecords) -> StoreResult<()> {
        self.node.call("keep_found", self.inner.keep_found(found)).await
    }

    async fn approve_deletes(&self, approve: ApproveDeletes) -> StoreResult<()> {
        self.node.call("approve_deletes", self.inner.approve_deletes(approve)).await
    }

    async fn drop_deletes(&self, drop: DropDeletes) -> StoreResult<bool> {
        self.node.call("drop_deletes", self.inner.drop_deletes(drop)).await
    }
}

#[async_trait]
impl Rehearsals for NodeStore {
    async fn rehearse(
        &self,
        run: NewRun,
        samples: SampleLimits,
    ) -> StoreResult<(RunStart, Box<dyn Rehearsal>)> {
        let (start, inner) = self.node.call("rehearse", self.inner.rehearse(run, samples)).await?;
        Ok((start, Box::new(NodeRehearsal { node: Arc::clone(&self.node), inner })))
    }
}

/// A dry run of a node.
#[derive(Debug)]
struct NodeRehearsal {
    node: Arc<Node>,
    inner: Box<dyn Rehearsal>,
}

#[async_trait]
impl Rehearsal for NodeRehearsal {
    async fn apply(&mut self, items: Vec<Item>) -> StoreResult<Counts> {
        self.node.call("apply", self.inner.apply(items)).await
    }

    async fn end(self: Box<Self>) -> StoreResult<Rehearsed> {
        self.node.call("end", self.inner.end()).await
    }
}
