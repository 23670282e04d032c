//! Asking a source something while a caller waits: bounded in time and number.

use std::sync::Arc;

use axum::http::{HeaderValue, header};
use inlet_source::{ErrorKind, SourceError};
use inlet_sync::BuiltSource;

use crate::app::Api;
use crate::carry::AbortOnDrop;
use crate::codes::Code;
use crate::problem::Problem;

/// Asks `source` by `question`, as a task of its own: one that hangs, or even blocks its thread, is given up and left to
/// die alone. The outer error is that too many are being asked already.
pub(crate) async fn ask<T, F>(
    api: &Api,
    operation: &'static str,
    source: BuiltSource,
    question: impl FnOnce(BuiltSource) -> F,
) -> Result<Result<T, SourceError>, Problem>
where
    T: Send + 'static,
    F: Future<Output = Result<T, SourceError>> + Send + 'static,
{
    let permit = Arc::clone(&api.source_calls).try_acquire_owned().map_err(|_| busy())?;
    let question = question(source);
    let work = tokio::spawn(async move {
        let answer = question.await;
        drop(permit);
        answer
    });
    let _abort = AbortOnDrop(work.abort_handle());
    let limit = api.limits.source_time;
    Ok(match tokio::time::timeout(limit, work).await {
        Ok(Ok(answer)) => answer,
        Ok(Err(_)) => Err(SourceError::new(ErrorKind::Internal, operation, "the source broke down")),
        Err(_) => {
            let message = format!("the source did not answer within {} s", limit.as_secs());
            Err(SourceError::new(ErrorKind::TimedOut, operation, message))
        }
    })
}

fn busy() -> Problem {
    let detail = "As many sources are being asked as the server allows at a time. Try again in a moment.";
    Problem::new(Code::Unavailable, detail).header(header::RETRY_AFTER, HeaderValue::from_static("1"))
}
