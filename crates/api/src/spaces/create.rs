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

use super::view::SpaceView;
use crate::answer::Answer;
use crate::app::Api;
use crate::body::Post;
use crate::codes::Code;
use crate::idempotency::settle;
use crate::paths::SpacePath;
use crate::problem::Problem;
use crate::query::NoQuery;
use crate::settings;

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
