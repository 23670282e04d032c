//! The client before a server that loses connections and asks for patience.

use std::sync::Arc;
use std::time::Duration;

use axum::http::{HeaderMap, StatusCode};
use inlet_model::SeededEntropy;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use super::*;
use crate::errors::CommandError;
use crate::tls::Trust;

/// What the server does with a request.
enum Act {
    /// Reads it, and hangs up.
    HangUp,
    /// Answers with this status, these further header lines and this body.
    Answer(u16, &'static str, &'static str),
}
use Act::{Answer as Says, HangUp};

/// A server that does these things, one a request, and gives the heads of the requests.
async fn server(acts: Vec<Act>) -> (Client, JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let heads = tokio::spawn(async move {
        let mut heads = Vec::new();
        for act in acts {
            let (mut stream, _) = listener.accept().await.unwrap();
            heads.push(head(&mut stream).await);
            if let Says(status, headers, body) = act {
                let answer = format!(
                    "HTTP/1.1 {status} X\r\nConnection: close\r\n{headers}Content-Length: {}\r\n\r\n{body}",
                    body.len()
                );
                stream.write_all(answer.as_bytes()).await.unwrap();
            }
        }
        heads
    });
    (client(&address), heads)
}

fn client(address: &str) -> Client {
    crate::tls::use_ring();
    let transport = Transport::http(address, HeaderMap::new(), Trust::Nobody).unwrap();
    let mut client = Client::new(transport, Arc::new(SeededEntropy::new(1)));
    client.patience.first_wait = Duration::from_millis(1);
    client
}

async fn head(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    while !bytes.ends_with(b"\r\n\r\n") {
        bytes.push(stream.read_u8().await.unwrap());
    }
    String::from_utf8(bytes).unwrap().to_lowercase()
}

/// The idempotency key of a request.
fn key(head: &str) -> Option<&str> {
    head.lines().find_map(|line| line.strip_prefix("idempotency-key: "))
}

fn status(result: Result<Body, CallError>) -> Result<(), StatusCode> {
    match result {
        Ok(_) => Ok(()),
        Err(CallError::Problem(problem)) => Err(problem.status),
        Err(other) => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_post_that_lost_its_connection_is_repeated_under_the_same_key() {
    let (client, heads) = server(vec![HangUp, HangUp, Says(201, "", "{}"), Says(201, "", "{}")]).await;
    client.post("/v1/spaces", &json!({})).await.unwrap();
    client.post("/v1/spaces", &json!({})).await.unwrap();
    let heads = heads.await.unwrap();
    let keys: Vec<&str> = heads.iter().map(|head| key(head).unwrap()).collect();
    assert_eq!(keys[0], keys[1]);
    assert_eq!(keys[1], keys[2]);
    assert_ne!(keys[2], keys[3], "another call has another key");
}

#[tokio::test]
async fn a_server_that_asks_for_patience_gets_it() {
    let acts = vec![
        Says(503, "Retry-After: 0\r\n", ""),
        Says(429, "Retry-After: 0\r\n", ""),
        Says(409, "Retry-After: 0\r\n", r#"{"code":"idempotency.in_progress"}"#),
        Says(200, "", "{}"),
    ];
    let (client, heads) = server(acts).await;
    client.post("/v1/spaces", &json!({})).await.unwrap();
    assert_eq!(heads.await.unwrap().len(), 4);
}

#[tokio::test]
async fn what_would_be_the_same_again_is_not_repeated() {
    for answer in [
        (503, "", ""),
        (500, "Retry-After: 0\r\n", ""),
        (429, "Retry-After: 3600\r\n", ""),
        (409, "Retry-After: 0\r\n", r#"{"code":"sync.already_running"}"#),
    ] {
        let (client, heads) = server(vec![Says(answer.0, answer.1, answer.2)]).await;
        let status = status(client.post("/v1/spaces", &json!({})).await);
        assert_eq!(status, Err(StatusCode::from_u16(answer.0).unwrap()));
        assert_eq!(heads.await.unwrap().len(), 1);
    }
}

#[tokio::test]
async fn patience_has_an_end() {
    let (client, heads) = server(vec![HangUp, HangUp, HangUp, HangUp]).await;
    let error = client.get("/v1/spaces").await.unwrap_err();
    assert!(matches!(error, CallError::Unreachable { .. }), "{error:?}");
    assert_eq!(heads.await.unwrap().len(), 4);
    let (client, heads) = server(vec![HangUp]).await;
    client.get_once("/healthz").await.unwrap_err();
    assert_eq!(heads.await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_repeated_delete_that_finds_nothing_was_done_the_first_time() {
    let (client, heads) = server(vec![HangUp, Says(404, "", "")]).await;
    client.delete("/v1/spaces/a").await.unwrap();
    heads.await.unwrap();
    let (client, heads) = server(vec![Says(404, "", "")]).await;
    client.delete("/v1/spaces/a").await.unwrap_err();
    heads.await.unwrap();
}

#[tokio::test]
async fn a_key_does_not_go_where_an_answer_leads() {
    let (elsewhere, heads_there) = server(vec![Says(200, "", "{}")]).await;
    let Transport::Http { address, .. } = &elsewhere.transport else { unreachable!("it is over HTTP") };
    let location: &'static str = format!("Location: {address}/a\r\n").leak();
    let (client, heads) = server(vec![Says(308, location, "")]).await;
    let told = CommandError::from(client.get("/a").await.unwrap_err());
    let CommandError::Complaint(told) = told else { panic!("{told:?}") };
    assert!(told.to_string().contains("hint: it leads elsewhere"), "{told}");
    heads.await.unwrap();
    assert!(!heads_there.is_finished(), "nobody has asked there");
}

#[tokio::test]
async fn only_a_post_carries_an_idempotency_key() {
    let ok = || Says(200, "", "{}");
    let (client, heads) = server(vec![ok(), ok(), ok(), ok()]).await;
    client.get("/a").await.unwrap();
    client.patch("/a", &json!({})).await.unwrap();
    client.put("/a", "{}".to_owned()).await.unwrap();
    client.delete("/a").await.unwrap();
    let heads = heads.await.unwrap();
    assert_eq!(heads.iter().filter_map(|head| key(head)).count(), 0);
    assert!(heads[1].contains("content-type: application/merge-patch+json"), "{}", heads[1]);
}
