//! `inlet import` and `inlet export --all-to`: a whole data directory into a database, and back.

use std::process::Command;

use super::encryption::{kept, readable, with_secrets};
use super::harness::{Home, Ran, Server, json, shown_of};
use super::private_postgres::PrivatePostgres;

/// A command with the database's URL in its environment, where people keep it.
fn command(home: &Home, server: &PrivatePostgres, line: &str) -> Command {
    let mut command = home.command(line.split(' '));
    command.env("INLET_DATABASE_URL", server.url("postgres"));
    command
}

fn run(home: &Home, server: &PrivatePostgres, line: &str) -> Ran {
    Ran::from(command(home, server, line).output().unwrap())
}

fn run_well(home: &Home, server: &PrivatePostgres, line: &str) -> String {
    let ran = run(home, server, line);
    assert_eq!(ran.code, Some(0), "inlet {line}\n{ran}");
    ran.stdout
}

/// A data directory with records, their history, a connector with a schedule, and one that waits to be read.
fn with_data() -> Home {
    let home = Home::new();
    let lines = |from: u32, to: u32| -> String {
        (from..to).map(|id| format!("{{\"id\":{id},\"name\":\"n{id}\"}}\n")).collect()
    };
    home.write("many.jsonl", &lines(0, 3000));
    home.inlet_well("sync many.jsonl --into default --key id");
    home.write("many.jsonl", &lines(100, 3100));
    home.inlet_well("sync many.jsonl --into default --key id --approve-deletes");
    home
}

/// All that can be seen of a place from outside.
fn seen(home: &Home, at: &str) -> String {
    let lines = ["export default", "changes default --all --output json", "syncs list --output json"];
    let ids = json(
        home.inlet_well(format!("connectors list --output json {at}").trim_end()).lines().next().unwrap(),
    );
    let id = ids["id"].as_str().unwrap().to_owned();
    lines
        .map(|line| match line.starts_with("syncs") {
            true => home.inlet_well(format!("{line} {id} {at}").trim_end()),
            false => home.inlet_well(format!("{line} {at}").trim_end()),
        })
        .join("\n")
}

#[test]
fn a_server_over_the_database_shows_what_the_directory_held_and_goes_on() {
    let (home, server) = (with_data(), PrivatePostgres::start());
    let before = seen(&home, "");
    let moved = run(&home, &server, "import inlet-data");
    assert_eq!(moved.code, Some(0), "{moved}");
    assert!(moved.stdout.contains("1 connector, 3,000 records moved in "), "{moved}");
    assert!(moved.stderr.contains("inlet serve --encryption-key-file inlet-data/encryption.key"), "{moved}");
    let key = std::fs::read_to_string(home.join("inlet-data/encryption.key")).unwrap();
    assert!(!moved.to_string().contains(key.trim()), "the key is shown");

    let serve = "serve --listen 127.0.0.1:0 --auth none --files-root . --encryption-key-file inlet-data/encryption.key";
    let over = Server::of(command(&home, &server, serve));
    let at = format!("--url {}", over.url());
    assert_eq!(seen(&home, &at), before);
    let connector = json(
        home.inlet_well(format!("connectors list --output json {at}").trim_end()).lines().next().unwrap(),
    );
    let last = home.inlet_well(&format!("changes default --all --output json {at}"));
    let last = json(last.lines().last().unwrap())["change"].as_u64().unwrap();
    home.write(
        "many.jsonl",
        &(100..3101).map(|id| format!("{{\"id\":{id},\"name\":\"n{id}\"}}\n")).collect::<String>(),
    );
    let trigger = format!("syncs trigger {} --wait --output json {at}", connector["id"].as_str().unwrap());
    let counts = json(&home.inlet_well(&trigger))["counts"].clone();
    assert_eq!((&counts["created"], &counts["unchanged"]), (&1.into(), &3000.into()), "{counts}");
    let next = json(&home.inlet_well(&format!("changes default --after {last} --output json {at}")));
    assert_eq!(next["change"], last + 1);
    let refused = run(&home, &server, "export --all-to back");
    assert!(refused.code == Some(1) && refused.stderr.contains("code: transfer.in_use"), "{refused}");
    let after = seen(&home, &at);
    over.stop();

    let back = json(&run_well(&home, &server, "export --all-to back --output json"));
    assert_eq!(back["records"], 3001);
    assert!(!home.join("back/encryption.key").exists());
    assert_eq!(seen(&home, "--data-dir back"), after);
}

#[test]
fn tables_without_partitions_take_a_directory_serve_it_and_give_it_back() {
    let (home, server) = (with_data(), PrivatePostgres::start());
    let before = seen(&home, "");
    let mut shown = String::new();
    for line in [
        "migrate --without-partitions",
        "migrate --without-partitions",
        "doctor --encryption-key-file inlet-data/encryption.key",
        "import inlet-data",
    ] {
        let ran = run(&home, &server, line);
        assert_eq!(ran.code, Some(0), "inlet {line}\n{ran}");
        shown.push_str(ran.stdout.lines().find(|line| line.contains("tables")).unwrap_or_default());
        shown.push('\n');
    }
    insta::assert_snapshot!("tables_without_partitions", shown);
    let serve = "serve --listen 127.0.0.1:0 --auth none --files-root . --encryption-key-file inlet-data/encryption.key";
    let over = Server::of(command(&home, &server, serve));
    let at = format!("--url {}", over.url());
    assert_eq!(seen(&home, &at), before);
    over.stop();
    run_well(&home, &server, "export --all-to back");
    assert_eq!(seen(&home, "--data-dir back"), before);

    let partitioned = PrivatePostgres::start();
    run_well(&home, &partitioned, "migrate");
    insta::assert_snapshot!(
        "tables_with_partitions_already",
        home.shown(&run(&home, &partitioned, "migrate --without-partitions"))
    );
}

#[test]
fn secrets_are_read_with_the_key_of_the_directory_wherever_they_are() {
    let (home, server) = (with_secrets(3), PrivatePostgres::start());
    let keys = kept(&home.join("inlet-data"));
    run_well(&home, &server, "import inlet-data");
    let mut back = command(&home, &server, "export --all-to back");
    let back = Ran::from(back.env("INLET_ENCRYPTION_KEY", keys[0].to_text()).output().unwrap());
    assert_eq!(back.code, Some(0), "{back}");
    assert!(!back.to_string().contains(&keys[0].to_text()), "{back}");
    assert!(!home.join("back/encryption.key").exists());
    assert_eq!(readable(&home.join("back"), &keys), 3);
}

#[test]
fn what_cannot_be_moved_is_said_in_words() {
    let (home, server) = (with_data(), PrivatePostgres::start());
    insta::assert_snapshot!(
        "moving_without_a_database",
        shown_of(
            &home,
            &[
                "import inlet-data",
                "import nowhere --database-url postgres://a@b/c",
                "export --all-to back",
                "export many --all-to back",
                "export"
            ]
        )
    );
    let mut shown = String::new();
    for line in
        ["export --all-to back", "import inlet-data", "import inlet-data", "export --all-to inlet-data"]
    {
        let ran = run(&home, &server, line);
        let complaint = if ran.code == Some(0) { "(it went well)\n".to_owned() } else { home.shown(&ran) };
        shown.push_str(&format!("$ inlet {line}\n{complaint}\n"));
    }
    insta::assert_snapshot!("moving_to_the_wrong_place", shown);
    let served = Server::start(&home, "--auth none");
    let refused = run(&home, &server, "import inlet-data");
    assert!(refused.code == Some(1) && refused.stderr.contains("code: data_dir.in_use"), "{refused}");
    drop(served);
}

/// Where a move is killed, time after time, and at which pass of each try.
#[cfg(feature = "testing")]
const KILLS: [&str; 9] = [
    "transfer.begun@1",
    "transfer.page.before@1",
    "transfer.page.after@2",
    "transfer.page.before@4",
    "transfer.page.after@5",
    "transfer.written@1",
    "transfer.written@2",
    "transfer.checked@1",
    "transfer.finished@1",
];

#[cfg(feature = "testing")]
#[test]
fn a_move_that_is_killed_anywhere_goes_on_and_nothing_opens_what_is_not_finished() {
    let (home, server) = (with_data(), PrivatePostgres::start());
    let before = seen(&home, "");
    for (line, look) in
        [("import inlet-data", "migrate"), ("export --all-to back", "records default --data-dir back")]
    {
        let is_upwards = line.starts_with("import");
        // Into a database, rows and the note of them are one transaction.
        for kill in KILLS.iter().filter(|kill| !is_upwards || !kill.contains("written")) {
            let mut dying = command(&home, &server, line);
            let killed = Ran::from(dying.env("INLET_FAULTS", format!("{kill}=kill")).output().unwrap());
            assert_eq!(killed.code, None, "{line}, {kill}: {killed}");
            let opened = run(&home, &server, look);
            if kill.contains("finished") {
                assert_eq!(opened.code, Some(0), "{opened}");
            } else {
                assert!(!home.join("back/encryption.key").exists(), "one that is refused gets no key");
                let is_refused = opened.stderr.contains("code: store.transfer_unfinished");
                assert!(opened.code == Some(1) && is_refused, "{line}, {kill}: {opened}");
            }
        }
        let again = run(&home, &server, line);
        assert!(again.code == Some(2) && again.stderr.contains("code: transfer.not_empty"), "{again}");
    }
    assert_eq!(seen(&home, "--data-dir back"), before);
}
