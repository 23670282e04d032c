//! Traces: what a collector gets of a server, and that none holds the server up.

mod collector;

use std::collections::HashMap;
use std::net::TcpListener;

use opentelemetry_proto::tonic::trace::v1::Span;
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use opentelemetry_proto::tonic::trace::v1::status::StatusCode;

use self::collector::{Collector, attributes};
use super::harness::tls::{Authority, TlsFront};
use super::harness::{Home, Server};

const KEY: &str = "a-key-of-the-operator";
const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const CALLER: &str = "b7ad6b7169203331";

/// A server that sends its traces there. They are all sent when it has stopped.
fn start(home: &Home, endpoint: &str, variables: &[(&str, &str)]) -> Server {
    let mut command = home.command(["serve", "--listen", "127.0.0.1:0", "--files-root", "."]);
    command.env("INLET_API_KEY", KEY).env("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint).env("NO_PROXY", "*");
    for (name, value) in variables {
        command.env(name, value);
    }
    Server::of(command)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The only span of that name.
fn only<'a>(spans: &'a [Span], name: &str) -> (&'a Span, HashMap<String, String>) {
    let found: Vec<&Span> = spans.iter().filter(|span| span.name == name).collect();
    let names: Vec<&str> = spans.iter().map(|span| span.name.as_str()).collect();
    let [span] = found.as_slice() else { panic!("not one {name} in {names:?}") };
    (span, attributes(&span.attributes))
}

fn status(span: &Span) -> StatusCode {
    span.status.as_ref().map_or(StatusCode::Unset, |status| status.code())
}

#[test]
fn a_request_is_a_span_of_its_callers_trace() {
    let (home, collector) = (Home::new(), Collector::start());
    let server = start(&home, collector.endpoint(), &[]);
    let traceparent = format!("00-{TRACE}-{CALLER}-01");
    let headers = [("X-API-Key", KEY), ("traceparent", traceparent.as_str()), ("X-Request-Id", "my-request")];
    assert_eq!(server.status("/v1/spaces/default?no=such", &headers), 400);
    assert_eq!(server.status("/nowhere", &[("X-API-Key", KEY), ("traceparent", "00-nonsense")]), 404);
    assert_eq!(server.stop().code, Some(0));

    let spans = collector.spans();
    let (span, said) = only(&spans, "GET /v1/spaces/{space_id}");
    assert_eq!((hex(&span.trace_id), hex(&span.parent_span_id)), (TRACE.to_owned(), CALLER.to_owned()));
    assert_eq!((span.kind(), status(span)), (SpanKind::Server, StatusCode::Unset));
    let expected = [
        ("http.request.method", "GET"),
        ("http.route", "/v1/spaces/{space_id}"),
        ("http.response.status_code", "400"),
        ("error.type", "request.unknown_parameter"),
        ("request_id", "my-request"),
    ];
    assert_eq!(said, expected.map(|(name, value)| (name.to_owned(), value.to_owned())).into());
    let (other, _) = only(&spans, "GET -");
    assert_ne!(hex(&other.trace_id), TRACE);
    assert!(other.parent_span_id.is_empty(), "what is no traceparent begins a trace");
}

#[test]
fn a_sync_is_a_span_with_its_numbers_and_its_commits_below_it() {
    let (home, collector) = (Home::new(), Collector::start());
    home.write("a.csv", "id,word\n1,secret-word\n2,b\n");
    let server = start(&home, collector.endpoint(), &[]);
    home.inlet_well("sync a.csv --into shop --key id");
    assert_eq!(server.stop().code, Some(0));

    let spans = collector.spans();
    let (sync, said) = only(&spans, "sync");
    let numbers = [
        ("connector_type", "files"),
        ("attempt", "1"),
        ("status", "succeeded"),
        ("read", "2"),
        ("created", "2"),
        ("deleted", "0"),
    ];
    for (name, value) in numbers {
        assert_eq!(said.get(name).map(String::as_str), Some(value), "{name} in {said:?}");
    }
    assert!(said["sync_id"].starts_with("syn_") && said["connector_id"].starts_with("con_"), "{said:?}");
    assert!(sync.parent_span_id.is_empty(), "a sync outlives the request that asked for it");
    let commits: Vec<&Span> = spans.iter().filter(|span| span.name == "commit").collect();
    assert!(!commits.is_empty());
    for commit in commits {
        assert_eq!((&commit.trace_id, &commit.parent_span_id), (&sync.trace_id, &sync.span_id));
        assert!(commit.end_time_unix_nano <= sync.end_time_unix_nano);
    }
}

#[test]
fn a_sync_that_fails_is_a_span_with_an_error_and_its_code() {
    let (home, collector) = (Home::new(), Collector::start());
    home.write("orders.jsonl", &"{\"id\":1\n".repeat(1500));
    let server = start(&home, collector.endpoint(), &[]);
    assert_eq!(home.inlet("sync orders.jsonl --into shop --key id").code, Some(1));
    assert_eq!(server.stop().code, Some(0));
    let spans = collector.spans();
    let (failed, said) = only(&spans, "sync");
    assert_eq!(status(failed), StatusCode::Error);
    assert_eq!((said["status"].as_str(), said["code"].as_str()), ("failed", "sync.too_many_rejected"));
    assert!(said["rejected"].parse::<u64>().unwrap() > 1000, "{said:?}");
}

#[test]
fn nothing_secret_is_in_a_trace_and_nothing_of_the_log() {
    let (home, collector) = (Home::new(), Collector::start());
    home.write("secret-file.csv", "id,word\n1,secret-word\n");
    let server = start(&home, collector.endpoint(), &[("INLET_LOG", "trace")]);
    home.inlet_well("sync secret-file.csv --into shop --key id --stream secret-stream");
    server.status("/v1/spaces?cursor=secret-query", &[("X-API-Key", KEY), ("Cookie", "secret-header")]);
    server.status("/secret-path", &[("X-API-Key", "secret-key")]);
    assert_eq!(server.stop().code, Some(0));
    let spans = collector.spans();
    assert!(spans.len() > 3);
    for span in &spans {
        let shown = format!("{span:?}");
        assert!(!shown.contains("secret") && !shown.contains(KEY), "{shown}");
        assert!(span.events.is_empty(), "{shown}");
    }
}

#[test]
fn the_standard_variables_name_the_service_and_its_headers() {
    let (home, collector) = (Home::new(), Collector::start());
    let variables = [
        ("OTEL_SERVICE_NAME", "lab"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "authorization=Bearer%20of-the-collector"),
    ];
    let lab = start(&home, collector.endpoint(), &variables);
    lab.status("/healthz", &[]);
    let ran = lab.stop();
    assert!(!ran.stderr.contains("of-the-collector"), "{ran}");
    let batches = collector.batches();
    let last = batches.last().unwrap();
    assert_eq!(
        (last.path.as_str(), last.headers["content-type"].as_str()),
        ("/v1/traces", "application/x-protobuf")
    );
    assert_eq!(last.headers["authorization"], "Bearer of-the-collector");
    assert_eq!(last.resource["service.name"], "lab");
}

#[test]
fn a_service_without_a_name_is_inlet() {
    let (home, collector) = (Home::new(), Collector::start());
    let server = start(&home, collector.endpoint(), &[]);
    server.status("/healthz", &[]);
    server.stop();
    let batches = collector.batches();
    let resource = &batches.last().unwrap().resource;
    assert_eq!(
        (resource["service.name"].as_str(), resource["service.version"].as_str()),
        ("inlet", env!("CARGO_PKG_VERSION"))
    );
}

#[test]
fn a_collector_that_never_answers_holds_nothing_up() {
    let home = Home::new();
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", silent.local_addr().unwrap());
    // More requests than the queue has places.
    let server =
        start(&home, &endpoint, &[("OTEL_BSP_MAX_QUEUE_SIZE", "4"), ("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "2")]);
    for _ in 0..20 {
        assert_eq!(server.status("/healthz", &[]), 200);
    }
    let ran = server.stop();
    assert_eq!(ran.code, Some(0), "{ran}");
    assert!(ran.stderr.contains("the trace collector did not take the last spans"), "{ran}");
}

#[test]
fn a_collector_that_is_not_there_is_told_once() {
    let home = Home::new();
    // Port 1 is nobody's.
    let server = start(&home, "http://127.0.0.1:1", &[("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "1")]);
    for _ in 0..5 {
        assert_eq!(server.status("/healthz", &[]), 200);
    }
    let ran = server.stop();
    assert_eq!(ran.code, Some(0), "{ran}");
    assert_eq!(ran.stderr.matches("the trace collector takes no spans").count(), 1, "{ran}");
}

#[test]
fn a_collector_with_tls_gets_spans_if_its_authority_is_named() {
    let (home, collector, authority) = (Home::new(), Collector::start(), Authority::new());
    let front = TlsFront::start(collector.address(), &authority.issue("localhost"));
    let ca_file = home.write("ca.pem", authority.pem());
    let variables = [("OTEL_EXPORTER_OTLP_CERTIFICATE", ca_file.to_str().unwrap())];
    let server = start(&home, front.url(), &variables);
    server.status("/healthz", &[]);
    let ran = server.stop();
    assert_eq!(ran.code, Some(0), "{ran}");
    only(&collector.spans(), "GET /healthz");
}

#[test]
fn a_collector_that_is_not_trusted_gets_nothing_and_is_told_with_a_hint() {
    let (home, collector, authority) = (Home::new(), Collector::start(), Authority::new());
    let front = TlsFront::start(collector.address(), &authority.issue("localhost"));
    let ca_file = home.write("ca.pem", Authority::new().pem());
    let variables = [("OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE", ca_file.to_str().unwrap())];
    let server = start(&home, front.url(), &variables);
    server.status("/healthz", &[]);
    let ran = server.stop();
    assert_eq!(ran.code, Some(0), "{ran}");
    assert!(ran.stderr.contains("tls.unknown_issuer"), "{ran}");
    assert!(ran.stderr.contains("OTEL_EXPORTER_OTLP_CERTIFICATE"), "{ran}");
    assert_eq!(collector.spans().len(), 0);
}

#[test]
fn an_endpoint_that_cannot_be_used_is_refused_at_the_start() {
    let home = Home::new();
    let mut command = home.command(["serve", "--listen", "127.0.0.1:0"]);
    command.env("OTEL_EXPORTER_OTLP_ENDPOINT", "ftp://user:secret@collector.example");
    let ran = super::harness::Ran::from(command.output().unwrap());
    assert_eq!(ran.code, Some(2), "{ran}");
    assert!(ran.stderr.contains("OTEL_EXPORTER_OTLP_ENDPOINT") && !ran.stderr.contains("secret"), "{ran}");
    // Commands that only ask have nothing to send.
    let mut command = home.command(["records", "shop"]);
    command.env("OTEL_EXPORTER_OTLP_ENDPOINT", "ftp://collector.example");
    let ran = super::harness::Ran::from(command.output().unwrap());
    assert!(ran.stderr.contains("code: input.data_dir"), "{ran}");
}
