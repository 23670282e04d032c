//! Every route, on one screen.

use axum::Router;
use axum::http::{Method, Uri};
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::{get, post};

use crate::app::{Api, App};
use crate::codes::Code;
use crate::problem::Problem;
use crate::{
    auth, carry, collections, connectors, error_pages, health, log, records, request_id, spaces, state, syncs,
};

const SPACES: &str = "/v1/spaces";
const SPACE: &str = "/v1/spaces/{space_id}";
const COLLECTIONS: &str = "/v1/spaces/{space_id}/collections";
const COLLECTION: &str = "/v1/spaces/{space_id}/collections/{collection_id}";

/// Everything that answers requests.
pub fn router(app: App) -> Router {
    let api = Api::new(app);
    public()
        .merge(protected().layer(from_fn_with_state(api.clone(), auth::check)))
        .layer(from_fn_with_state(api.clone(), carry::through))
        .layer(from_fn(log::write))
        .layer(from_fn_with_state(api.clone(), request_id::give))
        .with_state(api)
}

/// What asks for no key.
fn public() -> Router<Api> {
    Router::new()
        .route("/healthz", get(health::healthz))
        .route("/readyz", get(health::readyz))
        .route("/docs/errors/{code}", get(error_pages::get))
        .method_not_allowed_fallback(method_not_allowed)
}

/// What asks for a key: everything else, what is not there included.
fn protected() -> Router<Api> {
    let connectors = format!("{COLLECTION}/connectors");
    let connector = format!("{connectors}/{{connector_id}}");
    Router::new()
        .route(SPACES, get(spaces::list::list).post(spaces::create::create))
        .route(SPACE, get(spaces::get::get).patch(spaces::update::update).delete(spaces::delete::delete))
        .route(COLLECTIONS, get(collections::list::list).post(collections::create::create))
        .route(
            COLLECTION,
            get(collections::get::get).patch(collections::update::update).delete(collections::delete::delete),
        )
        .route(&format!("{COLLECTION}/records"), get(records::list::list).delete(records::remove::remove))
        .route(&format!("{COLLECTION}/records/{{stream}}/{{key}}"), get(records::get::get))
        .route(&format!("{COLLECTION}/changes"), get(records::changes::changes))
        .route(&connectors, get(connectors::list::list).post(connectors::create::create))
        .route(
            &connector,
            get(connectors::get::get).patch(connectors::update::update).delete(connectors::delete::delete),
        )
        .route(&format!("{connector}/records"), post(records::push::push))
        .route(
            &format!("{connector}/state"),
            get(state::get::get).put(state::set::set).delete(state::reset::reset),
        )
        .route(&format!("{connector}/sync"), get(syncs::list::list).post(syncs::trigger::trigger))
        .route(&format!("{connector}/sync/cancel"), post(syncs::cancel::cancel_active))
        .route(&format!("{connector}/sync/{{sync_id}}"), get(syncs::get::get))
        .route(&format!("{connector}/sync/{{sync_id}}/cancel"), post(syncs::cancel::cancel_one))
        .method_not_allowed_fallback(method_not_allowed)
        .fallback(route_not_found)
}

async fn route_not_found(method: Method, uri: Uri) -> Problem {
    no_route(&method, uri.path())
}

/// Nothing is at this path.
pub(crate) fn no_route(method: &Method, path: &str) -> Problem {
    let detail = format!("`{method} {path}` leads nowhere. Paths begin with `/v1/` and end without a slash.");
    Problem::new(Code::RouteNotFound, detail)
}

async fn method_not_allowed(method: Method) -> Problem {
    let detail =
        format!("This path does not take `{method}`; the header `Allow` names the methods it takes.");
    Problem::new(Code::MethodNotAllowed, detail)
}
