//! `inlet demo`: what a newcomer sees.

use std::io::{BufRead, BufReader};
use std::process::Stdio;

use rustix::process::{Pid, Signal, kill_process};

use super::harness::{Home, curl};

#[test]
fn it_brings_real_data_in_twice_and_starts_afresh_each_time() {
    let home = Home::new();
    let first = home.inlet("demo --no-serve");
    insta::assert_snapshot!(home.shown(&first));
    let second = home.inlet("demo --no-serve");
    assert_eq!(home.shown(&second), home.shown(&first));
    let airports = home.inlet_well("records nyc --stream airports --all --output json --data-dir inlet-demo");
    assert_eq!(airports.lines().count(), 1458);
}

#[test]
fn every_command_it_suggests_works() {
    let home = Home::new();
    let mut demo = home
        .command(["demo", "--listen", "127.0.0.1:0"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let said: Vec<String> = BufReader::new(demo.stdout.take().unwrap())
        .lines()
        .map(Result::unwrap)
        .take_while(|line| line != "Ctrl-C ends it.")
        .collect();
    let commands: Vec<&str> = said.iter().filter_map(|line| line.strip_prefix("  ")).collect();
    assert_eq!(commands.len(), 7, "{said:#?}");
    for command in commands {
        match command {
            _ if command.starts_with("http") => {
                assert_eq!(curl::run(&format!("curl '{command}'")).status, 200)
            }
            _ if command.starts_with("curl") => {
                let answer = curl::run(command);
                assert!(matches!(answer.status, 200 | 202), "{command}\n{}", answer.body);
            }
            _ => {
                let output = home.program("sh", ["-c", command]).output().unwrap();
                assert!(output.status.success(), "{command}\n{}", String::from_utf8_lossy(&output.stderr));
            }
        }
    }
    kill_process(Pid::from_child(&demo), Signal::INT).unwrap();
    assert_eq!(demo.wait().unwrap().code(), Some(0));
}
