//! The binary, with faults.

use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

/// `inlet sync` of `source` into the collection `crash`, in the data directory `data`, with these faults.
pub(super) fn sync_command(source: &str, data: &Path, faults: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_inlet"));
    command
        .args(["sync", source, "--into", "crash", "--key", "id", "--output", "json", "--data-dir"])
        .arg(data)
        .env("INLET_FAULTS", faults)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// Runs to the end, whatever that is.
pub(super) fn run(source: &str, data: &Path, faults: &str) -> Output {
    sync_command(source, data, faults).output().unwrap()
}

/// Runs to a good end.
pub(super) fn run_well(source: &str, data: &Path) {
    let output = run(source, data, "");
    assert!(output.status.success(), "{}\n{}", output.status, String::from_utf8_lossy(&output.stderr));
}

/// Starts without waiting.
pub(super) fn start(source: &str, data: &Path, faults: &str) -> Child {
    sync_command(source, data, faults).stderr(Stdio::null()).stdout(Stdio::null()).spawn().unwrap()
}

/// `inlet syncs` with these words, of the collection `crash`, with these faults.
pub(super) fn syncs_command(words: &[&str], data: &Path, faults: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_inlet"));
    command
        .arg("syncs")
        .args(words)
        .args(["--collection", "crash", "--output", "json", "--data-dir"])
        .arg(data)
        .env("INLET_FAULTS", faults)
        .stdin(Stdio::null());
    command
}

/// The id of the one connector, and of its newest sync.
pub(super) fn newest_sync(data: &Path) -> (String, String) {
    let mut list = Command::new(env!("CARGO_BIN_EXE_inlet"));
    list.args(["connectors", "list", "--collection", "crash", "--output", "json", "--data-dir"]).arg(data);
    let connectors = String::from_utf8(list.output().unwrap().stdout).unwrap();
    let connector: serde_json::Value = serde_json::from_str(connectors.lines().next().unwrap()).unwrap();
    let id = |value: &serde_json::Value| value["id"].as_str().unwrap().to_owned();
    (id(&connector), id(&connector["last_sync"]))
}
