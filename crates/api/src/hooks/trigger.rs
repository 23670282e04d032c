//! `POST /v1/hooks/{connector_id}`: a signed message triggers a sync of the connector. 202 with the sync. It needs no API key: the
//! signature is the credential.
//!
//! ```text
//! curl -X POST http://127.0.0.1:8080/v1/hooks/con_01k… -H 'webhook-id: msg_1' -H 'webhook-timestamp: 1767225600' \
//!   -H 'webhook-signature: v1,…' -d '{"changed": "orders"}'
//! {"sync_id":"syn_01k…","status":"queued"}
//! ```

use axum::extract::State;
use axum::http::StatusCode;
use inlet_model::SyncId;
use inlet_model::sync::{SyncMode, SyncStatus, SyncTrigger};
use inlet_store::catalog::{Idempotent, OnConflict, Sync};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value, json};

use super::Message;
use super::verify::Verified;
use crate::answer::Answer;
use crate::app::Api;
use crate::codes::Code;
use crate::idempotency::settle;
use crate::operation::{Access, Operation, Param, path};
use crate::problem::Problem;
use crate::query::NoQuery;
use crate::rate_limit::Limited;

/// What a message has triggered.
#[derive(Serialize, JsonSchema)]
struct Triggered {
    /// The sync, which begins after the message came.
    sync_id: SyncId,
    /// Where it stands.
    status: SyncStatus,
}

impl Triggered {
    fn answer(sync: &Sync) -> Answer {
        Answer::new(StatusCode::ACCEPTED, &Self { sync_id: sync.id, status: sync.status })
    }
}

pub(crate) fn operation() -> Operation {
    Operation::post("trigger_by_hook", path::HOOK, Access::Public)
        .signed_as_standard_webhook()
        .summary("Trigger a sync by a signed message")
        .description(
            "No API key is asked for: the message is signed with a secret of the connector, after the Standard Webhooks specification, and \
             sent within five minutes of its timestamp. The body may be anything. While a sync of the connector is active, the one that is \
             triggered waits for it; if one waits already, that one is the answer. A message that comes again triggers nothing more.",
        )
        .param(Param::header("webhook-id", "The id of the message: 1 to 255 characters, the same each time it is sent."))
        .param(Param::header("webhook-timestamp", "When it was signed, in seconds since 1970."))
        .param(Param::header("webhook-signature", "`v1,` and base64, of `id.timestamp.body`; several with spaces between."))
        .takes_anything(json!({"changed": "orders"}))
        .answers::<Triggered>(StatusCode::ACCEPTED, "The sync, queued.", example())
        .errors(&[Code::HookNotVerified, Code::RateLimited, Code::SyncRunning, Code::ConnectorPaused])
}

fn example() -> Value {
    json!({"sync_id": "syn_01h455vb4pex5vsknk084sn02q", "status": "queued"})
}

pub(crate) async fn trigger(State(api): State<Api>, _: NoQuery, message: Message) -> Result<Answer, Problem> {
    let Verified { trigger, id } = message.verified(&api).await?;
    let (connector, now) = (trigger.connector, api.clock.now());
    let turn = api.rates.take(Some(Limited::Hook(connector.id)), now);
    if let Some(refused) = turn.refusal() {
        return Err(refused);
    }
    let id_of = |answer: &Answer| api.ledger.message(connector.id, &id, now, answer);
    let sync = Sync::queued(
        SyncId::new(now, &*api.entropy),
        &connector,
        SyncTrigger::Webhook,
        SyncMode::Incremental,
        now,
    );
    let answer = Triggered::answer(&sync);
    let record = Some(id_of(&answer));
    match settle(answer, api.catalog.sync_trigger(sync, OnConflict::Queue, record).await?)? {
        Ok(answer) => {
            api.engine.wake();
            Ok(answer)
        }
        Err(Some(waiting)) if will_do(&waiting) => {
            let answer = Triggered::answer(&waiting);
            let record = id_of(&answer);
            found(&api, answer, record).await
        }
        Err(Some(_)) => Err(Problem::new(
            Code::SyncRunning,
            "Another sync of the connector waits that does not read all of it. Send the message again later.",
        )),
        Err(None) => Err(Problem::new(
            Code::ConnectorPaused,
            "The connector is paused: nothing was triggered. It can be triggered again once somebody resumes it.",
        )),
    }
}

/// Whether a sync that waits brings in whatever the message is about.
fn will_do(waiting: &Sync) -> bool {
    !waiting.dry_run && waiting.only_streams.is_none() && waiting.reverts.is_none()
}

/// Remembers that the message was answered with a sync there was already.
async fn found(api: &Api, answer: Answer, record: Idempotent) -> Result<Answer, Problem> {
    match settle(answer, api.catalog.sync_found(record).await?)? {
        Ok(answer) => Ok(answer),
        Err(nothing) => match nothing {},
    }
}
