//! `POST /v1/spaces/{space_id}/collections`: makes a collection. 201, or 409 if the chosen id is taken.
//!
//! ```text
//! curl -X POST http://127.0.0.1:8080/v1/spaces/default/collections \
//!   -d '{"name": "Orders", "id": "orders"}' -H 'Content-Type: application/json'
//! {"id":"orders","space_id":"default","name":"Orders","records":0,"bytes":0,"last_change":0,…}
//! ```

use axum::extract::State;
use axum::http::StatusCode;
use inlet_model::fields::Fields;
use inlet_model::{CollectionId, StoreId};
use inlet_store::catalog::Collection;
use schemars::JsonSchema;
use serde_json::json;

use super::view::CollectionView;
use crate::answer::Answer;
use crate::app::Api;
use crate::body::Post;
use crate::codes::Code;
use crate::find;
use crate::idempotency::settle;
use crate::operation::{Access, Operation, Param, path};
use crate::paths::{CollectionPath, SpacePath};
use crate::problem::Problem;
use crate::query::NoQuery;
use crate::settings;

/// A collection to be made.
#[derive(JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "it only says what the body is; `create` reads it field by field")]
struct NewCollection {
    /// Its name, for people.
    #[schemars(length(min = 1, max = 200))]
    name: String,
    /// An id of your choice, unique within the space; generated if it is left out.
    id: Option<CollectionId>,
}

/// Where an answer names the collection.
const ITS_IDS: &[(&str, &str)] =
    &[("space_id", "$response.body#/space_id"), ("collection_id", "$response.body#/id")];

pub(crate) fn operation() -> Operation {
    Operation::post("create_collection", path::COLLECTIONS, Access::Write)
        .summary("Make a collection")
        .body::<NewCollection>(json!({"name": "Orders", "id": "orders"}))
        .answers::<CollectionView>(StatusCode::CREATED, "The collection.", CollectionView::example())
        .with_header(Param::header("Location", "Where the collection is."))
        .link("get_collection", ITS_IDS)
        .link("create_connector", ITS_IDS)
        .link("list_records", ITS_IDS)
        .link("list_changes", ITS_IDS)
        .link("delete_collection", ITS_IDS)
        .errors(&[Code::CollectionExists])
}

pub(crate) async fn create(
    State(api): State<Api>,
    path: SpacePath,
    _: NoQuery,
    post: Post,
) -> Result<Answer, Problem> {
    let now = api.clock.now();
    let mut fields = Fields::new(post.body)?;
    let name = settings::name(&mut fields);
    let chosen = settings::chosen_id::<CollectionId>(&mut fields);
    fields.finish()?;
    let name = name.expect("its absence was refused");
    let id = chosen.unwrap_or_else(|| CollectionId::new(now, &*api.entropy));
    let store_id = StoreId::new(now, &*api.entropy);
    let space_id = path.space_id.clone();
    let collection = Collection { space_id, id, name, store_id, created_at: now, updated_at: now };

    let made = CollectionPath { space_id: path.space_id.clone(), collection_id: collection.id.clone() };
    let view = CollectionView::empty(collection.clone());
    let answer = Answer::new(StatusCode::CREATED, &view).location(made.to_string());
    let record = post.attempt.as_ref().map(|attempt| attempt.record(&answer));
    let effect = api.catalog.collection_create(collection, record).await?;
    match settle(answer, effect)? {
        Ok(answer) => Ok(answer),
        Err(None) => Err(find::no_space(&path.space_id)),
        Err(Some(there)) => {
            let detail = format!(
                "There is a collection `{}` already. Choose another id, or use that collection.",
                there.id
            );
            let view = CollectionView::read(&api, there).await?;
            Err(Problem::new(Code::CollectionExists, detail).resource(&view))
        }
    }
}
