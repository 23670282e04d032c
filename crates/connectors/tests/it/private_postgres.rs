//! A PostgreSQL server of a test's own: made in a temporary folder, on a free port, gone when it is dropped.
//!
//! Other crates' tests include this file by its path, so it names nothing of this crate.

use std::fmt::Write as _;
use std::fs::DirEntry;
use std::io::{BufRead, BufReader};
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, Command, Stdio};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};
use rustix::process::{Pid, Signal, geteuid, kill_process};
use tempfile::TempDir;

/// How long a server may take to come up on a machine that builds something beside it.
const START: Duration = Duration::from_secs(60);

/// How often a port may turn out to be taken by somebody who was faster.
const PORTS: usize = 10;

/// What every server has. It forgets everything at its end, so it need not write anything down for good.
const SETTINGS: &[&str] = &[
    "listen_addresses=127.0.0.1",
    "fsync=off",
    "synchronous_commit=off",
    "full_page_writes=off",
    "shared_buffers=32MB",
    "wal_level=logical",
    "max_prepared_transactions=20",
    "lc_messages=C",
    "timezone=UTC",
];

/// The superuser `postgres` comes in without a password, everybody else with one.
const ACCESS: &str =
    "local all all trust\nhost all postgres 127.0.0.1/32 trust\nhost all all 127.0.0.1/32 scram-sha-256\n";

/// What a server has beyond the usual.
#[derive(Debug, Default)]
pub(crate) struct Setup<'a> {
    /// It takes encrypted connections too. Its certificate is for `localhost` alone, so `127.0.0.1` is a wrong name.
    pub(crate) tls: bool,
    /// Each is `name=value`; a later one replaces an earlier one.
    pub(crate) settings: &'a [&'a str],
    /// Lines of `pg_hba.conf` that come before the usual ones, and so win.
    pub(crate) access: &'a str,
}

/// A server that takes connections.
#[derive(Debug)]
pub(crate) struct PrivatePostgres {
    folder: TempDir,
    settings: Vec<String>,
    server: Child,
    port: u16,
    log: Arc<Log>,
    authority: Option<String>,
}

impl PrivatePostgres {
    /// The usual server.
    pub(crate) fn start() -> Self {
        Self::start_with(&Setup::default())
    }

    /// A server with something beyond the usual.
    pub(crate) fn start_with(setup: &Setup<'_>) -> Self {
        let programs = programs();
        let account = Account::of_the_server();
        let folder = tempfile::Builder::new().prefix("inlet-postgres-").tempdir().unwrap();
        account.owns(folder.path());
        make_cluster(&programs, &account, folder.path());
        let data = folder.path().join("data");
        std::fs::write(data.join("pg_hba.conf"), format!("{}\n{ACCESS}", setup.access)).unwrap();
        let authority = setup.tls.then(|| make_certificates(&account, &data));
        let mut settings = SETTINGS.to_vec();
        settings.extend(setup.tls.then_some("ssl=on"));
        settings.extend(setup.settings);
        let settings: Vec<String> = settings.into_iter().map(str::to_owned).collect();
        for _ in 0..PORTS {
            let port = free_port();
            if let Some((server, log)) = spawn(command(folder.path(), &settings, port)) {
                return Self { folder, settings, server, port, log, authority };
            }
        }
        panic!("{PORTS} ports were taken, one after the other");
    }

    /// Ends it at once, as a machine that fails does. With `synchronous_commit=on` nothing that was committed is lost.
    pub(crate) fn crash(&mut self) {
        let _ended = kill_process(Pid::from_child(&self.server), Signal::QUIT);
        let _status = self.server.wait();
    }

    /// Starts it again after a crash: the same data on the same port.
    pub(crate) fn start_again(&mut self) {
        let started = spawn(command(self.folder.path(), &self.settings, self.port));
        (self.server, self.log) = started.expect("nobody has taken its port meanwhile");
    }

    /// Where it listens, on 127.0.0.1.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Where its unix socket lies.
    pub(crate) fn socket_folder(&self) -> &Path {
        self.folder.path()
    }

    /// The address of one of its databases, for the superuser.
    pub(crate) fn url(&self, database: &str) -> String {
        format!("postgres://postgres@127.0.0.1:{}/{database}", self.port)
    }

    /// The certificate (PEM) of whoever signed the server's.
    pub(crate) fn authority(&self) -> &str {
        self.authority.as_deref().expect("the server was started with `tls: true`")
    }

    /// Another program, to be run in the server's folder by the account that runs the server.
    pub(crate) fn beside(&self, program: &str) -> Command {
        Account::of_the_server().command(Path::new(program), self.folder.path())
    }

    /// A file of its data, such as `authority.crt`, `client.crt` and `client.key` of a server with TLS.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join("data").join(name)
    }

    /// What it has logged so far. What a client has just seen may come a little later here: see [`wait_for_log`](Self::wait_for_log).
    pub(crate) fn log(&self) -> String {
        self.log.text.lock().unwrap().clone()
    }

    /// Waits until it has logged this.
    pub(crate) fn wait_for_log(&self, text: &str) {
        let log = self.log.text.lock().unwrap();
        let (log, late) = self.log.grown.wait_timeout_while(log, START, |log| !log.contains(text)).unwrap();
        assert!(!late.timed_out(), "PostgreSQL did not log {text:?}, but: {log}");
    }

    /// A connection of the superuser to one of its databases.
    pub(crate) async fn connect(&self, database: &str) -> tokio_postgres::Client {
        connect(&self.url(database)).await
    }
}

impl Drop for PrivatePostgres {
    fn drop(&mut self) {
        // At once and without tidying up: the folder goes with it.
        self.crash();
    }
}

/// The server of a folder, to be started.
fn command(folder: &Path, settings: &[String], port: u16) -> Command {
    let mut command = Account::of_the_server().command(&programs().join("postgres"), folder);
    command.arg("-D").arg(folder.join("data")).arg("-k").arg(folder).args(["-p", &port.to_string()]);
    settings.iter().for_each(|setting| _ = command.args(["-c", setting]));
    command
}

/// A connection by any address. It ends with the client.
pub(crate) async fn connect(url: &str) -> tokio_postgres::Client {
    let (client, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

#[derive(Debug, Default)]
struct Log {
    text: Mutex<String>,
    grown: Condvar,
}

/// The folder of `initdb` and `postgres`: `INLET_TEST_POSTGRES_BIN`, or the newest that Debian has, or one of the PATH.
fn programs() -> PathBuf {
    if let Some(named) = std::env::var_os("INLET_TEST_POSTGRES_BIN") {
        return named.into();
    }
    let installed =
        std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().map(|entry| entry.unwrap());
    let version = |entry: &DirEntry| entry.file_name().to_str().and_then(|name| name.parse::<u32>().ok());
    let mut debian: Vec<_> = installed.collect();
    debian.sort_by_key(|entry| std::cmp::Reverse(version(entry)));
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut folders = debian.iter().map(|entry| entry.path().join("bin")).chain(std::env::split_paths(&path));
    folders.find(|folder| folder.join("postgres").is_file()).unwrap_or_else(|| {
        panic!(
            "PostgreSQL is missing: apt-get install postgresql, or name its folder in INLET_TEST_POSTGRES_BIN"
        )
    })
}

/// Who runs the server: whoever runs the tests, but never root, as which PostgreSQL does not start.
struct Account(Option<(u32, u32)>);

impl Account {
    fn of_the_server() -> Self {
        let id = |flag| {
            let output = Command::new("id").args([flag, "postgres"]).output().unwrap();
            let text = String::from_utf8(output.stdout).unwrap();
            text.trim().parse().expect("the package of PostgreSQL has made the account `postgres`")
        };
        Self(geteuid().is_root().then(|| (id("-u"), id("-g"))))
    }

    fn owns(&self, path: &Path) {
        if let Some((user, group)) = self.0 {
            chown(path, Some(user), Some(group)).unwrap();
        }
    }

    fn command(&self, program: &Path, folder: &Path) -> Command {
        let mut command = Command::new(program);
        command.current_dir(folder).env("LC_ALL", "C").stdin(Stdio::null()).stdout(Stdio::null());
        if let Some((user, group)) = self.0 {
            command.uid(user).gid(group);
        }
        command
    }
}

fn make_cluster(programs: &Path, account: &Account, folder: &Path) {
    let mut initdb = account.command(&programs.join("initdb"), folder);
    // Small segments: the first one is filled with zeros while the test waits.
    initdb.args(["-D", "data", "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"]);
    let output = initdb.args(["--wal-segsize=1", "--no-instructions"]).output().unwrap();
    assert!(output.status.success(), "initdb: {}", String::from_utf8_lossy(&output.stderr));
}

/// Writes keys and certificates of the server and of a client called `postgres`, and gives the certificate of their authority.
fn make_certificates(account: &Account, data: &Path) -> String {
    let mut params = CertificateParams::new([]).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::DigitalSignature];
    let authority_key = KeyPair::generate().unwrap();
    let authority = params.self_signed(&authority_key).unwrap();
    let issuer = Issuer::new(params, authority_key);

    let write = |name: &str, text: String| {
        let path = data.join(name);
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        account.owns(&path);
    };
    write("authority.crt", authority.pem());
    for (file, name, purpose) in [
        ("server", "localhost", ExtendedKeyUsagePurpose::ServerAuth),
        ("client", "postgres", ExtendedKeyUsagePurpose::ClientAuth),
    ] {
        let mut params = CertificateParams::new([name.to_owned()]).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        params.extended_key_usages = vec![purpose];
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &issuer).unwrap();
        write(&format!("{file}.crt"), certificate.pem());
        write(&format!("{file}.key"), key.serialize_pem());
    }
    authority.pem()
}

fn free_port() -> u16 {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port()
}

/// Starts the server and waits until it takes connections; nothing if its port is taken.
fn spawn(mut command: Command) -> Option<(Child, Arc<Log>)> {
    let mut server = command.stderr(Stdio::piped()).spawn().unwrap();
    let (log, stderr) = (Arc::<Log>::default(), server.stderr.take().unwrap());
    let (ready, is_ready) = sync_channel(1);
    let lines = Arc::clone(&log);
    std::thread::spawn(move || read_log(stderr, &lines, &ready));
    if is_ready.recv_timeout(START).is_ok() {
        return Some((server, log));
    }
    let _ended = server.kill();
    let _status = server.wait();
    let said = log.text.lock().unwrap().clone();
    assert!(said.contains("Address already in use"), "PostgreSQL did not start: {said}");
    None
}

/// Keeps what the server logs until it ends, and says when it is ready. A full pipe would hold it up.
fn read_log(stderr: ChildStderr, log: &Log, ready: &SyncSender<()>) {
    for line in BufReader::new(stderr).lines().map_while(Result::ok) {
        writeln!(log.text.lock().unwrap(), "{line}").unwrap();
        log.grown.notify_all();
        if line.contains("ready to accept connections") {
            let _first = ready.try_send(());
        }
    }
}
