//! A collector of traces: takes what is sent by OTLP over HTTP, and keeps it.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message;

/// A request with spans.
#[derive(Debug, Clone)]
pub(super) struct Batch {
    pub(super) path: String,
    /// By their names in small letters.
    pub(super) headers: HashMap<String, String>,
    /// What is said of the sender.
    pub(super) resource: HashMap<String, String>,
    pub(super) spans: Vec<Span>,
}

/// Takes batches until the process ends.
#[derive(Debug)]
pub(super) struct Collector {
    batches: Arc<Mutex<Vec<Batch>>>,
    endpoint: String,
    address: SocketAddr,
}

impl Collector {
    pub(super) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let endpoint = format!("http://{address}");
        let batches = Arc::<Mutex<Vec<Batch>>>::default();
        let taken = Arc::clone(&batches);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let taken = Arc::clone(&taken);
                std::thread::spawn(move || answer(&stream.unwrap(), &taken));
            }
        });
        Self { batches, endpoint, address }
    }

    /// Where it listens.
    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its address, as the base of all that is sent.
    pub(super) fn endpoint(&self) -> &str {
        &self.endpoint
    }

    pub(super) fn batches(&self) -> Vec<Batch> {
        self.batches.lock().unwrap().clone()
    }

    pub(super) fn spans(&self) -> Vec<Span> {
        self.batches().into_iter().flat_map(|batch| batch.spans).collect()
    }
}

/// Answers every request of a connection.
fn answer(stream: &TcpStream, taken: &Mutex<Vec<Batch>>) {
    let mut reader = BufReader::new(stream);
    while let Some(batch) = read(&mut reader) {
        taken.lock().unwrap().push(batch);
        let mut stream = stream;
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").unwrap();
    }
}

/// The next request; `None` at the end of the connection.
fn read(reader: &mut impl BufRead) -> Option<Batch> {
    let mut line = String::new();
    reader.read_line(&mut line).ok().filter(|bytes| *bytes > 0)?;
    let path = line.split(' ').nth(1).unwrap().to_owned();
    let mut headers = HashMap::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
    }
    let mut body = vec![0; headers["content-length"].parse().unwrap()];
    reader.read_exact(&mut body).unwrap();
    let sent = ExportTraceServiceRequest::decode(&*body).unwrap();
    let resource = sent.resource_spans.iter().filter_map(|spans| spans.resource.as_ref());
    let resource = resource.flat_map(|resource| attributes(&resource.attributes)).collect();
    let scopes = sent.resource_spans.into_iter().flat_map(|spans| spans.scope_spans);
    Some(Batch { path, headers, resource, spans: scopes.flat_map(|scope| scope.spans).collect() })
}

/// Attributes, each as a text.
pub(super) fn attributes(attributes: &[KeyValue]) -> HashMap<String, String> {
    let text = |value: &Option<AnyValue>| match value.as_ref().and_then(|value| value.value.clone()) {
        Some(Value::StringValue(text)) => text,
        Some(Value::IntValue(number)) => number.to_string(),
        Some(Value::BoolValue(yes)) => yes.to_string(),
        other => format!("{other:?}"),
    };
    attributes.iter().map(|attribute| (attribute.key.clone(), text(&attribute.value))).collect()
}
