//! What the server's callers share: where it is now, and what they saw that must not be.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use reqwest::Method;
use serde_json::Value;

use super::sources::PUSHED;
use super::{Connector, Connectors};
use crate::harness::Calls;

/// The server as its callers know it.
#[derive(Debug)]
pub(super) struct Front {
    url: Mutex<Option<String>>,
    over: AtomicBool,
    connectors: Connectors,
    webhook: String,
    wrong: Mutex<Vec<String>>,
    answers: Mutex<BTreeMap<u16, u64>>,
    unanswered: AtomicU64,
}

impl Front {
    pub(super) fn new(connectors: Connectors, webhook: &str) -> Self {
        Self {
            url: Mutex::default(),
            over: AtomicBool::new(false),
            connectors,
            webhook: format!("/v1/spaces/default/webhooks/{webhook}"),
            wrong: Mutex::default(),
            answers: Mutex::default(),
            unanswered: AtomicU64::new(0),
        }
    }

    /// Where the server is from now on, or that it is nowhere.
    pub(super) fn is_at(&self, url: Option<&str>) {
        *self.url.lock().unwrap() = url.map(ToOwned::to_owned);
    }

    /// Nobody need call any more.
    pub(super) fn is_over(&self) -> bool {
        self.over.load(Ordering::SeqCst)
    }

    pub(super) fn end(&self) {
        self.over.store(true, Ordering::SeqCst);
    }

    pub(super) fn connectors(&self) -> &Connectors {
        &self.connectors
    }

    /// The connector that takes pushes.
    pub(super) fn pushed(&self) -> &Connector {
        &self.connectors[PUSHED]
    }

    /// The path of the webhook.
    pub(super) fn webhook(&self) -> &str {
        &self.webhook
    }

    /// Something was seen that must not be.
    pub(super) fn complain(&self, text: String) {
        self.wrong.lock().unwrap_or_else(PoisonError::into_inner).push(text);
    }

    pub(super) fn assert_nothing_wrong(&self, what: &str) {
        let wrong = self.wrong.lock().unwrap_or_else(PoisonError::into_inner);
        assert!(wrong.is_empty(), "{what}: {wrong:#?}");
    }

    pub(super) fn calls_in_words(&self) -> String {
        let unanswered = self.unanswered.load(Ordering::SeqCst);
        format!("answers by status: {:?}; {unanswered} calls had none", self.answers.lock().unwrap())
    }

    fn note(&self, path: &str, answer: Option<&(u16, Value)>) {
        let Some((status, body)) = answer else {
            self.unanswered.fetch_add(1, Ordering::SeqCst);
            return;
        };
        *self.answers.lock().unwrap().entry(*status).or_default() += 1;
        // What was asked for may come too early or too late; nothing else can be said against it.
        if !(200..300).contains(status) && *status != 409 {
            self.complain(format!("{path}: {status} {body}"));
        }
    }
}

/// Somebody who calls the server wherever it is.
#[derive(Debug)]
pub(super) struct Caller<'a> {
    front: &'a Front,
    known: Option<(String, Calls)>,
}

impl<'a> Caller<'a> {
    pub(super) fn new(front: &'a Front) -> Self {
        Self { front, known: None }
    }

    /// Status and body of the answer, if there is a server and it answers.
    pub(super) fn call(&mut self, method: Method, path: &str, body: Option<&Value>) -> Option<(u16, Value)> {
        self.call_once(method, path, body, None)
    }

    /// As [`call`](Self::call), with an idempotency key.
    pub(super) fn call_once(
        &mut self,
        method: Method,
        path: &str,
        body: Option<&Value>,
        key: Option<&str>,
    ) -> Option<(u16, Value)> {
        let url = self.front.url.lock().unwrap().clone();
        let Some(url) = url else {
            super::pause();
            return None;
        };
        if self.known.as_ref().is_none_or(|(known, _)| *known != url) {
            self.known = Some((url.clone(), Calls::to(&url)));
        }
        let (_, calls) = self.known.as_ref().expect("it was just made known");
        let answer = calls.call_once(method, path, body, key);
        self.front.note(path, answer.as_ref());
        answer
    }

    /// The body of a good answer to a GET.
    pub(super) fn get(&mut self, path: &str) -> Option<Value> {
        self.call(Method::GET, path, None).filter(|(status, _)| *status == 200).map(|(_, body)| body)
    }
}
