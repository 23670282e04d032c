//! `POST /v1/spaces`: makes a space. 201, or 409 if the chosen id is taken.
//!
//! ```text
//! curl -X POST http://127.0.0.1:8080/v1/spaces -d '{"name": "Sales", "id": "sales"}' -H 'Content-Type: application/json'
//! {"id":"sales","name":"Sales","created_at":"…","updated_at":"…"}
//! ```

use axum::extract::State;
use axum::http::StatusCode;
use inlet_model::SpaceId;
use inlet_model::fields::Fields;
use inlet_store::catalog::Space;
use schemars::JsonSchema;
use serde_json::json;

use super::view::SpaceView;
use crate::answer::Answer;
use crate::app::Api;
use crate::body::Post;
use crate::codes::Code;
use crate::idempotency::settle;
use crate::operation::{Access, Operation, Param, path};
use crate::paths::SpacePath;
use crate::problem::Problem;
use crate::query::NoQuery;
use crate::settings;

/// A space to be made.
#[derive(JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "it only says what the body is; `create` reads it field by field")]
struct NewSpace {
    /// Its name, for people.
    #[schemars(length(min = 1, max = 200))]
    name: String,
    /// An id of your choice; generated if it is left out.
    id: Option<SpaceId>,
}

pub(crate) fn operation() -> Operation {
    Operation::post("create_space", path::SPACES, Access::Write)
        .summary("Make a space")
        .body::<NewSpace>(json!({"name": "Sales", "id": "sales"}))
        .answers::<SpaceView>(StatusCode::CREATED, "The space.", SpaceView::example())
        .with_header(Param::header("Location", "Where the space is."))
        .link("get_space", &[("space_id", "$response.body#/id")])
        .link("create_collection", &[("space_id", "$response.body#/id")])
        .link("delete_space", &[("space_id", "$response.body#/id")])
        .errors(&[Code::SpaceExists])
}

pub(crate) async fn create(State(api): State<Api>, _: NoQuery, post: Post) -> Result<Answer, Problem> {
    let now = api.clock.now();
    let mut fields = Fields::new(post.body)?;
    let name = settings::name(&mut fields);
    let chosen = settings::chosen_id::<SpaceId>(&mut fields);
    fields.finish()?;
    let name = name.expect("its absence was refused");
    let id = chosen.unwrap_or_else(|| SpaceId::new(now, &*api.entropy));
    let space = Space { id, name, created_at: now, updated_at: now };

    let path = SpacePath { space_id: space.id.clone() };
    let answer = Answer::new(StatusCode::CREATED, &SpaceView::from(space.clone())).location(path.to_string());
    let record = post.attempt.as_ref().map(|attempt| attempt.record(&answer));
    let effect = api.catalog.space_create(space, record).await?;
    settle(answer, effect)?.map_err(|there| {
        let detail =
            format!("There is a space `{}` already. Choose another id, or use that space.", there.id);
        Problem::new(Code::SpaceExists, detail).resource(&SpaceView::from(there))
    })
}
