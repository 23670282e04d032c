//! Callers of the API, all the while: each in a thread of its own.

use std::sync::Arc;
use std::thread::JoinHandle;

use reqwest::Method;
use serde_json::{Value, json};

use super::super::Draw;
use super::front::{Caller, Front};
use super::mirror::Mirror;
use super::pushing::{Pushed, push_all_the_while};
use super::{COLLECTIONS, Connector};

/// The callers at work.
pub(super) struct Load {
    front: Arc<Front>,
    working: Vec<JoinHandle<()>>,
    pushing: JoinHandle<Pushed>,
    mirroring: Vec<JoinHandle<Mirror>>,
}

/// What some of them have in the end.
pub(super) struct Done {
    pub(super) pushed: Pushed,
    pub(super) mirrors: Vec<Mirror>,
}

impl Load {
    pub(super) fn begin(front: &Arc<Front>, seed: u64) -> Self {
        let work = |front: &Arc<Front>, work: fn(&Front, Draw), seed: u64| {
            let front = Arc::clone(front);
            std::thread::spawn(move || work(&front, Draw(seed)))
        };
        let pushing = Arc::clone(front);
        let mirroring = COLLECTIONS.map(|collection| {
            let front = Arc::clone(front);
            std::thread::spawn(move || Mirror::of(collection).follow(&front))
        });
        Self {
            working: vec![
                work(front, run_syncs, seed),
                work(front, run_syncs, !seed),
                work(front, read, seed),
            ],
            pushing: std::thread::spawn(move || push_all_the_while(&pushing, Draw(seed))),
            mirroring: mirroring.into(),
            front: Arc::clone(front),
        }
    }

    /// Lets them end; a server must be there.
    pub(super) fn end(self) -> Done {
        self.front.end();
        self.working.into_iter().for_each(|thread| thread.join().unwrap());
        Done {
            pushed: self.pushing.join().unwrap(),
            mirrors: self.mirroring.into_iter().map(|thread| thread.join().unwrap()).collect(),
        }
    }
}

/// Triggers, cancels, pauses, resumes and decides.
fn run_syncs(front: &Front, mut draw: Draw) {
    let mut caller = Caller::new(front);
    let connectors: Vec<&Connector> = front.connectors().values().collect();
    while !front.is_over() {
        let connector = connectors[usize::try_from(draw.below(connectors.len() as u64)).unwrap()];
        let path = &connector.path;
        match draw.below(20) {
            0..=11 => {
                let mode = if draw.below(6) == 0 { "full_refresh" } else { "incremental" };
                let on_conflict = if draw.below(4) == 0 { "queue" } else { "reject" };
                let trigger = json!({"mode": mode, "on_conflict": on_conflict});
                caller.call(Method::POST, &format!("{path}/sync"), Some(&trigger));
            }
            12 => drop(caller.call(Method::POST, &format!("{path}/sync/cancel"), None)),
            13 => drop(caller.call(Method::PATCH, path, Some(&json!({"status": "paused"})))),
            14..=16 => drop(caller.call(Method::PATCH, path, Some(&json!({"status": "active"})))),
            _ => decide(&mut caller, path, &mut draw),
        }
        super::pause();
    }
}

/// Decides about a sync that asks, if there is one.
fn decide(caller: &mut Caller<'_>, connector: &str, draw: &mut Draw) {
    let Some(asking) = caller.get(&format!("{connector}/sync?status=needs_approval")) else { return };
    for sync in asking["data"].as_array().into_iter().flatten() {
        let decision = if draw.below(4) == 0 { "discard" } else { "approve" };
        let id = sync["id"].as_str().unwrap();
        caller.call(Method::POST, &format!("{connector}/sync/{id}/{decision}"), None);
    }
}

/// Reads whatever there is to read.
fn read(front: &Front, mut draw: Draw) {
    let mut caller = Caller::new(front);
    let connectors: Vec<&Connector> = front.connectors().values().collect();
    while !front.is_over() {
        let connector = connectors[usize::try_from(draw.below(connectors.len() as u64)).unwrap()];
        let collection = COLLECTIONS[usize::try_from(draw.below(2)).unwrap()];
        let collection = format!("/v1/spaces/default/collections/{collection}");
        match draw.below(8) {
            0 => drop(caller.get("/v1/spaces/default/webhooks")),
            1 => drop(caller.get(&collection)),
            2 => drop(caller.get(&format!("{collection}/connectors"))),
            3 => read_pages(&mut caller, &format!("{collection}/records?limit=50")),
            4 => drop(caller.get(&format!("{}/deliveries", front.webhook()))),
            5 => drop(caller.get(&format!("{}/state", connector.path))),
            _ => read_last_sync(&mut caller, connector),
        }
        super::pause();
    }
}

/// Reads a list page by page; each page goes on behind the one before.
fn read_pages(caller: &mut Caller<'_>, path: &str) {
    let mut cursor = Value::Null;
    loop {
        let behind = cursor.as_str().map_or_else(String::new, |cursor| format!("&cursor={cursor}"));
        let Some(page) = caller.get(&format!("{path}{behind}")) else { return };
        cursor = page["next_cursor"].clone();
        if cursor.is_null() {
            return;
        }
    }
}

fn read_last_sync(caller: &mut Caller<'_>, connector: &Connector) {
    let Some(syncs) = caller.get(&format!("{}/sync?limit=1", connector.path)) else { return };
    let Some(id) = syncs["data"][0]["id"].as_str() else { return };
    let path = format!("{}/sync/{id}", connector.path);
    caller.get(&path);
    caller.get(&format!("{path}/logs"));
}
