//! `PATCH …/connectors/{connector_id}`: changes settings of a connector by a JSON merge patch (RFC 7396). A sync that
//! runs keeps the settings it started with. With `If-Match`, 412 unless the connector is still at that version.
//!
//! ```text
//! curl -X PATCH http://127.0.0.1:8080/v1/spaces/default/collections/default/connectors/con_01k… \
//!   -H 'Content-Type: application/json' -d '{"name": "Updated Connector Name"}'
//! {"id":"con_01k…","name":"Updated Connector Name",…}
//! ```

use axum::extract::State;
use axum::http::StatusCode;
use inlet_model::fields::Fields;
use inlet_model::secret::SealedConfig;
use inlet_store::catalog::{Connector, UpdateEffect};
use serde_json::{Value, json};

use super::fields::ConnectorPatch;
use super::precondition::Precondition;
use super::view::ConnectorView;
use super::{config, fields as settings_of, policy, schedule, streams, view};
use crate::answer::Answer;
use crate::app::Api;
use crate::body::Patch;
use crate::codes::Code;
use crate::find;
use crate::operation::{Access, Operation, Param, path};
use crate::paths::ConnectorPath;
use crate::problem::Problem;
use crate::query::NoQuery;
use crate::settings;

/// How often a patch is applied anew because others changed the connector in the same moment.
const ATTEMPTS: usize = 16;

pub(crate) fn operation() -> Operation {
    Operation::patch("update_connector", path::CONNECTOR, Access::Write)
        .summary("Change settings of a connector")
        .description("A JSON merge patch (RFC 7396). A sync that runs keeps the settings it started with.")
        .param(Param::if_match())
        .merge_patch::<ConnectorPatch>(json!({"name": "Updated Connector Name"}))
        .answers::<ConnectorView>(StatusCode::OK, "The connector as it is now.", ConnectorView::example())
        .with_header(Param::header("ETag", "Its version."))
        .errors(&[Code::ConnectorBusy])
}

pub(crate) async fn update(
    State(api): State<Api>,
    path: ConnectorPath,
    _: NoQuery,
    precondition: Precondition,
    Patch(patch): Patch,
) -> Result<Answer, Problem> {
    for _ in 0..ATTEMPTS {
        let before = find::connector(&api, &path).await?;
        let mut after = patched(&api, before.clone(), patch.clone())?;
        // Only a request that would succeed is worth a precondition (RFC 9110, section 13.2.1).
        precondition.check(before.version)?;
        if after == before {
            return view::answer(&api, before).await;
        }
        schedule::check_followed(&api, &after.space_id, Some(after.id), &after.schedule).await?;
        after.updated_at = api.clock.now();
        match api.catalog.connector_update(after).await? {
            UpdateEffect::Updated(connector) => {
                api.engine.rescheduled();
                return view::answer(&api, connector).await;
            }
            UpdateEffect::Circular => return Err(schedule::circular()),
            UpdateEffect::Stale(_) => {}
            UpdateEffect::Absent => return Err(find::absent_connector(&api, &path).await?),
        }
    }
    let detail = "The connector kept being changed by others. Try again in a moment.";
    Err(Problem::new(Code::ConnectorBusy, detail))
}

/// The connector as the patch wants it.
///
/// A config that the patch leaves as it was is not checked again, so that a name can be changed even where the config no
/// longer fits what the operator allows. The patch is applied to what is shown, so that a masked secret is one that stays.
fn patched(api: &Api, before: Connector, patch: Value) -> Result<Connector, Problem> {
    let document = json!({
        "name": before.name,
        "type": before.kind,
        "config": before.config.masked(),
        "streams": before.streams,
        "schedule": before.schedule,
        "policy": before.policy,
        "status": before.status,
    });
    let mut fields = Fields::new(settings_of::patched(document, patch))?;
    let name = settings::name(&mut fields);
    refuse_another_type(&mut fields, &before.kind);
    let config = settings_of::take_config(&mut fields);
    let config = changed_config(api, &mut fields, config, &before);
    let streams = streams::take(&mut fields);
    if let Ok(kind) = api.registry.get(&before.kind) {
        streams::check_type(&mut fields, streams.as_deref(), &**kind);
    }
    let status = settings_of::take_status(&mut fields).unwrap_or_default();
    let schedule = schedule::take(&mut fields);
    let policy = policy::take(&mut fields);
    fields.finish()?;
    let name = name.expect("its absence was refused");
    Ok(Connector { name, config, streams, schedule, policy, status, ..before })
}

/// The config as it is wanted, sealed; what is wrong with it is noted.
fn changed_config(api: &Api, fields: &mut Fields, written: Value, before: &Connector) -> SealedConfig {
    if written == before.config.masked() {
        return before.config.clone();
    }
    let kind = match api.registry.get(&before.kind) {
        Ok(kind) => kind,
        Err(unknown) => {
            fields.refuse("type", "field.choice", unknown.to_string());
            return before.config.clone();
        }
    };
    match config::wanted(api, &**kind, written, Some(before)) {
        Ok(wanted) => api.vault.seal_config(&*api.entropy, before.id, wanted.plain(), Some(&before.config)),
        Err(errors) => {
            settings_of::refuse_config(fields, errors);
            before.config.clone()
        }
    }
}

fn refuse_another_type(fields: &mut Fields, kind: &str) {
    if fields.required_string("type").is_some_and(|wanted| wanted != kind) {
        let detail =
            format!("the type of a connector never changes: this one is `{kind}`; make another connector");
        fields.refuse("type", "field.immutable", detail);
    }
}
