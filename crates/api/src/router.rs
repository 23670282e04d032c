//! Every route, on one screen.

use axum::Router;
use axum::http::{Method, Uri};
use axum::middleware::from_fn_with_state;

use crate::app::{Api, App};
use crate::codes::Code;
use crate::problem::Problem;
use crate::routes::Routes;
use crate::{
    audit, auth, carry, collections, connector_types, connectors, documents, error_pages, health, hooks,
    keys, log, metrics, nodes, records, request_id, spaces, state, syncs, trigger_secret, webhooks,
};

/// Everything that answers requests.
pub fn router(app: App) -> Router {
    routed(app, public(), protected())
}

/// What a node answers that is none for the API: how it is, for a load balancer, and what it counts.
pub fn health_router(app: App) -> Router {
    let health = Routes::new()
        .on(health::healthz_operation(), health::healthz)
        .on(health::readyz_operation(), health::readyz);
    routed(app, health, Routes::new().on(metrics::get::operation(), metrics::get::get))
}

fn routed(app: App, public: Routes, protected: Routes) -> Router {
    let (public, mut operations) = public.into_parts();
    let (protected, others) = protected.into_parts();
    operations.extend(others);
    let api = Api::new(app, operations);
    let protected = protected.method_not_allowed_fallback(method_not_allowed).fallback(route_not_found);
    public
        .method_not_allowed_fallback(method_not_allowed)
        .merge(protected.layer(from_fn_with_state(api.clone(), auth::check)))
        .layer(from_fn_with_state(api.clone(), carry::through))
        .layer(from_fn_with_state(api.clone(), log::write))
        .layer(from_fn_with_state(api.clone(), request_id::give))
        .with_state(api)
}

/// What asks for no key.
fn public() -> Routes {
    Routes::new()
        .on(health::healthz_operation(), health::healthz)
        .on(health::readyz_operation(), health::readyz)
        .on(documents::openapi_operation(), documents::openapi)
        .on(documents::docs_operation(), documents::docs)
        .on(error_pages::operation(), error_pages::get)
        .on(hooks::trigger::operation(), hooks::trigger::trigger)
}

/// What asks for a key: everything else, what is not there included.
fn protected() -> Routes {
    Routes::new()
        .on(spaces::list::operation(), spaces::list::list)
        .on(spaces::create::operation(), spaces::create::create)
        .on(spaces::get::operation(), spaces::get::get)
        .on(spaces::update::operation(), spaces::update::update)
        .on(spaces::delete::operation(), spaces::delete::delete)
        .on(collections::list::operation(), collections::list::list)
        .on(collections::create::operation(), collections::create::create)
        .on(collections::get::operation(), collections::get::get)
        .on(collections::update::operation(), collections::update::update)
        .on(collections::delete::operation(), collections::delete::delete)
        .on(records::list::operation(), records::list::list)
        .on(records::remove::operation(), records::remove::remove)
        .on(records::get::operation(), records::get::get)
        .on(records::changes::operation(), records::changes::changes)
        .on(connectors::list::operation(), connectors::list::list)
        .on(connectors::create::operation(), connectors::create::create)
        .on(connectors::get::operation(), connectors::get::get)
        .on(connectors::update::operation(), connectors::update::update)
        .on(connectors::delete::operation(), connectors::delete::delete)
        .on(connectors::check::operation(), connectors::check::check)
        .on(connectors::discover::operation(), connectors::discover::discover)
        .on(connectors::schemas::operation(), connectors::schemas::list)
        .on(trigger_secret::get::operation(), trigger_secret::get::get)
        .on(trigger_secret::set::operation(), trigger_secret::set::set)
        .on(trigger_secret::delete::operation(), trigger_secret::delete::delete)
        .on(records::push::operation(), records::push::push)
        .on(state::get::operation(), state::get::get)
        .on(state::set::operation(), state::set::set)
        .on(state::reset::operation(), state::reset::reset)
        .on(syncs::list::operation(), syncs::list::list)
        .on(syncs::trigger::operation(), syncs::trigger::trigger)
        .on(syncs::cancel::active_operation(), syncs::cancel::cancel_active)
        .on(syncs::get::operation(), syncs::get::get)
        .on(syncs::cancel::one_operation(), syncs::cancel::cancel_one)
        .on(syncs::deletes::operation(), syncs::deletes::list)
        .on(syncs::decide::approve_operation(), syncs::decide::approve)
        .on(syncs::decide::discard_operation(), syncs::decide::discard)
        .on(syncs::events::operation(), syncs::events::events)
        .on(syncs::logs::operation(), syncs::logs::list)
        .on(syncs::rejected::operation(), syncs::rejected::list)
        .on(syncs::replay::operation(), syncs::replay::replay)
        .on(syncs::revert::operation(), syncs::revert::revert)
        .on(webhooks::list::operation(), webhooks::list::list)
        .on(webhooks::create::operation(), webhooks::create::create)
        .on(webhooks::get::operation(), webhooks::get::get)
        .on(webhooks::update::operation(), webhooks::update::update)
        .on(webhooks::delete::operation(), webhooks::delete::delete)
        .on(webhooks::test::operation(), webhooks::test::test)
        .on(webhooks::rotate_secret::operation(), webhooks::rotate_secret::rotate_secret)
        .on(webhooks::deliveries::operation(), webhooks::deliveries::list)
        .on(webhooks::retry::operation(), webhooks::retry::retry)
        .on(keys::list::operation(), keys::list::list)
        .on(keys::create::operation(), keys::create::create)
        .on(keys::get::operation(), keys::get::get)
        .on(keys::update::operation(), keys::update::update)
        .on(keys::delete::operation(), keys::delete::delete)
        .on(keys::rotate::operation(), keys::rotate::rotate)
        .on(audit::list::operation(), audit::list::list)
        .on(nodes::list::operation(), nodes::list::list)
        .on(connector_types::list::operation(), connector_types::list::list)
        .on(connector_types::get::operation(), connector_types::get::get)
        .on(metrics::get::operation(), metrics::get::get)
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
