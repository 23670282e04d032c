//! A device that runs full in the middle of a sync.

use std::process::Command;

use tempfile::TempDir;

use super::corpus::Corpus;
use super::{Draw, inspect};

/// In a mount namespace of its own: a small file system, a sync that does not fit, room made, the sync again, and the data
/// directory carried out. The arguments are the binary, the folder, and the source.
const SCRIPT: &str = r#"
set -eu
mkdir "$2/small"
mount -t tmpfs -o size=3m none "$2/small"
sync() { "$1" sync "$3" --into crash --key id --output json --data-dir "$2/small/data"; }
code=0
sync "$@" >"$2/full.json" 2>"$2/full.log" || code=$?
echo "$code" >"$2/full.code"
mount -o remount,size=64m "$2/small"
sync "$@" >"$2/again.json"
cp -r "$2/small/data" "$2/data"
"#;

#[test]
fn a_full_disk_fails_the_sync_with_its_code_and_costs_nothing() {
    let mut draw = Draw(3);
    let folder = TempDir::new().unwrap();
    let corpus = Corpus::create(&folder.path().join("files"), 4, 20_000, &mut draw);
    let mut command = Command::new("unshare");
    if !rustix::process::geteuid().is_root() {
        command.arg("--map-root-user");
    }
    let output = command
        .args(["--mount", "sh", "-c", SCRIPT, "sh", env!("CARGO_BIN_EXE_inlet")])
        .arg(folder.path())
        .arg(corpus.source())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let told = |name: &str| std::fs::read_to_string(folder.path().join(name)).unwrap();
    assert_eq!(told("full.code").trim(), "1");
    let sync: serde_json::Value = serde_json::from_str(&told("full.json")).unwrap();
    assert_eq!((&sync["status"], &sync["error"]["code"]), (&"failed".into(), &"store.disk_full".into()));
    inspect::assert_holds(&folder.path().join("data"), &corpus.expected(), "after a full disk");
}
