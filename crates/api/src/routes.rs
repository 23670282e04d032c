//! Collects the operations of the API, and makes each a route.

use axum::Router;
use axum::handler::Handler;
use axum::routing::on;

use crate::app::Api;
use crate::operation::Operation;

/// Operations and what answers them.
#[derive(Debug, Default)]
pub(crate) struct Routes {
    router: Router<Api>,
    operations: Vec<Operation>,
}

impl Routes {
    /// Nothing as yet.
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// `handler` answers `operation`.
    pub(crate) fn on<H, T>(mut self, operation: Operation, handler: H) -> Self
    where
        H: Handler<T, Api>,
        T: 'static,
    {
        self.router = self.router.route(operation.path, on(operation.filter(), handler));
        self.operations.push(operation);
        self
    }

    /// What answers, and a description of all it answers.
    pub(crate) fn into_parts(self) -> (Router<Api>, Vec<Operation>) {
        (self.router, self.operations)
    }
}
