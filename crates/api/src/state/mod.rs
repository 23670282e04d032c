//! The state of a connector: how far each scope of each of its streams has been read.

pub(crate) mod get;
pub(crate) mod reset;
pub(crate) mod set;

use inlet_store::catalog::Connector;
use inlet_store::collection::CheckpointEffect;

use crate::answer::Answer;
use crate::app::Api;
use crate::codes::Code;
use crate::paths::ConnectorPath;
use crate::problem::Problem;
use crate::syncs::trigger::already_running;

/// Why checkpoints may not be changed.
const REFUSALS: &[Code] = &[Code::SyncRunning, Code::RecordsBeingRemoved, Code::ConnectorBusy];

/// Refuses a change while records of the connector are being removed: their removal would take it away again.
async fn unless_removing(api: &Api, connector: &Connector) -> Result<(), Problem> {
    let purges = api.catalog.purge_list_of(connector.store_id).await?;
    if purges.iter().all(|purge| purge.connector_id != connector.id) {
        return Ok(());
    }
    let detail = "Records of this connector are being removed, and with them how far they were read. Try again when the \
                  collection shows `\"removing\": false`.";
    Err(Problem::new(Code::RecordsBeingRemoved, detail))
}

/// The answer to a change of checkpoints.
async fn answer(
    api: &Api,
    path: &ConnectorPath,
    connector: &Connector,
    effect: CheckpointEffect,
) -> Result<Answer, Problem> {
    let CheckpointEffect::Held(sync_id) = effect else { return Ok(Answer::no_content()) };
    match api.catalog.sync_get(connector.id, sync_id).await? {
        Some(sync) if !sync.status.is_final() => Err(already_running(api, path, sync).await?),
        // It has ended since; or its end could not be written into the collection, which the next sync puts right.
        _ => {
            let detail = "The last sync of the connector is just ending. Try again in a moment; if that does not help, \
                          trigger a sync first.";
            Err(Problem::new(Code::ConnectorBusy, detail))
        }
    }
}
