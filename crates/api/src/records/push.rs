//! `POST …/connectors/{connector_id}/records`: pushes records to a connector whose type takes them. 202 once they are
//! durable; the connector's next sync brings them into the collection. Of two pushes of one key the later wins.
//!
//! ```text
//! curl -X POST 'http://127.0.0.1:8080/v1/spaces/default/collections/default/connectors/con_01k…/records?key_field=id' \
//!   -H 'Content-Type: application/json' -d '[{"id": 1, "name": "Ada"}, {"id": 2, "name": "Grace"}]'
//! {"accepted":2,"stream":"records"}
//! ```

use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use inlet_model::StreamName;
use inlet_model::json::Limits as JsonLimits;
use inlet_model::mask::{MaskMethod, Masking, MaskingKey};
use inlet_source::{Accepted, PushForm, accept, mask_pushed};
use inlet_store::catalog::{self, Connector};
use inlet_store::collection::{Push, PushEffect};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::answer::Answer;
use crate::app::Api;
use crate::body::{self, Bytes, Pushed};
use crate::codes::Code;
use crate::find;
use crate::idempotency::mismatch;
use crate::operation::{Access, Operation, Param, SchemaOf, path};
use crate::paths::ConnectorPath;
use crate::problem::Problem;
use crate::query::Query;

const DEFAULT_STREAM: &str = "records";

/// Each media type, and how a body of it is written.
const FORMS: &[(&str, PushForm)] = &[
    ("application/json", PushForm::Json),
    ("application/x-ndjson", PushForm::NdJson),
    ("application/vnd.inlet.envelope+json", PushForm::Envelope),
    ("application/vnd.inlet.envelope+x-ndjson", PushForm::Envelope),
];

/// What was taken, and is durable.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Accepted")]
struct AcceptedView<'a> {
    /// How many records.
    accepted: u64,
    /// The stream they belong to.
    stream: &'a str,
}

pub(crate) fn operation() -> Operation {
    Operation::post("push_records", path::CONNECTOR_RECORDS, Access::Write)
        .summary("Push records")
        .description(
            "To a connector whose type takes them. They are durable once this is answered; the connector's next sync brings \
             them into the collection. As `application/x-ndjson`, one record a line; as an envelope, each with its `op`.",
        )
        .param(Param::query::<StreamName>("stream", "The stream; `records` if it is left out."))
        .param(Param::query::<String>("key_field", "The field that makes the key, or several with commas between them."))
        .takes(&["application/json"], true, SchemaOf::new::<Vec<Map<String, Value>>>(), json!([{"id": 1, "name": "Ada"}]))
        .answers::<AcceptedView<'_>>(StatusCode::ACCEPTED, "They are durable.", json!({"accepted": 1, "stream": "records"}))
        .errors(&[Code::PushNotAccepted, Code::InboxFull, Code::MaskingKeyUnreadable])
}

pub(crate) async fn push(
    State(api): State<Api>,
    path: ConnectorPath,
    mut query: Query,
    pushed: Pushed,
) -> Result<Answer, Problem> {
    let stream = take_stream(&mut query)?;
    let key_fields = take_key_fields(&mut query)?;
    query.finish()?;
    let form = form_of(&pushed.media_type)?;
    let connector = find::connector(&api, &path).await?;
    takes_pushes(&api, &connector)?;
    let known = known_stream(&connector, &stream, key_fields.clone())?;
    let Bytes { bytes, share: _memory } = pushed.bytes;
    let masking = known.masking.clone();
    let Accepted { lines, count } = checked(&api, bytes, form, known).await?;

    let answer =
        Answer::new(StatusCode::ACCEPTED, &AcceptedView { accepted: count, stream: stream.as_str() });
    let push = Push {
        connector_id: connector.id,
        stream,
        key_fields,
        masking,
        lines,
        count,
        now: api.clock.now(),
        max_pending_bytes: api.limits.inbox_bytes,
        idempotent: pushed.attempt.as_ref().map(|attempt| attempt.record(&answer)),
    };
    match api.stores.open(connector.store_id).await?.push(push).await? {
        PushEffect::Stored { .. } => Ok(answer),
        PushEffect::Replayed(stored) => Ok(Answer::replayed(stored)),
        PushEffect::Mismatch => Err(mismatch()),
        PushEffect::Full { pending_bytes } => Err(full(&path, pending_bytes)),
    }
}

fn take_stream(query: &mut Query) -> Result<StreamName, Problem> {
    let name = query.take("stream");
    StreamName::new(name.as_deref().unwrap_or(DEFAULT_STREAM))
        .map_err(|error| Query::invalid("stream", &format!("is no stream name: {error}")))
}

/// `key_field`: one field, or several with commas between them.
fn take_key_fields(query: &mut Query) -> Result<Vec<String>, Problem> {
    let Some(text) = query.take("key_field") else { return Ok(Vec::new()) };
    let names: Vec<String> = text.split(',').map(str::to_owned).collect();
    if names.iter().any(String::is_empty) {
        return Err(Query::invalid("key_field", "is a field, or several with commas between them"));
    }
    Ok(names)
}

fn form_of(media_type: &str) -> Result<PushForm, Problem> {
    let accepted: Vec<&str> = FORMS.iter().map(|(name, _)| *name).collect();
    body::only(media_type, &accepted)?;
    Ok(FORMS.iter().find(|(name, _)| *name == media_type).map_or(PushForm::Json, |(_, form)| *form))
}

fn takes_pushes(api: &Api, connector: &Connector) -> Result<(), Problem> {
    if api.registry.get(&connector.kind).is_ok_and(|kind| kind.accepts_push()) {
        return Ok(());
    }
    let takers: Vec<String> = api
        .registry
        .iter()
        .filter(|kind| kind.accepts_push())
        .map(|kind| format!("`{}`", kind.name()))
        .collect();
    let detail = format!(
        "A connector of type `{}` reads its source itself. Records are pushed to connectors of type {}.",
        connector.kind,
        takers.join(", ")
    );
    Err(Problem::new(Code::PushNotAccepted, detail))
}

/// What is known of the stream that is pushed to.
struct KnownStream {
    /// The fields of the key, from the push or else from the connector's settings, so that a record without them is refused
    /// now and not by the sync.
    key_fields: Vec<String>,
    masking: Masking,
}

/// A stream that no sync would read is refused, and so is a key that masking leaves nothing of.
fn known_stream(
    connector: &Connector,
    stream: &StreamName,
    stated: Vec<String>,
) -> Result<KnownStream, Problem> {
    let Some(streams) = &connector.streams else {
        return Ok(KnownStream { key_fields: stated, masking: Masking::default() });
    };
    let Some(settings) = streams.iter().find(|settings| settings.name == *stream) else {
        let names: Vec<String> = streams.iter().map(|settings| format!("`{}`", settings.name)).collect();
        let detail =
            format!("names `{stream}`, which no sync reads: the connector selects {}", names.join(", "));
        return Err(Query::invalid("stream", &detail));
    };
    let masking = settings.masking.clone();
    for (path, method) in masking.iter() {
        let field = &path.steps()[0];
        if stated.contains(field) && (method != MaskMethod::Hash || path.steps().len() > 1) {
            let detail = format!("names `{field}`, of which masking leaves no key: choose another field");
            return Err(Query::invalid("key_field", &detail));
        }
    }
    let key_fields = if stated.is_empty() { settings.primary_key.clone() } else { stated };
    Ok(KnownStream { key_fields, masking })
}

/// Checks the body, and masks what is not to be kept, on a thread where that may take its time.
async fn checked(
    api: &Api,
    bytes: Vec<u8>,
    form: PushForm,
    stream: KnownStream,
) -> Result<Accepted, Problem> {
    let limits = JsonLimits {
        max_depth: api.limits.json_depth,
        max_bytes: api.limits.push_bytes,
        ..JsonLimits::default()
    };
    let KnownStream { key_fields, masking } = stream;
    let key = match masking.is_empty() {
        true => None,
        false => Some(masking_key(api).await?),
    };
    let checked = tokio::task::spawn_blocking(move || {
        let mut accepted = accept(&bytes, form, &key_fields, limits).map_err(Problem::invalid_fields)?;
        if let Some(key) = key {
            accepted.lines = mask_pushed(&accepted.lines, &masking, &key_fields, key)
                .map_err(|error| Problem::internal().because(error))?;
        }
        Ok(accepted)
    });
    checked.await.map_err(|error| Problem::internal().because(error))?
}

/// What masked values are hashed under.
async fn masking_key(api: &Api) -> Result<MaskingKey, Problem> {
    let key = catalog::masking_key(&*api.catalog, &api.vault, &*api.entropy).await?;
    key.map_err(|error| {
        let detail = "What masked values are hashed under cannot be read: the encryption key that sealed it is not here. \
                      Start the server with that key in its ring.";
        Problem::new(Code::MaskingKeyUnreadable, detail).because(error)
    })
}

fn full(path: &ConnectorPath, pending_bytes: u64) -> Problem {
    let detail = format!(
        "{} MiB of pushed records wait for a sync, and no more are taken. `POST {path}/sync` brings them into the collection.",
        pending_bytes >> 20
    );
    Problem::new(Code::InboxFull, detail).header(header::RETRY_AFTER, HeaderValue::from_static("10"))
}
