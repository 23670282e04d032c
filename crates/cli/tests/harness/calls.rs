//! Calls of the API, one after the other over kept connections.

use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::Value;

/// How long is waited for something that comes by itself, on a machine that does other things too.
const PATIENCE: Duration = Duration::from_secs(60);
/// Between two looks at it.
const PAUSE: Duration = Duration::from_millis(4);

/// A client of one server.
#[derive(Debug)]
pub(crate) struct Calls {
    runtime: tokio::runtime::Runtime,
    http: reqwest::Client,
    url: String,
}

impl Calls {
    pub(crate) fn to(url: &str) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        Self { runtime, http: super::http_client(), url: url.to_owned() }
    }

    /// Status and body of the answer; `None` if there was none.
    pub(crate) fn call(&self, method: Method, path: &str, body: Option<&Value>) -> Option<(u16, Value)> {
        self.call_once(method, path, body, None)
    }

    /// As [`call`](Self::call), with an idempotency key.
    pub(crate) fn call_once(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
        key: Option<&str>,
    ) -> Option<(u16, Value)> {
        self.runtime.block_on(async {
            let mut request = self.http.request(method, format!("{}{path}", self.url));
            if let Some(key) = key {
                request = request.header("Idempotency-Key", key);
            }
            if let Some(body) = body {
                request = request.json(body);
            }
            let response = request.send().await.ok()?;
            let status = response.status().as_u16();
            let text = response.text().await.ok()?;
            Some((status, serde_json::from_str(&text).unwrap_or(Value::Null)))
        })
    }

    /// The answer to a GET, which must be a good one.
    pub(crate) fn get(&self, path: &str) -> Value {
        self.well(Method::GET, path, None)
    }

    /// The answer to a POST, which must be a good one.
    pub(crate) fn post(&self, path: &str, body: &Value) -> Value {
        self.well(Method::POST, path, Some(body))
    }

    fn well(&self, method: Method, path: &str, body: Option<&Value>) -> Value {
        let (status, answer) = self.call(method, path, body).unwrap_or_else(|| panic!("{path}: no answer"));
        assert!((200..300).contains(&status), "{path}: {status} {answer}");
        answer
    }

    /// What `GET path` gives once `is_so`.
    pub(crate) fn until(&self, path: &str, is_so: impl Fn(&Value) -> bool) -> Value {
        let mut last = Value::Null;
        until(|| {
            last = self.get(path);
            is_so(&last)
        })
        .unwrap_or_else(|()| panic!("GET {path} does not become what is waited for: {last}"));
        last
    }

    /// All items of a list.
    pub(crate) fn all(&self, path: &str) -> Vec<Value> {
        let (mut items, mut cursor) = (Vec::new(), None::<String>);
        let joint = if path.contains('?') { '&' } else { '?' };
        loop {
            let behind = cursor.map_or_else(String::new, |cursor| format!("&cursor={cursor}"));
            let page = self.get(&format!("{path}{joint}limit=200{behind}"));
            items.extend(page["data"].as_array().unwrap().iter().cloned());
            match page["next_cursor"].as_str() {
                Some(next) => cursor = Some(next.to_owned()),
                None => return items,
            }
        }
    }
}

/// Looks again and again until it is so; an error if it does not come in time.
#[expect(clippy::disallowed_methods, reason = "another process is waited for")]
pub(crate) fn until(mut is_so: impl FnMut() -> bool) -> Result<(), ()> {
    let deadline = Instant::now() + PATIENCE;
    while !is_so() {
        if Instant::now() >= deadline {
            return Err(());
        }
        std::thread::sleep(PAUSE);
    }
    Ok(())
}
