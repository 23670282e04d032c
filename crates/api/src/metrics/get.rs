//! `GET /metrics`: what the process counts, for Prometheus.
//!
//! ```text
//! curl -H "X-API-Key: …" http://127.0.0.1:8080/metrics
//! # HELP inlet_syncs Syncs that have not ended.
//! # TYPE inlet_syncs gauge
//! inlet_syncs{status="running",type="files"} 1
//! ```

use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};

use super::text::{OPEN_METRICS, PLAIN, TextFormat};
use crate::app::Api;
use crate::operation::{Access, Operation};
use crate::problem::Problem;
use crate::query::NoQuery;

pub(crate) fn operation() -> Operation {
    Operation::get("get_metrics", "/metrics", Access::Read)
        .summary("Show what the server counts, for Prometheus")
        .description(
            "A caller whose `Accept` names `application/openmetrics-text` gets OpenMetrics 1.0, every other the text \
             format 0.0.4. The page `docs/metrics.md` says what each number means.",
        )
        .answers_texts("The numbers.", &[OPEN_METRICS, PLAIN])
}

pub(crate) async fn get(State(api): State<Api>, headers: HeaderMap, _: NoQuery) -> Result<Response, Problem> {
    let tally = api.catalog.sync_tally().await?;
    let format = TextFormat::accepted(&headers);
    let text = format.of(api.metrics.text(&tally, &api.registry, api.clock.now()));
    Ok(([(header::CONTENT_TYPE, format.content_type())], text).into_response())
}
