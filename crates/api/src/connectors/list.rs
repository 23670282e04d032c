//! `GET …/connectors`: the connectors of a collection, newest first.
//!
//! ```text
//! curl http://127.0.0.1:8080/v1/spaces/default/collections/default/connectors?limit=50
//! {"data":[{"id":"con_01k…","name":"New Connector","type":"external_source",…}],"next_cursor":null}
//! ```

use axum::extract::State;
use axum::http::Uri;
use axum::http::uri::PathAndQuery;

use super::view::{self, ConnectorView};
use crate::answer::Answer;
use crate::app::Api;
use crate::find;
use crate::operation::{Access, Operation, path};
use crate::pages::{CATALOG_MAX, PageView, page_query, page_token};
use crate::paths::CollectionPath;
use crate::problem::Problem;
use crate::query::Query;

pub(crate) fn operation() -> Operation {
    Operation::get("list_connectors", path::CONNECTORS, Access::Read)
        .summary("List the connectors of a collection")
        .paged(CATALOG_MAX)
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

async fn read(api: &Api, path: &CollectionPath, query: Query) -> Result<Answer, Problem> {
    let list = format!("{path}/connectors");
    let query = page_query(&api.signer, &list, query)?;
    let Some(page) = api.catalog.connector_list(&path.space_id, &path.collection_id, query).await? else {
        return Err(find::absent_collection(api, path).await?);
    };
    let next_cursor = page.next.map(|place| page_token(&api.signer, &list, &place));
    Ok(Answer::ok(&PageView { data: view::read_all(api, page.items).await?, next_cursor }))
}
