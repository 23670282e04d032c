//! The connector of a sync: found again by what it reads, or made.

use inlet_model::secret::MASK;
use inlet_model::stream::StreamSettings;
use inlet_source::config_marks;
use serde_json::{Value, json};

use crate::client::objects::{Connector, Page};
use crate::client::{CallError, Client, Query, segment};
use crate::collection_name::CollectionName;
use crate::errors::CommandError;
use crate::node;

/// The connector that a sync needs.
#[derive(Debug, Clone)]
pub(crate) struct ConnectorPlan {
    /// Its name, if it must be made.
    pub(crate) name: String,
    /// Its connector type.
    pub(crate) kind: &'static str,
    /// Its config.
    pub(crate) config: Value,
    /// Its streams; `None`: all that discovery finds.
    pub(crate) streams: Option<Vec<StreamSettings>>,
}

impl ConnectorPlan {
    /// What is read, for people.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Whether `connector` reads the same in the same way. Its secrets are not shown, and may have changed.
    fn is(&self, connector: &Connector) -> bool {
        connector.kind == self.kind && connector.config == self.masked() && connector.streams == self.streams
    }

    /// The config as a server shows it.
    fn masked(&self) -> Value {
        let mut config = self.config.clone();
        for pointer in self.secrets() {
            if let Some(secret) = config.pointer_mut(&pointer) {
                *secret = json!(MASK);
            }
        }
        config
    }

    /// The secrets of the config, as JSON Pointers.
    fn secrets(&self) -> Vec<String> {
        let registry = node::registry();
        let kind = registry.get(self.kind);
        kind.map_or_else(|_| Vec::new(), |kind| config_marks::secrets(&kind.config_schema(), &self.config))
    }
}

/// Makes the collection, and its space, if they are not there.
pub(crate) async fn ensure_collection(client: &Client, name: &CollectionName) -> Result<(), CommandError> {
    if client.find(&name.path()).await?.is_some() {
        return Ok(());
    }
    if client.find(&name.space_path()).await?.is_none() {
        let space = json!({"id": name.space, "name": name.space});
        unless_there(client.post("/v1/spaces", &space).await)?;
    }
    let collection = json!({"id": name.collection, "name": name.collection});
    unless_there(client.post(&format!("{}/collections", name.space_path()), &collection).await)?;
    Ok(())
}

/// Somebody else may have made it in the same moment.
fn unless_there(made: Result<crate::client::Body, CallError>) -> Result<(), CallError> {
    match made {
        Err(CallError::Problem(problem)) if problem.code.ends_with(".already_exists") => Ok(()),
        other => other.map(drop),
    }
}

/// The path of the connector of the collection that matches the plan; if there is none, it is made.
pub(crate) async fn find_or_create(
    client: &Client,
    collection: &CollectionName,
    plan: &ConnectorPlan,
) -> Result<String, CommandError> {
    let all = format!("{}/connectors", collection.path());
    let mut cursor: Option<String> = None;
    loop {
        let query = Query::default().with("limit", Some("200")).with("cursor", cursor.as_deref());
        let page: Page<Connector> = client.get(&query.of(&all)).await?.read()?;
        if let Some(connector) = page.data.iter().find(|connector| plan.is(connector)) {
            let path = format!("{all}/{}", segment(&connector.id));
            if !plan.secrets().is_empty() {
                // The password may be another than the last time.
                client.patch(&path, &json!({"config": plan.config})).await?;
            }
            return Ok(path);
        }
        cursor = page.next_cursor;
        if cursor.is_none() {
            break;
        }
    }
    let mut body = json!({"name": plan.name, "type": plan.kind, "config": plan.config});
    if let Some(streams) = &plan.streams {
        body["streams"] = json!(streams);
    }
    let made: Connector = client.post(&all, &body).await?.read()?;
    Ok(format!("{all}/{}", segment(&made.id)))
}
