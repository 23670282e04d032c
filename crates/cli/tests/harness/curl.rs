//! `curl` commands as they stand in a document: run by curl, or, where there is none, by an equal request.

use std::process::{Command, Stdio};

/// What a command answered.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }
}

/// Runs a command line that begins with `curl`.
pub(crate) fn run(line: &str) -> Answer {
    if has_curl() { by_curl(line) } else { by_reqwest(line) }
}

fn has_curl() -> bool {
    Command::new("curl").arg("--version").stdout(Stdio::null()).status().is_ok_and(|status| status.success())
}

fn by_curl(line: &str) -> Answer {
    let line = format!("{line} --silent --show-error --noproxy '*' --write-out '\\n%{{http_code}}'");
    let output = Command::new("sh").args(["-c", &line]).output().unwrap();
    assert!(output.status.success(), "{line}\n{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    let (body, status) = text.rsplit_once('\n').unwrap();
    Answer { status: status.parse().unwrap(), body: body.to_owned() }
}

fn by_reqwest(line: &str) -> Answer {
    let mut words = words(line).into_iter().skip(1);
    let (mut method, mut url, mut headers, mut data) = (None, None, Vec::new(), None);
    while let Some(word) = words.next() {
        match word.as_str() {
            "-X" => method = words.next(),
            "-H" => headers.extend(words.next()),
            "-d" | "--data-binary" => data = words.next(),
            "-i" => {}
            _ => url = Some(word),
        }
    }
    let method = method.unwrap_or_else(|| if data.is_some() { "POST" } else { "GET" }.to_owned());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let http = super::http_client();
        let mut request = http.request(method.parse().unwrap(), url.unwrap());
        for header in &headers {
            let (name, value) = header.split_once(": ").unwrap();
            request = request.header(name, value);
        }
        if let Some(data) = data {
            request = request.body(data);
        }
        let response = request.send().await.unwrap();
        Answer { status: response.status().as_u16(), body: response.text().await.unwrap() }
    })
}

/// The words of a command line, as a shell splits them: quotes hold words together, `\` at a line's end goes on.
fn words(line: &str) -> Vec<String> {
    let (mut words, mut word, mut quote) = (Vec::new(), None::<String>, None);
    for letter in line.replace("\\\n", " ").chars() {
        match quote {
            Some(open) if letter == open => quote = None,
            None if letter == '"' || letter == '\'' => {
                quote = Some(letter);
                word.get_or_insert_default();
            }
            None if letter.is_whitespace() => words.extend(word.take()),
            _ => word.get_or_insert_default().push(letter),
        }
    }
    words.extend(word);
    words
}

#[test]
fn words_are_split_as_by_a_shell() {
    assert_eq!(
        words("curl -d '{\"a\": 1}' \\\n \"http://x\" ''"),
        ["curl", "-d", "{\"a\": 1}", "http://x", ""]
    );
}
