//! Input that cannot be right: each case with its sentence, its code and exit code 2, and nothing done.

use super::harness::Home;

/// Runs `inlet LINE` in a folder with a few files, checks that it left no data directory, and shows what it said.
#[track_caller]
fn refused(line: &str) -> String {
    let home = Home::new();
    home.write("orders.csv", "id,name\n1,one\n");
    home.write("folder/a.csv", "id\n1\n");
    let ran = home.inlet(line);
    assert_eq!(ran.code, Some(2), "inlet {line}\n{ran}");
    assert!(!home.join("inlet-data").exists(), "inlet {line} made a data directory");
    format!("$ inlet {line}\n{}", home.shown(&ran))
}

#[test]
fn flags_that_do_not_exist_or_do_not_fit() {
    let lines = [
        "frobnicate",
        "serve --listen nowhere",
        "serve --auth maybe",
        "serve --log-level =,=",
        "serve --max-syncs-per-space 0",
        "serve --max-syncs-per-type files=2,frob=1",
        "serve --max-syncs-per-type files",
        "sync",
        "sync orders.csv",
        "sync orders.csv --into shop --mode sometimes",
        "sync orders.csv --into shop --format xml",
        "records shop --limit some",
        "records shop --key 1",
        "changes shop --after -1",
    ];
    insta::assert_snapshot!(lines.map(refused).join("\n"));
}

#[test]
fn names_that_are_no_names() {
    let lines = [
        "sync orders.csv --into Shop!",
        "sync orders.csv --into a/b/c",
        "sync orders.csv --into shop --stream ",
        "records ../etc",
        "changes /",
    ];
    insta::assert_snapshot!(lines.map(refused).join("\n"));
}

#[test]
fn sources_that_are_not_there() {
    let lines = [
        "sync missing.csv --into shop",
        "sync missing/orders.csv --into shop",
        "sync *.parquet --into shop",
        "sync folder --into shop",
        "sync folder/ --into shop",
        "sync folder/../*/../orders.csv --into shop",
        "sync [a.csv --into shop",
        "sync https://example.com/orders.csv --into shop",
        "sync orders.csv --into shop --key number",
    ];
    insta::assert_snapshot!(lines.map(refused).join("\n"));
}

#[test]
fn data_directories_that_are_none() {
    let lines = [
        "records shop",
        "changes shop --data-dir folder",
        "sync orders.csv --into shop --data-dir orders.csv",
        "demo --no-serve --data-dir folder",
    ];
    insta::assert_snapshot!(lines.map(refused).join("\n"));
}

#[test]
fn servers_that_would_be_open_to_everybody() {
    let lines = [
        "serve --auth none --listen 0.0.0.0:0",
        "serve --auth none --listen [::]:0",
        "demo --listen 0.0.0.0:0",
        "serve --history 12h",
        "serve --undo-for 30d",
        "serve --undo-for soon",
        "serve --files-root missing",
        "serve --files-root orders.csv",
    ];
    insta::assert_snapshot!(lines.map(refused).join("\n"));
}

#[test]
fn a_collection_that_is_not_there() {
    let home = Home::new();
    home.write("orders.csv", "id,name\n1,one\n");
    home.inlet_well("sync orders.csv --into shop");
    let lines = ["records stop", "changes other/shop", "records shop --stream orders --key 2"];
    let shown = lines.map(|line| {
        let ran = home.inlet(line);
        format!("$ inlet {line}\n{}", home.shown(&ran))
    });
    insta::assert_snapshot!(shown.join("\n"));
}

#[test]
fn an_empty_api_key_is_not_taken_for_a_key() {
    let home = Home::new();
    let ran = home.command(["serve", "--listen", "127.0.0.1:0"]).env("INLET_API_KEY", " ").output().unwrap();
    insta::assert_snapshot!(home.shown(&ran.into()));
}
