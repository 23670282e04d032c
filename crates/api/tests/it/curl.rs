//! Reads a `curl` command as it stands in a document, and makes of it the request that `curl` would send.

use axum::body::Body;
use axum::http::{Method, Request};

/// The request of a command line such as `curl -X POST "http://…" -H "A: b" -d '{}'`.
pub(crate) fn request(command: &str) -> Request<Body> {
    let mut words = words(command).into_iter();
    assert_eq!(words.next().as_deref(), Some("curl"));
    let (mut method, mut url, mut headers, mut data) = (Method::GET, None, Vec::new(), None);
    while let Some(word) = words.next() {
        let mut argument = || words.next().expect("the option has an argument");
        match word.as_str() {
            "-X" => method = argument().parse().unwrap(),
            "-H" => headers.push(argument()),
            "-d" => data = Some(argument()),
            // Only how the answer is shown.
            "-i" | "-N" => {}
            _ => url = Some(word),
        }
    }
    let url = url.expect("there is an address");
    let rest = url.strip_prefix("http://").expect("the address is of this machine");
    let (host, path) = rest.split_at(rest.find('/').unwrap());
    let mut request = Request::builder().method(method).uri(path);
    request = request.header("host", host).header("user-agent", "curl/8.5.0").header("accept", "*/*");
    for header in &headers {
        let (name, value) = header.split_once(": ").unwrap();
        request = request.header(name, value);
    }
    if data.is_some() && !headers.iter().any(|header| header.to_lowercase().starts_with("content-type:")) {
        request = request.header("content-type", "application/x-www-form-urlencoded");
    }
    request.body(data.map_or_else(Body::empty, Body::from)).unwrap()
}

/// The words of a command line, as a shell splits them: quotes hold words together, `\` at a line's end goes on.
fn words(command: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut quote = None;
    let mut between = true;
    for letter in command.replace("\\\n", " ").chars() {
        match quote {
            Some(open) if letter == open => quote = None,
            None if letter == '"' || letter == '\'' => {
                quote = Some(letter);
                if between {
                    words.push(String::new());
                    between = false;
                }
            }
            None if letter.is_whitespace() => between = true,
            _ => {
                if between {
                    words.push(String::new());
                    between = false;
                }
                words.last_mut().unwrap().push(letter);
            }
        }
    }
    words
}
