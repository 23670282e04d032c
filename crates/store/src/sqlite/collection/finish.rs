//! A run ends, or its connector does.

use inlet_model::ConnectorId;

use super::error::{Outcome, Trouble};
use super::runs;
use super::writer::Writer;
use crate::collection::{FinishRun, Phase, Run};
use crate::fault;

/// Ends a run. One that has ended stays as it is, whoever holds the connector now.
pub(super) fn finish(writer: &mut Writer, finish: FinishRun) -> Outcome<Run> {
    let run = writer.transact(|tx, _| {
        let run = runs::load(tx, finish.sync_id)?.ok_or(Trouble::Broken("there is no run to end"))?;
        if run.outcome.is_some() {
            return Ok(run);
        }
        let mut run = runs::held(tx, finish.connector_id, finish.fence, finish.sync_id)?;
        run.phase = Phase::Ended;
        run.outcome = Some(finish.outcome);
        run.failure = finish.failure;
        run.finished_at = Some(finish.now);
        runs::save(tx, &run)?;
        fault::point("run.finish.before");
        Ok(run)
    })?;
    fault::point("run.finish.after");
    writer.rest();
    Ok(run)
}

/// Closes a connector to runs and pushes.
pub(super) fn close_connector(writer: &mut Writer, connector_id: ConnectorId) -> Outcome<()> {
    writer.transact(|tx, memory| {
        memory.seen.clear();
        runs::close(tx, connector_id)
    })
}
