//! Connectors.

use std::collections::BTreeSet;

use async_trait::async_trait;
use inlet_model::fields::step;
use inlet_model::secret::SealedConfig;
use inlet_model::{CollectionId, ConnectorId, SpaceId, Timestamp};
use serde_json::Value;

use super::audit::Write;
use super::page::Listing;
use super::{SqlCatalog, collections, deletes, idempotency, schedules, syncs};
use crate::StoreResult;
use crate::catalog::{
    Action, Connector, ConnectorDeleteEffect, ConnectorFilter, Connectors, Effect, ExpectedVersion,
    Idempotent, Page, PageQuery, Remains, Target, UpdateEffect,
};
use crate::collection::Fence;
use crate::sql::catalog::Trouble;
use crate::sql::{Columns, Json, Name, Session, SqlResult, Text, Unsigned, name_of, params};

pub(crate) const SELECT: &str =
    "SELECT id, space_id, collection_id, store_id, name, kind, config, secrets, streams, schedule, policy,
                             status, version, created_at, updated_at, next_sync_at, failures, notice FROM connectors";

#[async_trait]
impl Connectors for SqlCatalog {
    async fn connector_list(
        &self,
        space_id: &SpaceId,
        collection_id: &CollectionId,
        filter: ConnectorFilter,
        query: PageQuery,
    ) -> StoreResult<Option<Page<Connector>>> {
        let (space_id, collection_id) = (space_id.clone(), collection_id.clone());
        self.read_rows("list the connectors", move |db| {
            let place = |connector: &Connector| (connector.created_at, connector.id.to_string());
            let listing = listing(&space_id, &collection_id, filter, query)?;
            let page = listing.read(db, SELECT, connector_from, place)?;
            // Only an empty page leaves open whether there is such a collection.
            let exists = !page.items.is_empty() || collections::get(db, &space_id, &collection_id)?.is_some();
            Ok(exists.then_some(page))
        })
        .await
    }

    async fn connector_get(
        &self,
        space_id: &SpaceId,
        collection_id: &CollectionId,
        id: ConnectorId,
    ) -> StoreResult<Option<Connector>> {
        let (space_id, collection_id) = (space_id.clone(), collection_id.clone());
        self.read_row("get a connector", move |db| get_in(db, &space_id, &collection_id, id)).await
    }

    async fn connector_in_space(
        &self,
        space_id: &SpaceId,
        id: ConnectorId,
    ) -> StoreResult<Option<Connector>> {
        let space_id = space_id.clone();
        self.read_row("get a connector of a space", move |db| {
            Ok(get(db, id)?.filter(|connector| connector.space_id == space_id))
        })
        .await
    }

    async fn connector_create(
        &self,
        connector: Connector,
        idempotent: Option<Idempotent>,
    ) -> StoreResult<Effect<()>> {
        self.write("create a connector", move |tx| {
            idempotency::once(tx, idempotent.as_ref(), || create(tx, &connector))
        })
        .await
    }

    async fn connector_update(&self, connector: Connector) -> StoreResult<UpdateEffect<Connector>> {
        self.write("update a connector", move |tx| update(tx, connector.clone())).await
    }

    async fn connector_delete(
        &self,
        space_id: &SpaceId,
        collection_id: &CollectionId,
        id: ConnectorId,
        expected: ExpectedVersion,
        remains: Remains,
        now: Timestamp,
    ) -> StoreResult<ConnectorDeleteEffect> {
        let (space_id, collection_id) = (space_id.clone(), collection_id.clone());
        self.write("delete a connector", move |tx| {
            let Some(connector) = get_in(tx, &space_id, &collection_id, id)? else {
                return Ok(ConnectorDeleteEffect::Absent);
            };
            if !expected.allows(connector.version) {
                return Ok(ConnectorDeleteEffect::Stale { version: connector.version });
            }
            tx.audit(Action::ConnectorDelete, target(&connector))?;
            deletes::connector(tx, &connector, remains, now).map(ConnectorDeleteEffect::Deleted)
        })
        .await
    }
}

/// The connector of that id, unless it is deleted.
pub(super) fn get(db: &dyn Session, id: ConnectorId) -> Result<Option<Connector>, Trouble> {
    Ok(db.row_if_any(
        &format!("{SELECT} WHERE id = ?1 AND deleted_at IS NULL"),
        params![Text(id)],
        connector_from,
    )?)
}

/// Raises the fence of a connector, and gives it with the connector, unless that is deleted.
pub(super) fn fenced(tx: &dyn Session, id: ConnectorId) -> Result<(Fence, Option<Connector>), Trouble> {
    let columns = SELECT.trim_start_matches("SELECT ").trim_end_matches(" FROM connectors");
    let sql = format!(
        "UPDATE connectors SET fence = fence + 1 WHERE id = ?1
         RETURNING {columns}, fence, CASE WHEN deleted_at IS NULL THEN 1 ELSE 0 END"
    );
    Ok(tx.row(&sql, params![Text(id)], |columns| {
        let connector = connector_from(columns)?;
        let (fence, is_there) = (Fence(columns.unsigned()?), columns.plain()?);
        Ok((fence, Some(connector).filter(|_| is_there)))
    })?)
}

fn get_in(
    db: &dyn Session,
    space_id: &SpaceId,
    collection_id: &CollectionId,
    id: ConnectorId,
) -> Result<Option<Connector>, Trouble> {
    let found = get(db, id)?;
    Ok(found.filter(|found| found.space_id == *space_id && found.collection_id == *collection_id))
}

pub(crate) fn listing(
    space_id: &SpaceId,
    collection_id: &CollectionId,
    filter: ConnectorFilter,
    query: PageQuery,
) -> Result<Listing, Trouble> {
    let status = filter.status.map(|status| name_of(&status)).transpose()?;
    Ok(Listing::of(query)
        .only("space_id = ?", space_id.to_string())
        .only("collection_id = ?", collection_id.to_string())
        .only_if("name = ?", filter.name)
        .only_if("kind = ?", filter.kind)
        .only_if("status = ?", status)
        .that("deleted_at IS NULL")
        .created(filter.created))
}

/// Makes the connector; what may be in the way is that its collection, the very one, is no longer there.
fn create(tx: &Write<'_>, connector: &Connector) -> Result<Option<()>, Trouble> {
    let collection = collections::get(tx, &connector.space_id, &connector.collection_id)?;
    if collection.is_none_or(|collection| collection.store_id != connector.store_id) {
        return Ok(Some(()));
    }
    tx.execute(
        "INSERT INTO connectors (id, space_id, collection_id, store_id, name, kind, config, secrets,
         streams, schedule, policy, status, version, created_at, updated_at, next_sync_at, follows)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17)",
        params![
            Text(connector.id),
            connector.space_id.as_str(),
            connector.collection_id.as_str(),
            Text(connector.store_id),
            connector.name,
            connector.kind,
            Json(connector.config.open()),
            Json(connector.config.secrets()),
            connector.streams.as_ref().map(Json),
            Json(&connector.schedule),
            Json(connector.policy),
            Name(connector.status),
            Unsigned(connector.version),
            connector.created_at.as_micros(),
            connector.updated_at.as_micros(),
            schedules::next_after(connector, 0, connector.created_at).map(Timestamp::as_micros),
            connector.schedule.follows().map(Text),
        ],
    )?;
    tx.audit(Action::ConnectorCreate, target(connector))?;
    Ok(None)
}

fn update(tx: &Write<'_>, wanted: Connector) -> Result<UpdateEffect<Connector>, Trouble> {
    let Some(stored) = get_in(tx, &wanted.space_id, &wanted.collection_id, wanted.id)? else {
        return Ok(UpdateEffect::Absent);
    };
    if stored.version != wanted.version {
        return Ok(UpdateEffect::Stale(stored));
    }
    if schedules::is_circular(tx, stored.id, wanted.schedule.follows())? {
        return Ok(UpdateEffect::Circular);
    }
    let changed = changed_fields(&stored, &wanted);
    let stored_status = stored.status;
    let is_rescheduled = stored.schedule != wanted.schedule || stored.status != wanted.status;
    let mut updated = Connector {
        name: wanted.name,
        config: wanted.config,
        streams: wanted.streams,
        schedule: wanted.schedule,
        policy: wanted.policy,
        status: wanted.status,
        updated_at: wanted.updated_at,
        version: stored.version + 1,
        ..stored
    };
    if is_rescheduled {
        // Whoever sets a schedule, or resumes a connector, begins anew.
        updated.failures = 0;
        updated.notice = None;
        updated.next_sync_at = schedules::next_after(&updated, 0, updated.updated_at);
    }
    tx.execute(
        "UPDATE connectors SET name = ?2, config = ?3, secrets = ?4, streams = ?5, schedule = ?6,
         status = ?7, updated_at = ?8, version = ?9, policy = ?10, next_sync_at = ?11, follows = ?12, failures = ?13,
         notice = ?14 WHERE id = ?1",
        params![
            Text(updated.id),
            updated.name,
            Json(updated.config.open()),
            Json(updated.config.secrets()),
            updated.streams.as_ref().map(Json),
            Json(&updated.schedule),
            Name(updated.status),
            updated.updated_at.as_micros(),
            Unsigned(updated.version),
            Json(updated.policy),
            updated.next_sync_at.map(Timestamp::as_micros),
            updated.schedule.follows().map(Text),
            updated.failures,
            updated.notice.as_ref().map(Json),
        ],
    )?;
    if stored_status != updated.status {
        syncs::settle_queued(tx, updated.id)?;
    }
    tx.audit_fields(Action::ConnectorUpdate, target(&updated), changed)?;
    Ok(UpdateEffect::Updated(updated))
}

fn target(connector: &Connector) -> Target {
    Target::connector(&connector.space_id, &connector.collection_id, connector.id)
}

/// The settings in which the two differ, as JSON Pointers; of the config, each of its own fields.
fn changed_fields(old: &Connector, new: &Connector) -> Vec<String> {
    let mut changed: Vec<String> = [
        ("/name", old.name != new.name),
        ("/streams", old.streams != new.streams),
        ("/schedule", old.schedule != new.schedule),
        ("/policy", old.policy != new.policy),
        ("/status", old.status != new.status),
    ]
    .into_iter()
    .filter(|(_, differs)| *differs)
    .map(|(field, _)| field.to_owned())
    .collect();
    changed.extend(changed_config(&old.config, &new.config));
    changed
}

/// The fields of the config in which the two differ; a secret by the place where it would stand.
fn changed_config(old: &SealedConfig, new: &SealedConfig) -> BTreeSet<String> {
    let (Value::Object(old_open), Value::Object(new_open)) = (old.open(), new.open()) else {
        return (old != new).then(|| "/config".to_owned()).into_iter().collect();
    };
    let open =
        old_open.keys().chain(new_open.keys()).filter(|name| old_open.get(*name) != new_open.get(*name));
    let secrets = old.secrets().keys().chain(new.secrets().keys());
    let secrets = secrets.filter(|pointer| old.secrets().get(*pointer) != new.secrets().get(*pointer));
    open.map(|name| format!("/config{}", step(name)))
        .chain(secrets.map(|pointer| format!("/config{pointer}")))
        .collect()
}

pub(super) fn connector_from(columns: &mut Columns<'_>) -> SqlResult<Connector> {
    Ok(Connector {
        id: columns.text()?,
        space_id: columns.text()?,
        collection_id: columns.text()?,
        store_id: columns.text()?,
        name: columns.plain()?,
        kind: columns.plain()?,
        config: SealedConfig::new(columns.json()?, columns.json()?),
        streams: columns.optional_json()?,
        schedule: columns.json()?,
        policy: columns.json()?,
        status: columns.name()?,
        version: columns.unsigned()?,
        created_at: columns.time()?,
        updated_at: columns.time()?,
        next_sync_at: columns.optional_time()?,
        failures: columns.plain()?,
        notice: columns.optional_json()?,
    })
}
