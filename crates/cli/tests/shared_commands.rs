//! Commands in a database that servers share: they work beside the servers, and those run the syncs.

use super::harness::{Home, Ran, Server, json};
use super::private_postgres::PrivatePostgres;

const KEY: &str = "4f6e65206b657920666f7220616c6c206e6f646573206f662061207465737421";
const NEW_KEY: &str = "416e6f74686572206b657920666f7220616c6c206e6f646573206f6620697421";

struct Shared {
    home: Home,
    database: PrivatePostgres,
}

impl Shared {
    fn new() -> Self {
        Self { home: Home::new(), database: PrivatePostgres::start() }
    }

    fn command(&self, words: &[&str], keys: &str) -> std::process::Command {
        let mut command = self.home.command(words);
        command.env("INLET_DATABASE_URL", self.database.url("postgres")).env("INLET_ENCRYPTION_KEY", keys);
        command
    }

    fn run(&self, line: &str) -> Ran {
        let words: Vec<&str> = line.split(' ').collect();
        Ran::from(self.command(&words, KEY).output().unwrap())
    }

    fn run_well(&self, line: &str) -> String {
        let ran = self.run(line);
        assert_eq!(ran.code, Some(0), "inlet {line}\n{ran}");
        ran.stdout
    }

    fn serve(&self, keys: &str) -> Server {
        let folder = self.home.path().to_str().unwrap();
        let words = ["serve", "--listen", "127.0.0.1:0", "--auth", "none", "--files-root", folder];
        Server::of(self.command(&words, keys))
    }

    /// A connector of a file with three records.
    fn connector(&self) -> String {
        let path = self.home.write("three.jsonl", "{\"id\":1}\n{\"id\":2}\n{\"id\":3}\n");
        let set = format!("path={}", path.display());
        let words =
            ["connectors", "create", "--name", "Three", "--type", "files", "--set", &set, "--output", "json"];
        let made = Ran::from(self.command(&words, KEY).output().unwrap());
        assert_eq!(made.code, Some(0), "{made}");
        json(&made.stdout)["id"].as_str().unwrap().to_owned()
    }
}

#[test]
fn what_is_triggered_without_a_server_in_between_is_run_by_a_server_at_once() {
    let shared = Shared::new();
    let server = shared.serve(KEY);
    let connector = shared.connector();
    let sync = json(&shared.run_well(&format!("syncs trigger {connector} --wait --output json")));
    assert_eq!((&sync["status"], &sync["counts"]["created"]), (&"succeeded".into(), &3.into()), "{sync}");
    assert_eq!(shared.run_well("export default --data-only"), "{\"id\":1}\n{\"id\":2}\n{\"id\":3}\n");
    assert_eq!(shared.run_well("changes default --all --output json").lines().count(), 3);
    let nodes = shared.run_well("nodes list --output json");
    assert_eq!(nodes.lines().count(), 1, "a command is no node: {nodes}");
    assert!(!shared.home.join("inlet-data").exists());
    server.stop();
}

#[test]
fn a_command_works_where_no_server_is_and_what_only_servers_do_waits_for_one() {
    let shared = Shared::new();
    shared.run_well("migrate");
    let connector = shared.connector();
    let sync = json(&shared.run_well(&format!("syncs trigger {connector} --output json")));
    assert_eq!(sync["status"], "queued");
    shared.run_well("collections create --id sales --name Sales");
    shared.run_well("collections delete sales");
    let server = shared.serve(KEY);
    let id = sync["id"].as_str().unwrap();
    shared.run_well(&format!("syncs follow {connector} {id}"));
    assert_eq!(
        json(&shared.run_well(&format!("syncs get {connector} {id} --output json")))["status"],
        "succeeded"
    );
    server.stop();
}

#[test]
fn secrets_are_encrypted_anew_while_servers_work() {
    let shared = Shared::new();
    let server = shared.serve(&format!("{KEY},{NEW_KEY}"));
    let both = format!("{NEW_KEY},{KEY}");
    let words = [
        "connectors",
        "create",
        "--name",
        "Shop",
        "--type",
        "postgres",
        "--set",
        "host=db.example",
        "--set",
        "database=shop",
        "--set",
        "user=u",
        "--set",
        "password=hunter2",
    ];
    assert_eq!(Ran::from(shared.command(&words, KEY).output().unwrap()).code, Some(0));
    let rotate = ["keys", "rotate-encryption", "--output", "json"];
    for expected in [1, 0] {
        let rotated = Ran::from(shared.command(&rotate, &both).output().unwrap());
        assert_eq!(rotated.code, Some(0), "{rotated}");
        let rotated = json(&rotated.stdout);
        assert_eq!((&rotated["renewed"], &rotated["unreadable"]), (&expected.into(), &0.into()), "{rotated}");
    }
    server.stop();
    // The old one is needed no more.
    let doctor = Ran::from(shared.command(&["doctor"], NEW_KEY).output().unwrap());
    assert_eq!(doctor.code, Some(0), "{doctor}");
}

#[test]
fn what_cannot_be_done_in_a_database_is_said_in_words() {
    let shared = Shared::new();
    let mut shown = String::new();
    shared.home.write("three.jsonl", "{\"id\":1}\n");
    for line in [
        "records default",
        "migrate",
        "records default",
        "sync three.jsonl --into default",
        "keys rotate-encryption",
    ] {
        shown.push_str(&format!("$ inlet {line}\n{}\n", shared.home.shown(&shared.run(line))));
    }
    let without_key = shared
        .home
        .command(["spaces", "list"])
        .env("INLET_DATABASE_URL", shared.database.url("postgres"))
        .output();
    let without_key = shared.home.shown(&Ran::from(without_key.unwrap()));
    let (complaint, _) = without_key.split_once("INLET_ENCRYPTION_KEY=").unwrap();
    shown.push_str(&format!("$ inlet spaces list\n{complaint}…\n"));
    insta::assert_snapshot!(shown);
    assert!(!shared.home.join("inlet-data").exists());
    let mut elsewhere = shared.home.command(["spaces", "list"]);
    let unreached =
        elsewhere.env("INLET_DATABASE_URL", "postgres://a@127.0.0.1:1/b").env("INLET_ENCRYPTION_KEY", KEY);
    let unreached = Ran::from(unreached.output().unwrap());
    assert!(unreached.code == Some(1) && unreached.stderr.contains("code: store.unavailable"), "{unreached}");
    // Whoever wants a directory all the same says so.
    let nowhere = shared.run("records default --data-dir nowhere");
    assert!(nowhere.stderr.contains("there is no data directory at `nowhere`"), "{nowhere}");
    let words = ["sync", "three.jsonl", "--into", "default"];
    let local = shared.home.command(words).env("INLET_DATABASE_URL", "").output().unwrap();
    assert_eq!(local.status.code(), Some(0));
}
