//! `GET …/connectors`: the connectors of a collection, newest first or oldest first.
//!
//! ```text
//! curl http://127.0.0.1:8080/v1/spaces/default/collections/default/connectors?limit=50
//! {"data":[{"id":"con_01k…","name":"New Connector","type":"external_source",…}],"next_cursor":null}
//! ```

use axum::extract::State;
use axum::http::Uri;
use axum::http::uri::PathAndQuery;
use inlet_source::Registry;
use inlet_store::catalog::{ConnectorFilter, ConnectorStatus};

use super::view::{self, ConnectorView};
use crate::answer::Answer;
use crate::app::Api;
use crate::filters;
use crate::find;
use crate::operation::{Access, Operation, Param, path};
use crate::pages::{Listed, PageView};
use crate::paths::CollectionPath;
use crate::problem::Problem;
use crate::query::Query;

pub(crate) fn operation() -> Operation {
    filters::named(Operation::get("list_connectors", path::CONNECTORS, Access::Read))
        .summary("List the connectors of a collection")
        .param(Param::query::<String>("type", "Only of this connector type."))
        .param(Param::query::<ConnectorStatus>("status", "Only those that stand so."))
        .listed()
        .answers_page::<ConnectorView>("A page of connectors.", ConnectorView::example())
}

pub(crate) async fn list(
    State(api): State<Api>,
    path: CollectionPath,
    uri: Uri,
    query: Query,
) -> Result<Answer, Problem> {
    let asked = uri.path_and_query().map_or("", PathAndQuery::as_str);
    let revision = api.catalog.revision();
    if let Some(answer) = api.answers.get(revision, asked) {
        return Ok(answer);
    }
    let answer = read(&api, &path, query).await?;
    api.answers.keep(revision, asked, &answer);
    Ok(answer)
}

async fn read(api: &Api, path: &CollectionPath, mut query: Query) -> Result<Answer, Problem> {
    let filter = take_filter(&api.registry, &mut query)?;
    let listed = Listed::take(&api.signer, &format!("{path}/connectors"), query)?;
    let CollectionPath { space_id, collection_id } = path;
    let page = api.catalog.connector_list(space_id, collection_id, filter, listed.query.clone()).await?;
    let Some(page) = page else { return Err(find::absent_collection(api, path).await?) };
    let next_cursor = page.next.map(|place| listed.token(&api.signer, &place));
    Ok(Answer::ok(&PageView { data: view::read_all(api, page.items).await?, next_cursor }))
}

fn take_filter(registry: &Registry, query: &mut Query) -> Result<ConnectorFilter, Problem> {
    let kind = query.narrow("type");
    if let Some(Err(unknown)) = kind.as_ref().map(|kind| registry.get(kind)) {
        return Err(Query::invalid("type", &format!("is a connector type: {unknown}")));
    }
    let status = match query.narrow("status").as_deref() {
        None => None,
        Some("active") => Some(ConnectorStatus::Active),
        Some("paused") => Some(ConnectorStatus::Paused),
        Some(_) => return Err(Query::invalid("status", "is `active` or `paused`")),
    };
    Ok(ConnectorFilter {
        name: filters::take_name(query)?,
        kind,
        status,
        created: filters::take_created(query)?,
    })
}
