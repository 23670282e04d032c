//! `inlet webhooks`, up to what a target is told.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::Duration;

use serde_json::Value;

use super::harness::{Home, Server, json};

/// A target that takes everything, and hands on what it was told.
struct Target {
    url: String,
    told: Receiver<(String, Value)>,
}

impl Target {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        let (tell, told) = sync_channel(100);
        std::thread::spawn(move || {
            // Whoever listened no more has seen enough.
            while let Ok((connection, _)) = listener.accept() {
                if take(connection, &tell).is_none() {
                    return;
                }
            }
        });
        Self { url, told }
    }

    /// The id and the type of the next event.
    fn next(&self) -> (String, String) {
        let (id, body) = self.told.recv_timeout(Duration::from_secs(30)).expect("it is told");
        (id, body["type"].as_str().unwrap().to_owned())
    }
}

/// Takes one request of a connection, and answers it.
fn take(connection: TcpStream, tell: &SyncSender<(String, Value)>) -> Option<()> {
    let mut reader = BufReader::new(connection);
    let (mut id, mut length) = (String::new(), 0);
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        let Some((name, value)) = line.trim_end().split_once(": ") else {
            if line.trim_end().is_empty() { break } else { continue }
        };
        match name.to_ascii_lowercase().as_str() {
            "webhook-id" => value.clone_into(&mut id),
            "content-length" => length = value.parse().unwrap(),
            _ => {}
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\nconnection: close\r\n\r\nheard";
    reader.get_mut().write_all(answer).unwrap();
    tell.send((id, serde_json::from_slice(&body).unwrap())).ok()
}

fn webhook(home: &Home, line: &str) -> Value {
    json(&home.inlet_well(&format!("webhooks {line} --output json")))
}

#[test]
fn a_webhook_is_made_changed_rotated_and_deleted() {
    let home = Home::new();
    let _server = Server::start(&home, "");
    let made = home.inlet(
        "webhooks create --name Alerts --target https://example.com/inlet --event sync.failed --output json",
    );
    assert_eq!(made.code, Some(0), "{made}");
    assert!(made.stderr.contains("shown only now"), "{made}");
    let made = json(&made.stdout);
    let secret = made["secret"].as_str().unwrap();
    assert!(secret.starts_with("whsec_"));
    let shown = webhook(&home, "get Alerts");
    assert_eq!((&shown["id"], &shown["secret"]), (&made["id"], &Value::Null));
    assert!(home.inlet_well("webhooks list").contains("https://example.com/inlet"));

    let updated = webhook(&home, "update Alerts --name All --unset events --only-collection default");
    assert_eq!((&updated["name"], &updated["events"]), (&"All".into(), &Value::Array(Vec::new())));
    assert_eq!(updated["collection_id"], "default");
    let updated = webhook(&home, "update All --unset collection --event sync.started --status disabled");
    assert_eq!((&updated["collection_id"], &updated["status"]), (&Value::Null, &"disabled".into()));
    assert_eq!(updated["events"], serde_json::json!(["sync.started"]));
    assert_eq!(home.inlet("webhooks update All").code, Some(2), "nothing was said");

    let rotated = webhook(&home, "rotate-secret All");
    assert!(rotated["secret"].as_str().is_some_and(|newer| newer != secret));
    assert!(!rotated["previous_secret_ends_at"].is_null());
    home.inlet_well(&format!("webhooks delete {}", made["id"].as_str().unwrap()));
    let gone = home.inlet("webhooks get All");
    assert_eq!(gone.code, Some(2), "{gone}");
    assert!(gone.stderr.contains("code: webhook.not_found"), "{gone}");
}

#[test]
fn what_is_wrong_with_a_webhook_is_said() {
    let home = Home::new();
    let _server = Server::start(&home, "");
    let ran = home.inlet("webhooks create --name a --target http://169.254.169.254/ --event sync.paused");
    assert_eq!(ran.code, Some(2), "{ran}");
    assert!(ran.stderr.contains("/url") && ran.stderr.contains("/events"), "{ran}");
    let ran = home.inlet("webhooks list --space NoSpace");
    assert_eq!(ran.code, Some(2), "{ran}");
}

#[test]
fn a_test_succeeds_only_if_the_target_takes_it() {
    let home = Home::new();
    let _server = Server::start(&home, "");
    let target = Target::start();
    webhook(&home, &format!("create --name there --target {}", target.url));
    let tested = webhook(&home, "test there");
    assert_eq!((&tested["status"], &tested["answer"]["body"]), (&"succeeded".into(), &"heard".into()));
    assert_eq!(target.next().1, "webhook.test");
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    webhook(&home, &format!("create --name gone --target http://{nobody}/"));
    let ran = home.inlet("webhooks test gone");
    assert_eq!(ran.code, Some(1), "{ran}");
    assert!(ran.stderr.contains("code: webhook.test_failed"), "{ran}");
    assert!(ran.stdout.contains("connect_failed"), "{ran}");
}

#[test]
fn a_sync_is_told_and_a_delivery_can_be_sent_again() {
    let home = Home::new();
    home.write("orders.csv", "id\n1\n");
    let _server = Server::start(&home, &format!("--files-root {}", home.path().display()));
    let target = Target::start();
    webhook(&home, &format!("create --name all --target {}", target.url));
    home.inlet_well("sync orders.csv --into shop --key id");
    let mut told = [target.next(), target.next()];
    told.sort_by(|one, other| one.1.cmp(&other.1));
    assert_eq!([&*told[0].1, &*told[1].1], ["sync.started", "sync.succeeded"]);
    // Its answer is noted after it has come.
    let list = "webhooks deliveries all --state delivered --output json";
    let deadline = std::time::Instant::now() + Duration::from_secs(30);
    while home.inlet_well(list).lines().count() < 2 {
        assert!(std::time::Instant::now() < deadline, "both are delivered");
    }
    let retried = webhook(&home, &format!("retry all {}", told[1].0));
    assert_eq!(retried["state"], "waiting");
    assert_eq!(target.next(), told[1]);
    assert!(home.inlet_well("webhooks deliveries all").contains("sync.succeeded"));
}

#[test]
fn what_a_command_without_a_server_could_not_send_the_next_server_sends() {
    let home = Home::new();
    home.write("orders.csv", "id\n1\n");
    let target = Target::start();
    home.inlet_well(&format!("webhooks create --name all --target {}", target.url));
    home.inlet_well("sync orders.csv --into shop --key id");
    let _server = Server::start(&home, "");
    let mut told = std::collections::BTreeSet::new();
    while told.len() < 2 {
        told.insert(target.next().1);
    }
    assert_eq!(told.into_iter().collect::<Vec<_>>(), ["sync.started", "sync.succeeded"]);
}

#[test]
fn a_webhook_signs_on_after_its_secrets_were_encrypted_anew() {
    let home = Home::new();
    let target = Target::start();
    home.inlet_well(&format!("webhooks create --name all --target {}", target.url));
    home.inlet_well("webhooks rotate-secret all");
    let rotated = home.inlet_well("keys rotate-encryption");
    assert!(rotated.contains("the secrets of 1 config were encrypted anew"), "{rotated}");
    assert_eq!(webhook(&home, "test all")["status"], "succeeded");
}
