//! Running the binary: in a folder of its own, with nothing of this machine's settings.

#[cfg(feature = "testing")]
mod calls;
pub(crate) mod curl;
#[cfg(feature = "testing")]
mod database;
mod redact;
mod server;
pub(crate) mod tls;

use std::ffi::OsStr;
use std::fmt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

#[cfg(feature = "testing")]
pub(crate) use calls::{Calls, until};
#[cfg(feature = "testing")]
pub(crate) use database::Schema;
pub(crate) use redact::redacted;
pub(crate) use server::Server;

/// A folder to run the binary in.
#[derive(Debug)]
pub(crate) struct Home {
    path: PathBuf,
    /// Goes with it.
    _folder: Option<TempDir>,
}

/// What a run of the binary gave.
pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Home {
    pub(crate) fn new() -> Self {
        let folder = TempDir::new().unwrap();
        Self { path: folder.path().to_owned(), _folder: Some(folder) }
    }

    /// A folder that stays.
    #[cfg(feature = "testing")]
    pub(crate) fn at(path: &Path) -> Self {
        Self { path: path.to_owned(), _folder: None }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The path of a file or folder in here.
    pub(crate) fn join(&self, name: &str) -> PathBuf {
        self.path().join(name)
    }

    /// Writes a file, and the folders above it.
    pub(crate) fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        path
    }

    /// The binary, ready to run.
    pub(crate) fn command(&self, args: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Command {
        self.program(env!("CARGO_BIN_EXE_inlet"), args)
    }

    /// Any program, ready to run in here.
    pub(crate) fn program(&self, name: &str, args: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Command {
        let mut command = Command::new(name);
        for (name, _) in std::env::vars_os() {
            if ["INLET_", "OTEL_", "SSL_CERT_"].iter().any(|ours| name.to_string_lossy().starts_with(ours)) {
                command.env_remove(name);
            }
        }
        command.args(args).current_dir(self.path()).env("NO_COLOR", "1").stdin(Stdio::null());
        command
    }

    /// Runs the binary to its end.
    pub(crate) fn run(&self, args: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Ran {
        Ran::from(self.command(args).output().unwrap())
    }

    /// Runs the binary with the words of `line`.
    pub(crate) fn inlet(&self, line: &str) -> Ran {
        self.run(line.split(' '))
    }

    /// As [`inlet`](Self::inlet), and it must succeed.
    pub(crate) fn inlet_well(&self, line: &str) -> String {
        let ran = self.inlet(line);
        assert_eq!(ran.code, Some(0), "inlet {line}\n{ran}");
        ran.stdout
    }

    /// What a run shows, without what differs from run to run.
    pub(crate) fn shown(&self, ran: &Ran) -> String {
        redacted(&ran.to_string(), self.path())
    }
}

/// What each of these command lines shows, one after the other, without what differs from run to run.
pub(crate) fn shown_of(home: &Home, lines: &[&str]) -> String {
    let shown = lines.iter().map(|line| format!("$ inlet {line}\n{}", home.inlet(line)));
    redacted(&shown.collect::<Vec<_>>().join("\n"), home.path())
}

/// A client for plain HTTP.
pub(crate) fn http_client() -> reqwest::Client {
    tls::use_ring();
    reqwest::Client::builder().no_proxy().tls_certs_only([]).build().unwrap()
}

/// A text that must be JSON.
pub(crate) fn json(text: &str) -> serde_json::Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

impl fmt::Display for Ran {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.code {
            Some(code) => writeln!(f, "exit code: {code}")?,
            None => writeln!(f, "ended by a signal")?,
        }
        write!(f, "----- stdout -----\n{}----- stderr -----\n{}", self.stdout, self.stderr)
    }
}
