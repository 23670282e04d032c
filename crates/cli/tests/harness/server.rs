//! A running `inlet serve`.

use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::thread::JoinHandle;

use rustix::process::{Pid, Signal, kill_process};

use super::{Home, Ran};

/// A server that listens. Killed when it is dropped.
#[derive(Debug)]
pub(crate) struct Server {
    child: Child,
    stdout: BufReader<ChildStdout>,
    /// Reads the log as it is written: a full pipe would hold the server up.
    stderr: Option<JoinHandle<String>>,
    url: String,
}

impl Server {
    /// `inlet serve` with these further words, on a free port.
    pub(crate) fn start(home: &Home, line: &str) -> Self {
        let line = format!("serve --listen 127.0.0.1:0 {line}");
        Self::of(home.command(line.trim_end().split(' ')))
    }

    /// Starts this command, and waits until it says where it listens.
    pub(crate) fn of(command: Command) -> Self {
        Self::started(command).unwrap_or_else(|said| panic!("the server did not start: {said}"))
    }

    /// The same, for a command that may not come so far: then what it said.
    pub(crate) fn started(mut command: Command) -> Result<Self, String> {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut stderr = child.stderr.take().unwrap();
        let stderr = std::thread::spawn(move || {
            let mut text = String::new();
            stderr.read_to_string(&mut text).unwrap();
            text
        });
        let mut line = String::new();
        stdout.read_line(&mut line).unwrap();
        let Some(url) = line.trim_end().strip_prefix("listening on ") else {
            child.wait().unwrap();
            return Err(format!("{line}{}", stderr.join().unwrap()));
        };
        let url = url.to_owned();
        Ok(Self { child, stdout, stderr: Some(stderr), url })
    }

    /// Where it listens.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// The address and port where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.url.strip_prefix("http://").unwrap().parse().unwrap()
    }

    /// Whether it has ended by itself.
    #[cfg(feature = "testing")]
    pub(crate) fn has_ended(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }

    /// Sends a signal.
    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    /// Waits for its end, and gives what it said after its first line.
    pub(crate) fn ended(mut self) -> Ran {
        // Both end with the process.
        let mut stdout = String::new();
        self.stdout.read_to_string(&mut stdout).unwrap();
        let stderr = self.stderr.take().unwrap().join().unwrap();
        Ran { code: self.child.wait().unwrap().code(), stdout, stderr }
    }

    /// Asks it to end, as a supervisor would, and waits until it has.
    pub(crate) fn stop(self) -> Ran {
        self.signal(Signal::TERM);
        self.ended()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ended = self.child.kill();
        let _status = self.child.wait();
    }
}

/// Calls by HTTP.
impl Server {
    /// The status of `GET path` with these headers.
    pub(crate) fn status(&self, path: &str, headers: &[(&str, &str)]) -> u16 {
        self.call(path, headers).0
    }

    /// The body of `GET path`, which must succeed.
    pub(crate) fn get(&self, path: &str) -> serde_json::Value {
        self.try_get(path).unwrap_or_else(|| panic!("GET {path} gives nothing"))
    }

    /// The body of `GET path`, if it succeeds.
    pub(crate) fn try_get(&self, path: &str) -> Option<serde_json::Value> {
        let (status, body) = self.call(path, &[]);
        (status == 200).then(|| serde_json::from_str(&body).unwrap())
    }

    fn call(&self, path: &str, headers: &[(&str, &str)]) -> (u16, String) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let http = super::http_client();
            let mut request = http.get(format!("{}{path}", self.url));
            for (name, value) in headers {
                request = request.header(*name, *value);
            }
            let response = request.send().await.unwrap();
            (response.status().as_u16(), response.text().await.unwrap())
        })
    }
}
