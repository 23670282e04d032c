//! The target of the webhook: of every five deliveries it refuses one at first, and now and then it says nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, OnceLock};

use inlet_webhooks::{SigningSecret, signature};
use serde_json::Value;

/// Of so many deliveries one is refused with a 500 …
const REFUSED_ONE_OF: usize = 5;
/// … and one gets no answer at all, at first.
const IGNORED_ONE_OF: usize = 17;

/// What it was told.
#[derive(Debug)]
pub(super) struct Receiver {
    url: String,
    secret: OnceLock<SigningSecret>,
    told: Mutex<Told>,
}

#[derive(Debug, Default)]
struct Told {
    /// How often each delivery came.
    deliveries: BTreeMap<String, u64>,
    /// The syncs of which something was taken, with what.
    events: BTreeSet<(String, String)>,
    forged: Vec<String>,
}

struct Request {
    headers: BTreeMap<String, String>,
    body: Vec<u8>,
}

impl Receiver {
    pub(super) fn start() -> Arc<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        let receiver = Arc::new(Self { url, secret: OnceLock::new(), told: Mutex::default() });
        let serving = Arc::clone(&receiver);
        std::thread::spawn(move || {
            while let Ok((connection, _)) = listener.accept() {
                let receiver = Arc::clone(&serving);
                // A server that is killed meanwhile breaks the connection off, and sends it again.
                std::thread::spawn(move || receiver.serve(connection));
            }
        });
        receiver
    }

    pub(super) fn url(&self) -> &str {
        &self.url
    }

    pub(super) fn verifies_by(&self, secret: &str) {
        self.secret.set(secret.parse().unwrap()).unwrap();
    }

    /// The ids of the syncs of which it took this event, and how many deliveries came more than once.
    pub(super) fn has_taken(&self, sync: &str, event: &str) -> bool {
        self.told.lock().unwrap().events.contains(&(sync.to_owned(), event.to_owned()))
    }

    /// How many deliveries there were, and how many of them came more than once; each must have been genuine.
    pub(super) fn deliveries(&self) -> (usize, usize) {
        let told = self.told.lock().unwrap();
        assert_eq!(told.forged, Vec::<String>::new(), "a signature is wrong");
        let repeated = told.deliveries.values().filter(|count| **count > 1).count();
        (told.deliveries.len(), repeated)
    }

    fn serve(&self, connection: TcpStream) -> Option<()> {
        let mut reader = BufReader::new(connection);
        let request = read_request(&mut reader)?;
        let status = self.take(&request)?;
        let answer = format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
        reader.get_mut().write_all(answer.as_bytes()).ok()
    }

    /// The status of the answer; `None` if there is none.
    fn take(&self, request: &Request) -> Option<&'static str> {
        let id = request.headers.get("webhook-id")?;
        let mut told = self.told.lock().unwrap();
        if !self.is_genuine(request, id) {
            told.forged.push(id.clone());
        }
        let count = told.deliveries.entry(id.clone()).or_default();
        *count += 1;
        let (is_first, number) = (*count == 1, told.deliveries.len());
        if is_first && number.is_multiple_of(IGNORED_ONE_OF) {
            return None;
        }
        if is_first && number.is_multiple_of(REFUSED_ONE_OF) {
            return Some("500 Internal Server Error");
        }
        let body: Value = serde_json::from_slice(&request.body).ok()?;
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        told.events.insert((text(&body["data"]["id"]), text(&body["type"])));
        Some("204 No Content")
    }

    fn is_genuine(&self, request: &Request, id: &str) -> bool {
        let header = |name: &str| request.headers.get(name);
        let (Ok(id), Some(secret)) = (id.parse(), self.secret.get()) else { return false };
        let Some(Ok(timestamp)) = header("webhook-timestamp").map(|text| text.parse()) else { return false };
        let expected = signature(std::slice::from_ref(secret), id, timestamp, &request.body);
        header("webhook-signature") == Some(&expected)
    }
}

fn read_request(reader: &mut BufReader<TcpStream>) -> Option<Request> {
    let mut headers = BTreeMap::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok().filter(|read| *read > 0)?;
        match line.trim_end().split_once(": ") {
            Some((name, value)) => drop(headers.insert(name.to_ascii_lowercase(), value.to_owned())),
            None if line.trim_end().is_empty() => break,
            None => {}
        }
    }
    let mut body = vec![0; headers.get("content-length")?.parse().ok()?];
    reader.read_exact(&mut body).ok()?;
    Some(Request { headers, body })
}
