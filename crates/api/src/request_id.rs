//! An id on every answer, by which a caller and the log speak of the same request.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::middleware::Next;
use axum::response::Response;
use inlet_model::RequestId;

use crate::app::Api;
use crate::problem::Problem;

const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const MAX_LEN: usize = 128;

/// The id of a request: the caller's, if it sent a good one.
#[derive(Debug, Clone)]
pub(crate) struct Id(pub(crate) Arc<str>);

/// Gives the request its id, and puts the error that comes back, if one does, into words.
pub(crate) async fn give(State(api): State<Api>, mut request: Request, next: Next) -> Response {
    let id = received(request.headers())
        .unwrap_or_else(|| RequestId::new(api.clock.now(), &*api.entropy).to_string().into());
    request.extensions_mut().insert(Id(Arc::clone(&id)));
    let mut response = next.run(request).await;
    if let Some(problem) = response.extensions_mut().remove::<Arc<Problem>>() {
        let mut rendered = problem.render(&id);
        for (name, value) in response.headers() {
            if !rendered.headers().contains_key(name) && name != header::CONTENT_LENGTH {
                rendered.headers_mut().append(name, value.clone());
            }
        }
        response = rendered;
    }
    let headers = response.headers_mut();
    headers.insert(X_REQUEST_ID, HeaderValue::try_from(&*id).expect("an id is visible ASCII"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

/// The caller's id: 1 to 128 letters, digits and `-_.:+/=`. Anything else is replaced, not refused.
fn received(headers: &HeaderMap) -> Option<Arc<str>> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:+/=".contains(&byte);
    let id = headers.get(X_REQUEST_ID)?.to_str().ok()?;
    (!id.is_empty() && id.len() <= MAX_LEN && id.bytes().all(allowed)).then(|| id.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn received_of(text: &'static str) -> Option<Arc<str>> {
        received(&HeaderMap::from_iter([(X_REQUEST_ID, HeaderValue::from_static(text))]))
    }

    #[test]
    fn a_good_id_is_kept_and_a_bad_one_is_not() {
        assert_eq!(received_of("trace-1.2:3").as_deref(), Some("trace-1.2:3"));
        for bad in ["", "two words", "quote\"", "{}"] {
            assert_eq!(received_of(bad), None, "{bad}");
        }
        assert_eq!(received(&HeaderMap::new()), None);
        let long = HeaderValue::try_from("a".repeat(MAX_LEN + 1)).unwrap();
        assert_eq!(received(&HeaderMap::from_iter([(X_REQUEST_ID, long)])), None);
    }
}
